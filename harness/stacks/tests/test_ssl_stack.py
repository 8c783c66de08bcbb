"""The ssl stack: what it says it can do is done, and what it lacks is refused with the reason."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from harness.agent.knobs import SSL_HAS_PSK
from harness.builds.system import build_for
from harness.model.build import Build
from harness.model.capability import Capability
from harness.model.errors import UnsupportedError
from harness.model.knobs import ClientConfig, PskMode, ServerConfig, Verify
from harness.model.session import Session
from harness.model.tls import USUAL_VERSIONS, Role, TLSVersion
from harness.runtime.clock import library
from harness.runtime.runtime import Runtime
from harness.stacks.ssl_ import SslStack
from harness.stacks.tests.meet import first_hello, meet

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_CLOCK = library() is None
VERSIONS = pytest.mark.parametrize("version", USUAL_VERSIONS)
SAMPLES: dict[str, Any] = {
    "versions": (TLSVersion.TLSv1_2, TLSVersion.TLSv1_3),
    "tickets": False,
    "middlebox_compat": False,
    "extended_master_secret": False,
    "ciphers": "ECDHE+AESGCM",
    "groups": "X25519",
    "psk_modes": PskMode.BOTH,
    "alpn": ("h2",),
    "verify": Verify.NONE,
    **({} if NO_CLOCK else {"clock": 0}),
    "server_name": "server.example",
    "client_certificate": "client",
    "server_certificate": "server",
    "num_tickets": 3,
    "client_renegotiation": True,
    "session_id_context": b"Python",
}
OF_A_CLIENT = {"server_name", "client_certificate"}
OF_A_SERVER = {"num_tickets", "client_renegotiation", "session_id_context", "server_certificate"}


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


@pytest.fixture(scope="module")
def stack(runtime: Runtime) -> Iterator[SslStack]:
    build = build_for("ssl")
    assert isinstance(build, Build)
    stack = SslStack(build, runtime)
    yield stack
    stack.close()


def test_a_session_of_another_client_is_refused_with_pythons_reason(runtime: Runtime, stack: SslStack) -> None:
    server = stack.server(ServerConfig())
    session = meet(runtime, stack.client(ClientConfig()), server).session
    opened = stack.client(ClientConfig(alpn=("h2",))).connect(server.port, session).opened
    runtime.loop.settle([opened])

    with pytest.raises(UnsupportedError, match="Session refers to a different SSLContext"):
        opened.result()


def test_a_session_from_elsewhere_is_refused(stack: SslStack) -> None:
    client = stack.client(ClientConfig())

    with pytest.raises(UnsupportedError, match="only sessions that it took itself"):
        client.connect(1, Session({}, b"0"))


def test_a_session_can_be_taken_before_its_ticket(runtime: Runtime, stack: SslStack) -> None:
    server, client = stack.server(ServerConfig()), stack.client(ClientConfig(versions=(TLSVersion.TLSv1_3,)))
    at_server, at_client = server.accept(), client.connect(server.port)
    steps = [at_client.handshake(), at_server.handshake()]
    session = at_client.ask("session")
    runtime.loop.settle([*steps, session, at_client.release(), at_server.release()])
    taken = session.result()

    assert taken is not None
    assert taken.has_ticket is False


@pytest.mark.parametrize(("compat", "length"), [(None, 32), (True, 32), (False, 0)])
def test_middlebox_compat_decides_on_the_session_id(
    runtime: Runtime, stack: SslStack, length: int, *, compat: bool | None
) -> None:
    assert len(first_hello(runtime, stack.client(ClientConfig(middlebox_compat=compat))).session_id) == length


@pytest.mark.parametrize("role", list(Role))
def test_its_capabilities(stack: SslStack, role: Role) -> None:
    assert stack.abilities(role).capabilities == {
        Capability.AUTHENTICATE if role is Role.SERVER else Capability.THREADS,
        Capability.SESSION_FIELDS,
        Capability.SESSION_COPY,
        Capability.SESSION_BEFORE_TICKET,
        Capability.COUNTERS,
        Capability.RUNNING_COUNTERS,
        Capability.CONCURRENT,
        Capability.CLOSE_CLIENT_ONLY,
        Capability.CLOSE_SERVER_ONLY,
        Capability.SESSION_IN_MEMORY,
        Capability.PEER_CHAIN,
        Capability.SESSION_ID,
        Capability.KEY_LOG,
        Capability.OPENSSL_CHOICES,
        *({Capability.CHOOSE_CONTEXT} if role is Role.SERVER else ()),
        *({Capability.PSK_IDENTITIES} if sys.version_info >= SSL_HAS_PSK else ()),
        *(() if NO_CLOCK else {Capability.CLOCK}),
    }
