"""The facts of an agent as an EndpointReport: what an end saw, and the evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.model.connection import Counters
from harness.model.tls import Alert, TLSVersion, sends_last_flight
from harness.model.view import EndpointReport, Saw, View, Witness

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.model.tls import Ending, Role

LIB_SSL = 20
"""ERR_LIB_SSL."""
ALERT_REASONS = range(1000, 1256)
"""SSL_AD_REASON_OFFSET and the alert's number: the reason code of an alert that was received."""
FATAL = 2


@dataclass
class Trail:
    """What the replies on one connection reported before its release."""

    refusals: list[str] = field(default_factory=list)
    """The verbs that failed, with what the library said."""
    queue: list[Mapping[str, Any]] = field(default_factory=list)
    """The error queue of a connection that was not even begun, as when its session cannot be read."""
    handshake_failed: bool = False
    got_data: bool = False
    cut: Ending | None = None
    """How the input ended before the application data that was awaited."""
    ending: Ending | None = None
    output: str = ""


def alerts_of(facts: Mapping[str, Any], role: Role) -> list[Alert]:
    """The alerts in order; those received are found in the error queues where the library reports no others."""
    if facts["alerts"]:
        return [Alert(a["number"], role if a["sent"] else role.peer, a["level"]) for a in facts["alerts"]]
    return [
        Alert(entry["reason"] - ALERT_REASONS.start, role.peer)
        for entry in facts["errors"]
        if entry["lib"] == LIB_SSL and entry["reason"] in ALERT_REASONS
    ]


def judge(facts: Mapping[str, Any], trail: Trail, fatal: Alert | None, role: Role) -> tuple[Saw, list[str]]:
    """What this end saw of the handshake, and what that rests on."""
    evidence = [facts["evidence"]] if facts["evidence"] else []
    if not facts["finished"]:
        if trail.handshake_failed or trail.refusals:
            return Saw.ABORTED, [*trail.refusals, *([str(fatal)] if fatal else []), *evidence]
        return Saw.UNKNOWN, ["no handshake was completed", *evidence]
    version = None if facts["version"] is None else TLSVersion(facts["version"])
    last = sends_last_flight(role, version, reused=facts["reused"])
    if fatal is not None and not trail.got_data:
        return Saw.ABORTED, [f"{fatal}, before any application data", *evidence]
    if trail.cut is not None and not trail.got_data and last:
        return Saw.UNKNOWN, [f"the input ended ({trail.cut}) before any application data", *evidence]
    if facts["reused"] is None:
        return Saw.UNKNOWN, evidence or ["the library does not tell whether it resumed"]
    return Saw.RESUMED if facts["reused"] else Saw.FULL, evidence


def counters_of(facts: Mapping[str, Any]) -> dict[str, Counters]:
    """The counters of a server's context after the connection; nothing where the library reports none."""
    counters = facts.get("counters")
    return {"counters": Counters(**counters)} if counters is not None else {}


def make_report(
    role: Role, name: str, facts: Mapping[str, Any], trail: Trail, commands: Sequence[str]
) -> EndpointReport:
    """The report of one end; KeyError, TypeError or ValueError for malformed facts."""
    alerts = alerts_of(facts, role)
    fatal = next((alert for alert in alerts if alert.level == FATAL and alert.number), None)
    saw, evidence = judge(facts, trail, fatal, role)
    return EndpointReport(
        view=View(Witness(role.value), saw, tuple(evidence), name, fatal, facts["tickets"]),
        version=None if facts["version"] is None else TLSVersion(facts["version"]),
        cipher=facts["cipher"],
        alpn=facts["alpn"],
        server_name=facts["server_name"],
        peer_certificate=facts["peer_certificate"],
        early_data=facts["early_data"],
        early_bytes=None if facts.get("early_bytes") is None else bytes.fromhex(facts["early_bytes"]),
        new_sessions=facts.get("new_sessions"),
        ending=trail.ending or trail.cut,
        errors=(
            *(f"lib={e['lib']} reason={e['reason']} {e['text']}" for e in (*trail.queue, *facts["errors"])),
            *trail.refusals,
        ),
        keylog=tuple(facts["keylog"]),
        output=trail.output,
        commands=tuple(commands),
        alerts=None if facts["alerts"] is None else tuple(alerts),
        reused_at_end=facts.get("reused_at_end"),
        extra=counters_of(facts),
    )
