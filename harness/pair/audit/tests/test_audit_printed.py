"""An s_client or s_server whose printed lines are rewritten is caught like an agent that lies."""

from __future__ import annotations

import base64
import json
import re
import sys
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.builds.system import build_for
from harness.model.build import Build
from harness.model.errors import DisagreementError, TimedOutError
from harness.model.knobs import ClientConfig, ServerConfig, Verify
from harness.model.tls import Outcome, Role, TLSVersion
from harness.pair.pair import Pair
from harness.runtime.loop import resolved
from harness.stacks.openssl import OpensslStack
from harness.stacks.openssl.client_output import ClientOutput
from harness.stacks.openssl.server_output import STATISTICS, ServerOutput
from harness.tests.liars import printer
from harness.tests.liars.printed import EOF, FATAL

if TYPE_CHECKING:
    from harness.model.connection import Connection
    from harness.runtime.runtime import Runtime
    from harness.stacks.libssl import LibsslStack

V12, V13 = TLSVersion.TLSv1_2, TLSVersion.TLSv1_3
CLIENT = ClientConfig(alpn=("h2",), server_name="server.example", client_certificate="client", max_early_data=100)
SERVER = ServerConfig(alpn=("h2", "http/1.1"), verify=Verify.REQUIRED, max_early_data=100, anti_replay=False)
SESSION_OF_TLS11 = base64.b64encode(bytes.fromhex("305002010102020302")).decode()
"""The beginning of an SSL_SESSION of TLS 1.1: what s_server prints between BEGIN and END."""


@dataclass(frozen=True)
class Lie:
    """Which lines are printed instead of the real ones; ``caught`` is a part of the error that this ends in."""

    caught: str
    find: str
    instead: str | None
    versions: tuple[TLSVersion, ...] = (V12, V13)


