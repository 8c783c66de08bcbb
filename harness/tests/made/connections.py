"""Connections made by hand, for tests of what is derived from them; no peer is involved."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.model.connection import Connection
from harness.model.session import Session
from harness.model.tls import Alert, Close, Mechanism, Role, TLSVersion
from harness.model.transcript import Message, NewSessionTicket, Transcript
from harness.model.view import EndpointReport, Saw, View, Witness

if TYPE_CHECKING:
    from typing import Any

SESSION = Session(
    {
        "version": TLSVersion.TLSv1_3,
        "cipher": 0x1302,
        "session_id": bytes(range(32)),
        "time": 1_795_294_686,
        "timeout": 7200,
        "peer_certificate": b"",
        "verify_result": 21,
        "server_name": "server.example",
        "has_ticket": True,
        "ticket": b"\xab" * 208,
        "ticket_length": 208,
        "alpn": b"h2",
        "kex_group": 29,
    },
    taken_by="openssl@3.0.19",
    taken_from="pyopenssl@4.0.3",
)

MESSAGES = (
    Message(Role.CLIENT, "ClientHello", 487, 0.0001, fields={"session_id": "empty", "server_name": "server.example"}),
    Message(Role.SERVER, "ServerHello", 124, 0.0012, fields={"pre_shared_key": "selected identity 0"}),
    Message(Role.SERVER, "NewSessionTicket", 229, 0.0105, encrypted=True, fields={"lifetime": "7200 s"}),
)


def report(witness: Witness, saw: Saw, name: str, *evidence: str, tickets: int | None = None) -> EndpointReport:
    """What one end reported; the client was run by a command."""
    commands = ("openssl s_client -connect 127.0.0.1:4433",) if witness is Witness.CLIENT else ()
    return EndpointReport(View(witness, saw, evidence, name, tickets=tickets), commands=commands)


def connection(saw: Saw = Saw.RESUMED, **changes: Any) -> Connection:
    """The second connection of a pair: all three witnesses saw the same unless ``changes`` say otherwise."""
    made = Connection(
        number=2,
        tls=TLSVersion.TLSv1_3,
        client=report(Witness.CLIENT, saw, "openssl@3.0.19", "Reused, TLSv1.3", tickets=1),
        server=report(Witness.SERVER, saw, "pyopenssl@4.0.3", "SSL_session_reused() == 1"),
        wire=View(Witness.WIRE, saw, ("pre_shared_key in ServerHello",)),
        offered=SESSION,
        was_offered=True,
        transcript=Transcript(MESSAGES, tickets=(NewSessionTicket(7200, b"t"),), decrypted=True),
        sessions=(SESSION,),
        last_session=SESSION,
        close=Close.BOTH,
        observed_mechanism=Mechanism.PSK,
    )
    return replace(made, **changes)


def disagreeing() -> Connection:
    """The server says that it was a full handshake, the others that it was resumed."""
    server = report(Witness.SERVER, Saw.FULL, "pyopenssl@4.0.3", "SSL_session_reused() == 0", "0 hits")
    return connection(server=server)


def aborted() -> Connection:
    """The server sent a fatal alert, and there is no session."""
    alert = Alert(80, Role.SERVER)
    seen = View(Witness.WIRE, Saw.ABORTED, ("Alert internal_error (80) sent by the server",), alert=alert)
    nothing = Transcript(problem="the server's bytes end within a record")
    return connection(Saw.ABORTED, wire=seen, sessions=(), last_session=None, transcript=nothing)
