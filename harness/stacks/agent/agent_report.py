"""Turns the facts of an agent into an EndpointReport: what an end saw, with its evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.agent.library import REQUIRED_FACTS, Facts
from harness.model.connection import Counters
from harness.model.tls import Alert, Ending, TLSVersion, sends_last_flight
from harness.model.view import CallbackCall, EndpointReport, Saw, View, Witness
from harness.wire.names import group_named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.model.tls import Role

LIB_SSL = 20
"""ERR_LIB_SSL."""
ALERT_REASONS = range(1000, 1256)
"""The reason codes of received alerts: SSL_AD_REASON_OFFSET plus the alert's number."""


@dataclass
class Trail:
    """What the replies on one connection reported before its release."""

    refusals: list[str] = field(default_factory=list)
    """The verbs that failed, each with the library's message."""
    queue: list[Mapping[str, Any]] = field(default_factory=list)
    """The error queue if the connection was never opened, for example because its session cannot be decoded."""
    handshake_failed: bool = False
    got_data: bool = False
    cut: Ending | None = None
    """How the input ended while application data was expected."""
    ending: Ending | None = None
    output: str = ""


def alerts_of(facts: Mapping[str, Any], role: Role) -> list[Alert]:
    """Return the alerts in order; if the library reports none, the received ones in its error queue."""
    if facts["alerts"]:
        return [Alert(a["number"], role if a["sent"] else role.peer, a["level"]) for a in facts["alerts"]]
    return [
        Alert(entry["reason"] - ALERT_REASONS.start, role.peer)
        for entry in facts["errors"]
        if entry["lib"] == LIB_SSL and entry["reason"] in ALERT_REASONS
    ]


def judge(facts: Mapping[str, Any], trail: Trail, fatal: Alert | None, role: Role) -> tuple[Saw, list[str]]:
    """Return what this end saw of the handshake, and the evidence for it.

    A peer that ends with close_notify took the last flight: one that refuses it sends a fatal alert (RFC 5246, 7.2.2).
    """
    evidence = [facts["evidence"]] if facts["evidence"] else []
    if not facts["finished"]:
        if trail.handshake_failed or trail.refusals:
            return Saw.ABORTED, [*trail.refusals, *([str(fatal)] if fatal else []), *evidence]
        return Saw.UNKNOWN, ["no handshake was completed", *evidence]
    version = None if facts["version"] is None else TLSVersion(facts["version"])
    last = sends_last_flight(role, version, reused=facts["reused"])
    if fatal is not None and not trail.got_data:
        return Saw.ABORTED, [f"{fatal}, before any application data", *evidence]
    if trail.cut not in {None, Ending.CLOSE_NOTIFY} and not trail.got_data and last:
        return Saw.UNKNOWN, [f"the input ended ({trail.cut}) before any application data", *evidence]
    if facts["reused"] is None:
        return Saw.UNKNOWN, evidence or ["the library does not report whether it resumed"]
    if name := bytes.fromhex(facts.get("external_psk") or "").decode(errors="replace"):
        also = ", of which SSL_session_reused says 1 too" if facts["reused"] else ""
        evidence = [*evidence, f"with the external PSK {name!r}{also}"]
    return Saw.RESUMED if facts["reused"] and not name else Saw.FULL, evidence


def counters_of(facts: Mapping[str, Any]) -> dict[str, Counters]:
    """Return the counters of a server's context after the connection; empty if the library reports none."""
    counters = facts.get("counters")
    return {"counters": Counters(**counters)} if counters is not None else {}


def callback_calls(calls: Sequence[Mapping[str, Any]]) -> tuple[CallbackCall, ...]:
    """Return the calls of callbacks; KeyError, TypeError or ValueError if one is malformed."""
    return tuple(CallbackCall(str(call["call"]), bytes.fromhex(call["subject"]), str(call["result"])) for call in calls)


READ: Mapping[str, Callable[[Any], Any]] = {"Bytes": bytes.fromhex, "list[str]": tuple}
"""How a fact of such a type becomes the field of the same name; others stay as they are."""
MADE = {"version", "group", "errors", "keylog", "alerts", "callback_calls"}
"""The fields that are made in ways of their own."""
ALIKE = {
    fact: READ.get(str(kind).removesuffix(" | None"))
    for fact, kind in Facts.__annotations__.items()
    if fact in EndpointReport.__dataclass_fields__ and fact not in MADE
}
"""The other facts that are also fields, with how each is read."""


def taken(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that are facts of the same name; KeyError, TypeError or ValueError if one is malformed."""
    found = {}
    for name, read in ALIKE.items():
        value = facts[name] if name in REQUIRED_FACTS else facts.get(name)
        found[name] = value if value is None or read is None else read(value)
    return found


def make_report(
    role: Role, name: str, facts: Mapping[str, Any], trail: Trail, commands: Sequence[str]
) -> EndpointReport:
    """Return the report of one end; KeyError, TypeError or ValueError if the facts are malformed."""
    alerts = alerts_of(facts, role)
    fatal = next((alert for alert in alerts if alert.fatal and alert.number), None)
    saw, evidence = judge(facts, trail, fatal, role)
    return EndpointReport(
        view=View(Witness(role.value), saw, tuple(evidence), name, fatal, facts["tickets"]),
        version=None if facts["version"] is None else TLSVersion(facts["version"]),
        group=None if facts.get("group") is None else group_named(facts["group"]),
        ending=trail.ending or trail.cut,
        errors=(
            *(f"lib={e['lib']} reason={e['reason']} {e['text']}" for e in (*trail.queue, *facts["errors"])),
            *trail.refusals,
        ),
        keylog=tuple(facts["keylog"]),
        output=trail.output,
        commands=tuple(commands),
        alerts=None if facts["alerts"] is None else tuple(alerts),
        callback_calls=None if facts.get("callback_calls") is None else callback_calls(facts["callback_calls"]),
        extra=counters_of(facts),
        **taken(facts),
    )
