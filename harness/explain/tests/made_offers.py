"""A first connection and one that offers its session, made by hand: every piece of evidence can be set, or left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.session import Session
from harness.model.setup import Setup
from harness.model.tls import Role, TLSVersion
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
from harness.model.view import Saw, View, Witness
from harness.tests.made.connections import connection, report

if TYPE_CHECKING:
    from typing import Any

    from harness.model.connection import Connection, Counters
    from harness.model.setup import Action
    from harness.model.tls import Alert

V12, V13 = TLSVersion.TLSv1_2, TLSVersion.TLSv1_3
KEY, OTHER_KEY = b"name of key one!", b"name of key two!"
"""The 16 bytes that a ticket begins with."""
TICKET, OTHER_TICKET = KEY + b"\xaa" * 192, OTHER_KEY + b"\xbb" * 192
HANDLE, OTHER_HANDLE = b"\xcc" * 32, b"\xdd" * 32
"""Tickets of a server that keeps its TLS 1.3 sessions."""
SHA384, SHA256 = 0x1302, 0x1301
MADE_AT = 1_795_294_686


def session(ticket: bytes = TICKET, **changes: Any) -> Session:
    """A TLS 1.3 session with this ticket."""
    known = {"version": V13, "cipher": SHA384, "time": MADE_AT, "timeout": 7200, "ticket": ticket, "has_ticket": True}
    return Session({**known, **changes})


def hellos(
    identity: bytes = b"", cipher: int = SHA384, version: TLSVersion = V13, modes: tuple[int, ...] = (1,)
) -> tuple[ClientHello, ServerHello]:
    """Both hellos; ``identity`` is offered by pre_shared_key, or by session_ticket before TLS 1.3."""
    shared = {EXTENDED_MASTER_SECRET: b""}
    offers = {PRE_SHARED_KEY: identity} if version is V13 else {SESSION_TICKET: identity}
    client = ClientHello(
        0x0303,
        b"",
        b"\x01" * 32,
        (cipher,),
        {**shared, **(offers if identity else {})},
        psk_identities=(identity,) if identity and version is V13 else (),
        psk_modes=modes,
        psk_binders=(b"\x02" * 48,) if identity and version is V13 else (),
    )
    return client, ServerHello(0x0303, b"", b"\x01" * 32, cipher, {} if version is V13 else shared, version)


def transcript(sent: tuple[ClientHello, ServerHello], *tickets: bytes, **changes: Any) -> Transcript:
    """The messages of a handshake with these hellos, in which the server issued these tickets."""
    issued = tuple(NewSessionTicket(7200, ticket) for ticket in tickets)
    return replace(Transcript(client_hellos=sent[:1], server_hellos=sent[1:], tickets=issued), **changes)


def circumstances(server: int = 1, *before: Action, **knobs: Any) -> Setup:
    """The server's number and its knobs; what was done before."""
    return Setup(ClientConfig(), ServerConfig(**knobs), 1, server, before)


def first(*tickets: bytes, setup: Setup | None = None, counters: Counters | None = None) -> Connection:
    """A full handshake in which the server issued these tickets."""
    seen = transcript(hellos(), *(tickets or (TICKET,)))
    held = session((tickets or (TICKET,))[-1])
    return connection(
        Saw.FULL,
        number=1,
        offered=None,
        was_offered=False,
        sessions=(held,),
        last_session=held,
        transcript=seen,
        setup=setup,
        counters=counters,
    )


def declined(
    offered: Session | None = None,
    seen: Transcript | None = None,
    setup: Setup | None = None,
    counters: Counters | None = None,
    *,
    number: int = 2,
) -> Connection:
    """A connection that offered a session and was full; ``seen`` replaces tickets of the same key."""
    held = offered or session()
    ticket = held.get("ticket")
    read = seen or transcript(hellos(ticket if isinstance(ticket, bytes) else b""), KEY + b"\xee" * 192)
    renewed = session(KEY + b"\xee" * 192, time=MADE_AT + 1)
    return connection(
        Saw.FULL,
        number=number,
        offered=held,
        last_session=renewed,
        sessions=(renewed,),
        transcript=read,
        setup=setup,
        counters=counters,
    )


def aborted(
    alert: Alert | None,
    *messages: str,
    offered: Session | None = None,
    setup: Setup | None = None,
    errors: tuple[str, ...] = (),
) -> Connection:
    """A connection that offered a session and ended in an alert after these messages; the server gave these errors."""
    sent = hellos(TICKET)
    shown = [Message(Role.CLIENT if kind == "ClientHello" else Role.SERVER, kind, 100, 0.0) for kind in messages]
    shown += [Message(alert.sender, "Alert", 2, 0.0)] if alert and alert.sender else []
    seen = replace(transcript(sent), messages=tuple(shown))
    server = replace(report(Witness.SERVER, Saw.ABORTED, "libssl@3.0.19"), errors=errors)
    return connection(
        Saw.ABORTED,
        offered=offered or session(),
        wire=View(Witness.WIRE, Saw.ABORTED, ("aborted",), alert=alert),
        server=server,
        last_session=None,
        sessions=(),
        transcript=seen,
        setup=setup,
    )