KEPT = r"\g<0>"
CIPHER = r"(New|Reused), (.*), Cipher is (.*)"
WAITED = "of openssl@"
"""An end that goes on while the lie is that its handshake failed is waited for in vain."""
PATIENCE = 1
"""Seconds."""
LIES: dict[Role, dict[str, list[Lie]]] = {
    Role.CLIENT: {
        "established": [Lie(WAITED, r"CONNECTED\(.*\)", f"{KEPT}\n{EOF}")],
        "reused": [
            Lie("Disagreement", r"New, (.*)", r"Reused, \1"),
            Lie("Disagreement about connection 2", r"Reused, (.*)", r"New, \1"),
        ],
        "version": [
            Lie("version: the client reports TLSv1.2", CIPHER, r"\1, TLSv1.2, Cipher is \3", (V13,)),
            Lie("version: the client reports TLSv1.1", r"    Protocol  : TLSv1.2", "    Protocol  : TLSv1.1", (V12,)),
        ],
        "cipher": [Lie("cipher: the client", CIPHER, r"\1, \2, Cipher is AES128-SHA")],
        "alpn": [
            Lie("alpn: the client reports http/1.1", r"ALPN protocol: h2", "ALPN protocol: http/1.1"),
            Lie("alpn: the client reports none", r"ALPN protocol: h2", "No ALPN negotiated"),
        ],
        "early_data": [
            Lie(
                "early_data: the client reports accepted", "Early data was not sent", "Early data was accepted", (V13,)
            ),
            Lie(
                "early_data: the client reports rejected", "Early data was accepted", "Early data was rejected", (V13,)
            ),
            Lie(
                "early_data: the client reports not_sent", "Early data was accepted", "Early data was not sent", (V13,)
            ),
        ],
        "peer_certificate": [
            Lie("peer_certificate: the client", "Server certificate", "no peer certificate available"),
        ],
        "data": [Lie("application data was lost", "Stats please", "Stats")],
        "got_data": [Lie("ending: the client reports alert", "Stats please", f"Stats please\n{FATAL}")],
        "errors": [Lie("fatal alert: the client reports", "Stats please", f"Stats please\n{FATAL}")],
        "ending": [Lie("ending: the client reports alert", "DONE", f"{FATAL}\nDONE")],
        "trouble": [Lie(WAITED, r"CONNECTED\(.*\)", f"{KEPT}\nwrite:errno=104")],
        "peer_temp_key": [
            Lie(
                "peer_temp_key: the client", "(Server|Peer) Temp Key: .*", "Server Temp Key: ECDH, secp521r1, 521 bits"
            ),
        ],
        "negotiated": [
            Lie("group: the client", "(Server|Peer) Temp Key: .*", "Negotiated TLS1.3 group: secp521r1", (V13,)),
        ],
        "tickets": [
            Lie("tickets: the client", "Post-Handshake New Session Ticket arrived:", f"{KEPT}\n---\n{KEPT}", (V13,)),
        ],
        "closing": [Lie(WAITED, r"CONNECTED\(.*\)", f"{KEPT}\nclosed")],
        "summary": [Lie(WAITED, CIPHER, f"{EOF}\n{KEPT}")],
    },
    Role.SERVER: {
        "established": [Lie(WAITED, "CIPHER is .*", None)],
        "reused": [
            Lie("Disagreement", "CIPHER is .*", f"{KEPT}\nReused session-id"),
            Lie("Disagreement about connection 2", "Reused session-id", None),
        ],
        "version": [
            Lie(
                "version: the server reports TLSv1.1",
                "-----BEGIN SSL SESSION PARAMETERS-----",
                f"{KEPT}\n{SESSION_OF_TLS11}",
            ),
        ],
        "cipher": [Lie("cipher: the server", "CIPHER is .*", "CIPHER is AES128-SHA")],
        "alpn": [
            Lie(
                "alpn: the server reports http/1.1", "ALPN protocols selected: h2", "ALPN protocols selected: http/1.1"
            ),
            Lie("alpn: the server reports none", "ALPN protocols selected: h2", None),
        ],
        "early_data": [
            Lie("early_data: the server reports", "No early data received", "Early data was rejected", (V13,)),
            Lie("early_data: the server reports rejected", "Early data received:", "Early data was rejected", (V13,)),
        ],
        "early_bytes": [Lie("early_bytes: the server reports", "Early data received:", f"{KEPT}\nmore", (V13,))],
        "peer_certificate": [Lie("peer_certificate: the server", "Client certificate", None)],
        "data": [Lie("application data was lost", "ping", "pong")],
        "got_data": [Lie("ending: the server reports alert", "ping", f"ping\n{FATAL}")],
        "errors": [Lie("fatal alert: the server reports", "ping", f"ping\n{FATAL}")],
        "ending": [Lie("ending: the server reports alert", "CONNECTION CLOSED", f"{FATAL}\n{KEPT}")],
        "trouble": [Lie("fatal alert: the server reports", "CONNECTION CLOSED", f"{FATAL}\nERROR\n{KEPT}")],
        "statistics": [Lie("counter accept", r" *(\d+) server accepts .*", "  99 server accepts (SSL_accept())")],
        "_counters": [
            Lie(f"counter {name}: the server reports 99", rf" *\d+ {re.escape(text.decode())}", f"  99 {text.decode()}")
            for text, name in STATISTICS.items()
            if name not in {"items", "overflows"}
        ],
    },
}
"""Lies by the field of `ClientOutput` or `ServerOutput` that the rewritten lines give."""
NO_LIE = {
    "major": "the harness knows it",
    "datagrams": "the harness knows it",
    "evidence": "the lines of `reused`",
    "begun": "that any line came; a server that prints nothing is waited for in vain",
    "closed": "the line that ends a connection; a server that hides it is waited for in vain",
    "renegotiations": "that the command was read; of a request for a certificate see below",
    "refused_requests": "an end that refuses a step says less",
    "_in_ticket": "a state of the parser",
    "_in_early_data": "a state of the parser",
    "_pem": "the lines of `version`",
    "items": "what a cache holds is not sent",
}
"""Why no rewritten line is needed for the others."""
PROGRAMS = {Role.CLIENT: ClientOutput, Role.SERVER: ServerOutput}


@pytest.mark.parametrize("role", list(Role))
def test_each_fact_that_is_read_of_the_text_has_a_liar_or_a_reason(role: Role) -> None:
    assert {field.name for field in fields(PROGRAMS[role])} - set(NO_LIE) == set(LIES[role])


def build() -> Build:
    """The machine's programs."""
    found = build_for("openssl")
    assert isinstance(found, Build)
    return found


def lying(runtime: Runtime, *lies: tuple[str, str | None]) -> OpensslStack:
    """The machine's s_client and s_server behind a program that rewrites what they print."""
    honest = build()
    words = (sys.executable, "-IS", str(Path(printer.__file__)), json.dumps(lies), *(honest.openssl or ()))
    return OpensslStack(replace(honest, openssl=words), runtime)


def ends(liar: Any, role: Role, runtime: Runtime) -> tuple[Any, Any]:
    """The liar in this role, and an honest peer."""
    honest = OpensslStack(build(), runtime)
    return (liar, honest) if role is Role.CLIENT else (honest, liar)


