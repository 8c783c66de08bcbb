"""Pairs of connections made by hand, message by message, for tests of what is derived from them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.model.connection import Connection
from harness.model.session import Session
from harness.model.tls import Alert, Close, Mechanism, Role, TLSVersion
from harness.model.transcript import (
    EXTENDED_MASTER_SECRET,
    PRE_SHARED_KEY,
    SESSION_TICKET,
    ClientHello,
    Message,
    NewSessionTicket,
    ServerHello,
    Transcript,
)
from harness.model.view import EndpointReport, Saw, View, Witness
from harness.wire.summary import alert_fields, client_hello_fields, server_hello_fields, ticket_fields

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CLIENT, SERVER = Role.CLIENT, Role.SERVER
TLS13, TLS12 = TLSVersion.TLSv1_3, TLSVersion.TLSv1_2
VERSIONS, MODES, SHARE, GROUPS = 43, 45, 51, 10
KEY, OTHER_KEY = bytes.fromhex("9e3de50fdfde1ea355f824068e6387b2"), bytes.fromhex("be136e83d5281d9db722532a947154a1")
"""Names of ticket keys, with which a ticket begins."""

CLOSED = (
    (CLIENT, "ApplicationData", 5),
    (SERVER, "ApplicationData", 13),
    (CLIENT, Alert(0, CLIENT, 1)),
    (SERVER, Alert(0, SERVER, 1)),
)
"""The exchange, and both close_notify."""

Part = ClientHello | ServerHello | NewSessionTicket | Alert | str


def ticket(key: bytes, number: int, length: int = 208) -> bytes:
    """A ticket that only its end distinguishes from another one of the same key."""
    return key + bytes([number]) * (length - len(key))


def hello13(random: int, psk: bytes = b"", *, age: int = 0, **changes: Any) -> ClientHello:
    """A ClientHello of TLS 1.3; ``psk`` is the ticket that it offers, ``age`` the obfuscated one."""
    extensions = dict.fromkeys((GROUPS, SESSION_TICKET, EXTENDED_MASTER_SECRET, VERSIONS, MODES, SHARE), b"")
    made = ClientHello(
        0x0303,
        bytes(32),
        bytes([random]) * 32,
        (0x1302, 0x1303, 0x1301),
        extensions | ({PRE_SHARED_KEY: b""} if psk else {}),
        supported_versions=(0x0304,),
        psk_modes=(1,),
        key_share_groups=(29,),
        length=487 if psk else 216,
    )
    if psk:
        made = replace(made, psk_identities=(psk,), psk_ages=(age,), psk_binders=(bytes(48),))
    return replace(made, **changes)


def answer13(random: int, *, selected: int | None = None) -> ServerHello:
    """The ServerHello that echoes the id of ``hello13(random)``."""
    extensions = {VERSIONS: b"\3\4", SHARE: b"\0\x1d"} | ({} if selected is None else {PRE_SHARED_KEY: b"\0\0"})
    return ServerHello(
        0x0303, bytes(32), bytes([random]) * 32, 0x1302, extensions, TLS13, selected_psk=selected, length=118
    )


def hello12(session_id: bytes = b"", ticket: bytes = b"", *, ems: bool = True) -> ClientHello:
    """A ClientHello of TLS 1.2 that offers what it is given."""
    extensions = {GROUPS: b"", SESSION_TICKET: ticket} | ({EXTENDED_MASTER_SECRET: b""} if ems else {})
    return ClientHello(0x0303, bytes(32), session_id, (0xC02C,), extensions, length=179 + len(session_id + ticket))


def answer12(session_id: bytes = b"", *, ticket: bool = False, ems: bool = True) -> ServerHello:
    """A ServerHello of TLS 1.2; with ``ticket`` it announces one."""
    extensions = ({SESSION_TICKET: b""} if ticket else {}) | ({EXTENDED_MASTER_SECRET: b""} if ems else {})
    return ServerHello(0x0303, bytes(32), session_id, 0xC02C, extensions, TLS12, length=61 + len(session_id))


def transcript(*sent: Sequence[Any], tls: TLSVersion = TLS13, decrypted: bool = True, problem: str = "") -> Transcript:
    """Messages of (sender, what) or (sender, type, length), a millisecond and a half after each other.

    What comes after the sender's hello, in TLS 1.2 after its ChangeCipherSpec, is encrypted.
    """
    messages = []
    sealed: set[Role] = set()
    for place, (sender, what, *length) in enumerate(sent):
        kind, fields, size = _reported(what, tls)
        shown = kind in {"ClientHello", "ServerHello", "ChangeCipherSpec"}
        at = 0.0005 + place * 0.0015
        message = Message(sender, kind, length[0] if length else size, at, sender in sealed and not shown, fields)
        messages.append(message)
        if kind == "ChangeCipherSpec" or (tls is TLS13 and kind == "ServerHello"):
            sealed.add(sender)
    parts = [what for _, what, *_ in sent]
    return Transcript(
        tuple(messages),
        tuple(part for part in parts if isinstance(part, ClientHello)),
        tuple(part for part in parts if isinstance(part, ServerHello)),
        tuple(part for part in parts if isinstance(part, NewSessionTicket)) if decrypted else None,
        tuple(part for part in parts if isinstance(part, Alert)),
        decrypted=decrypted,
        problem=problem,
    )


def _reported(what: Part, tls: TLSVersion) -> tuple[str, Mapping[str, str], int]:
    """Type, fields and length, as the wire's reader reports them."""
    if isinstance(what, ClientHello):
        return "ClientHello", client_hello_fields(what), what.length
    if isinstance(what, ServerHello):
        return "ServerHello", server_hello_fields(what), what.length
    if isinstance(what, NewSessionTicket):
        return "NewSessionTicket", ticket_fields(what, tls13=tls is TLS13), len(what.ticket) + 21
    if isinstance(what, Alert):
        return "Alert", alert_fields(what), 2
    return what, {}, 1


