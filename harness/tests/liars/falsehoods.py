"""Every report and every session with one field falsified, of connections that real ends made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.model.session import SESSION_FIELDS
from harness.model.tls import Alert, Ending, Role, TLSVersion
from harness.model.view import CallbackCall, Saw
from harness.pair.audit import audit
from harness.pair.audit.remembered import remembered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.model.connection import Connection
    from harness.model.session import Session
    from harness.model.view import EndpointReport

FATAL = 2
NO_CERTIFICATE = "00" * 32
"""The digest of no certificate."""
VALUES: dict[str, tuple[object, ...]] = {
    "version": tuple(TLSVersion),
    "cipher": ("AES128-SHA", "TLS_AES_128_CCM_SHA256", "TLS_AES_128_GCM_SHA256", "ECDHE-RSA-AES256-GCM-SHA384", ""),
    "alpn": (None, "h2", "http/1.1"),
    "external_psk": (b"", b"alice", b"Client_identity"),
    "server_name": ("", "other.example", "server.example"),
    "peer_certificate": (True, False),
    "early_data": ("accepted", "rejected", "not_sent"),
    "early_bytes": (b"", b"x", b"hello\n", b"hello\nhello\n"),
    "new_sessions": (0, 1, 2, 3, 99),
    "group": ("", "secp521r1", "x25519", "secp256r1", "ffdhe2048"),
    "peer_temp_key": (
        "",
        "X25519, 253 bits",
        "ECDH, prime256v1, 256 bits",
        "ECDH, secp521r1, 521 bits",
        "DH, 2048 bits",
        "DH, 1024 bits",
        "RSA, 512 bits",
    ),
    "peer_chain": ((), (NO_CERTIFICATE,)),
    "ocsp_response": (b"", b"0\3\n\1\4"),
    "exporter": ("", NO_CERTIFICATE),
    "ending": tuple(Ending),
    "reused_at_end": (True, False),
}
"""What a field of a report is falsified to, where it is known and is not this already."""
CALLS = ("get", "wait", "new", "encrypt", "decrypt", "choose", "ticket", "psk")
OF_SESSIONS: dict[str, tuple[object, ...]] = {
    "version": tuple(TLSVersion),
    "protocol": ("TLSv1", "TLSv1.2", "TLSv1.3", "DTLSv1.2"),
    "compression": (1,),
    "cipher": (0x002F, 0x1301, 0x1302, 0xC02F),
    "session_id": (b"", b"\1" * 32, b"\1" * 16),
    "ticket": (b"", b"\1" * 192, b"\1" * 32),
    "ticket_length": (0, 7, 32),
    "has_ticket": (True, False),
    "lifetime_hint": (0, 77, 300, 7200, 100000),
    "age_add": (0, 77),
    "max_early_data": (0, 77, 1000),
    "alpn": (b"", b"h2", b"http/1.1"),
    "server_name": ("", "other.example", "server.example"),
    "extended_master_secret": (True, False),
    "flags": (0, 1),
    "master_key_length": (0, 32, 48, 77),
    "kex_group": (0, 23, 29, 77),
    "srp_username": (b"", b"alice"),
    "psk_identity": (b"", b"alice", b"Client_identity"),
    "psk_identity_hint": (b"", b"which?"),
    "max_fragment_length_mode": (0, 1, 2, 3),
    "peer_certificate": (b"", b"\x30\0"),
    "peer_rpk": (b"", b"\x30\0"),
}
"""The same of a field of a session; the others are the client's own (see test_audit.py)."""


@dataclass(frozen=True)
class Falsehood:
    """One field that is falsified."""

    field: str
    """``client ending``, ``session alpn``."""
    claimed: object
    connection: Connection


def falsehoods(connection: Connection) -> Iterator[Falsehood]:
    """Each report of the connection, and each of its sessions, with one field falsified."""
    for role in Role:
        report = connection.client if role is Role.CLIENT else connection.server
        for field, claimed, false in _reports(report):
            lie: dict[str, Any] = {role.value: false}
            yield Falsehood(f"{role} {field}", claimed, replace(connection, **lie))
    places: dict[str, Session | None] = {"last_session": connection.last_session}
    places |= {place: next(iter(getattr(connection, place)), None) for place in ("sessions", "held_sessions")}
    for place, session in places.items():
        for field in SESSION_FIELDS if session else ():
            for value in OF_SESSIONS.get(field, ()):
                if session is None or field not in session.known or session.known[field] == value:
                    continue
                falsified = replace(session, known={**session.known, field: value})
                changed: dict[str, Any] = {place: falsified if place == "last_session" else (falsified,)}
                yield Falsehood(f"session {field}", value, replace(connection, **changed))


def _reports(report: EndpointReport) -> Iterator[tuple[str, object, EndpointReport]]:
    for field, values in VALUES.items():
        known = getattr(report, field)
        if known is None and (field != "alpn" or report.version is None):
            continue
        silent = field == "alpn" and report.version is None  # None then says nothing, and not that there is none
        for value in values[1:] if silent else values:
            if value != known and {value, known} != {None, ""}:
                changed: dict[str, Any] = {field: value}
                yield field, value, replace(report, **changed)
    yield from _of_view(report)
    yield from _of_alerts(report)
    if report.peer_chain:
        for chain in ((*report.peer_chain, NO_CERTIFICATE), report.peer_chain[1:]):
            yield "peer_chain", chain, replace(report, peer_chain=chain)
    for call in CALLS if report.callback_calls is not None else ():
        invented = (*(report.callback_calls or ()), CallbackCall(call, b"\0" * 16, "ok"))
        yield "callback_calls", call, replace(report, callback_calls=invented)
    if report.callback_calls:
        yield "callback_calls", "none", replace(report, callback_calls=())
    yield "errors", "an alert", replace(report, errors=("lib=20 reason=1086 inappropriate fallback",))


def _of_view(report: EndpointReport) -> Iterator[tuple[str, object, EndpointReport]]:
    for saw in (Saw.FULL, Saw.RESUMED, Saw.ABORTED):
        if saw is not report.view.saw:
            yield "saw", saw, replace(report, view=replace(report.view, saw=saw))
    count = report.view.tickets
    for number in () if count is None else {0, count + 1, max(0, count - 1), 7} - {count}:
        yield "tickets", number, replace(report, view=replace(report.view, tickets=number))
    for sender in (*Role, None):
        alert = Alert(86, sender, FATAL)
        yield "alert", alert, replace(report, view=replace(report.view, alert=alert))


def _of_alerts(report: EndpointReport) -> Iterator[tuple[str, object, EndpointReport]]:
    alerts = report.alerts
    if alerts is None:
        return
    for sender in Role:
        for alert in (Alert(86, sender, FATAL), Alert(90, sender, 1)):
            yield "alerts", (alert, "last"), replace(report, alerts=(*alerts, alert))
            yield "alerts", (alert, "first"), replace(report, alerts=(alert, *alerts))
    for place in range(len(alerts)):
        yield "alerts", (alerts[place], "left out"), replace(report, alerts=(*alerts[:place], *alerts[place + 1 :]))


def uncaught(connection: Connection, earlier: Sequence[Connection]) -> list[tuple[str, str]]:
    """The fields of a connection that can be falsified without a disagreement, each with what it then says."""
    found = []
    for lie in falsehoods(connection):
        lie.connection.contradictions = (*audit(lie.connection), *remembered(lie.connection, earlier))
        if not lie.connection.disagreement:
            found.append((lie.field, str(lie.claimed)))
    return found