def resumed(stacks: tuple[Any, Any], tls: TLSVersion, runtime: Runtime) -> tuple[Connection, Connection]:
    """Two connections of which the second offers the session of the first; both outcomes were read."""
    pair = Pair(stacks, tls, runtime, client=CLIENT, server=SERVER)
    try:
        first = pair.connect()
        second = pair.connect(first.session)
        assert (first.outcome, second.outcome) == (Outcome.FULL, Outcome.RESUMED)
        return first, second
    finally:
        pair.close()


EVERY_LIE = [
    pytest.param(role, tls, lie, id=f"{role}-{field}-{number}-{tls.value}")
    for role, of in LIES.items()
    for field, lies in of.items()
    for number, lie in enumerate(lies)
    for tls in lie.versions
]


@pytest.mark.parametrize(("role", "tls", "lie"), EVERY_LIE)
def test_a_program_that_prints_a_lie_is_caught(
    monkeypatch: pytest.MonkeyPatch, runtime: Runtime, role: Role, tls: TLSVersion, lie: Lie
) -> None:
    error = TimedOutError if lie.caught is WAITED else DisagreementError
    if error is TimedOutError:
        monkeypatch.setattr(runtime.loop, "deadline", PATIENCE)
    with pytest.raises(error) as raised:
        resumed(ends(lying(runtime, (lie.find, lie.instead)), role, runtime), tls, runtime)

    assert lie.caught in str(raised.value)


@pytest.mark.parametrize("tls", [V12, V13])
@pytest.mark.parametrize("role", list(Role))
def test_a_program_whose_lines_are_passed_on_unchanged_is_believed(
    runtime: Runtime, role: Role, tls: TLSVersion
) -> None:
    first, second = resumed(ends(lying(runtime, ("no such line", None)), role, runtime), tls, runtime)

    assert (first.contradictions, second.contradictions) == ((), ())


class SaysDone:
    """A stack, an endpoint or a link that says of a step that it carried it out, and does not."""

    def __init__(self, real: Any, step: str) -> None:
        self._real, self._step = real, step

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def client(self, config: Any) -> SaysDone:
        """A client of such links."""
        return SaysDone(self._real.client(config), self._step)

    def server(self, config: Any) -> SaysDone:
        """A server of such links."""
        return SaysDone(self._real.server(config), self._step)

    def connect(self, *arguments: Any) -> SaysDone:
        """Such a link."""
        return SaysDone(self._real.connect(*arguments), self._step)

    def accept(self) -> SaysDone:
        """Such a link."""
        return SaysDone(self._real.accept(), self._step)

    def ask(self, verb: str, **fields: Any) -> Any:
        """The step alone is a lie."""
        return resolved(value=True) if verb == self._step else self._real.ask(verb, **fields)


CLIENT_RENEGOTIATES = "renegotiations: the client reports 1; the wire shows 0 ClientHello"
SERVER_RENEGOTIATES = "renegotiations: the server reports 1; the wire shows 0 HelloRequest"
SERVER_ASKS = "requests for a certificate: the server reports 1; the wire shows 0"


@pytest.mark.parametrize(
    ("kind", "role", "step", "tls", "caught"),
    [
        ("libssl", Role.CLIENT, "renegotiate", V12, CLIENT_RENEGOTIATES),
        ("libssl", Role.SERVER, "renegotiate", V12, SERVER_RENEGOTIATES),
        ("libssl", Role.SERVER, "authenticate", V13, SERVER_ASKS),
        ("openssl", Role.SERVER, "authenticate", V13, SERVER_ASKS),
    ],
)
def test_an_end_that_only_says_that_it_made_a_step_is_caught(
    runtime: Runtime, honest: LibsslStack, kind: str, role: Role, step: str, tls: TLSVersion, caught: str
) -> None:
    real: Any = honest if kind == "libssl" else OpensslStack(build(), runtime)
    liar = SaysDone(real, step)
    stacks: Any = (liar, real) if role is Role.CLIENT else (real, liar)
    client = ClientConfig(client_certificate="client", post_handshake_auth=tls is V13 or None)
    server = ServerConfig(client_renegotiation=True, verify=Verify.LATER if tls is V13 else None)
    pair = Pair(stacks, tls, runtime, client=client, server=server)
    try:
        live = pair.open()
        live.exchange()
        assert live.renegotiate(role) if step == "renegotiate" else live.authenticate()
        connection = live.close()
    finally:
        pair.close()

    with pytest.raises(DisagreementError, match=caught):
        connection.outcome  # noqa: B018  reading it is what raises