def session(tls: TLSVersion = TLS13, **fields: object) -> Session:
    """A session of which all is known but whether it is resumable."""
    tls13 = tls is TLS13
    known = {
        "protocol": tls.label,
        "version": tls,
        "cipher": 0x1302 if tls13 else 0xC02C,
        "session_id": bytes(range(32)),
        "session_id_context": b"",
        "master_key_length": 48,
        "time": 1_795_304_584,
        "timeout": 7200,
        "peer_certificate": b"certificate",
        "verify_result": 21,
        "server_name": "",
        "has_ticket": bool(fields.get("ticket")),
        "ticket": b"",
        "ticket_length": len(fields.get("ticket", b"")),  # type: ignore[arg-type] # bytes, as the caller says
        "lifetime_hint": 7200,
        "age_add": 0,
        "max_early_data": 0,
        "alpn": b"",
        "max_fragment_length_mode": 0,
        "flags": 0 if tls13 else 1,
        "extended_master_secret": not tls13,
        "compression": 0,
        "psk_identity_hint": b"",
        "psk_identity": b"",
        "srp_username": b"",
        "peer_rpk": b"",
        "key_arg": b"",
        "unknown_fields": "",
        "ticket_appdata": b"",
        "kex_group": 29,
    }
    return Session({**known, **fields}, taken_by="openssl@3.0.19", taken_from="libssl@4.0.3")


EVIDENCE = {
    Saw.FULL: ("New, what s_client prints", "SSL_session_reused() == 0", "what the messages show"),
    Saw.RESUMED: ("Reused, what s_client prints", "SSL_session_reused() == 1", "what the messages show"),
    Saw.ABORTED: ("the handshake failed", "SSL_accept() == -1", "what the messages show"),
}


def made(
    number: int,
    saw: Saw,
    messages: Transcript,
    *,
    offered: Session | None,
    last_session: Session | None,
    **changes: Any,
) -> Connection:
    """A connection that all three witnesses saw alike, unless ``changes`` say otherwise."""
    client, server, wire = EVIDENCE[saw]
    folder = f"/tmp/resumption-abc/{number}"  # noqa: S108 - a text
    s_client = f"openssl s_client -tls1_3 -connect 127.0.0.1:4433 -keylogfile {folder}.keys -sess_out {folder}.sess"
    alert = next(iter(messages.alerts), None) if saw is Saw.ABORTED else None
    connection = Connection(
        number=number,
        tls=TLS13,
        client=EndpointReport(
            View(Witness.CLIENT, saw, (client,), "openssl@3.0.19", alert),
            commands=(s_client,),
            output="CONNECTED(00000003)",
        ),
        server=EndpointReport(
            View(Witness.SERVER, saw, (server,), "libssl@4.0.3", alert),
            commands=("python -P -m harness.agent libssl --libssl /usr/lib/libssl.so.4",),
        ),
        wire=View(Witness.WIRE, saw, (wire,), alert=alert),
        offered=offered,
        was_offered=offered is not None,
        transcript=messages,
        sessions=(last_session,) if last_session else (),
        last_session=last_session,
        close=Close.BOTH,
        observed_mechanism=Mechanism.PSK if saw is Saw.RESUMED else None,
    )
    return replace(connection, **changes)
