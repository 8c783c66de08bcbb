"""The pyopenssl stack: what it says it can do is done, and what it lacks is refused with the reason."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.backends.openssl import backend
from OpenSSL import SSL

from harness.agent.drivers.pyopenssl import bindings
from harness.agent.library import LackError
from harness.builds.programs import command
from harness.builds.store import BuildStore
from harness.builds.system import PYTHON, build_for
from harness.model.build import Build
from harness.model.capability import Capability
from harness.model.errors import RefusedError
from harness.model.knobs import UNSET, CacheMode, ClientConfig, PskMode, ServerConfig, Verify
from harness.model.tls import USUAL_VERSIONS, Close, Ending, Outcome, Role, TLSVersion
from harness.model.view import Saw
from harness.pair.pair import Pair
from harness.runtime.clock import library
from harness.runtime.runtime import Runtime
from harness.stacks.libssl import LibsslStack
from harness.stacks.pyopenssl import PyopensslStack, abilities_of
from harness.stacks.ssl_ import SslStack
from harness.stacks.tests.meet import first_hello, meet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

NO_CLOCK = library() is None
VERSIONS = pytest.mark.parametrize("version", USUAL_VERSIONS)
HAS_GROUPS = backend.openssl_version_number() >= 0x40000000
SAMPLES: dict[str, Any] = {
    "versions": (TLSVersion.TLSv1_2, TLSVersion.TLSv1_3),
    "tickets": False,
    "cache_mode": frozenset({CacheMode.BOTH, CacheMode.NO_AUTO_CLEAR}),
    "timeout": 100,
    "middlebox_compat": False,
    "extended_master_secret": False,
    "ciphers": "ECDHE+AESGCM",
    "ciphersuites": "TLS_AES_128_GCM_SHA256",
    **({"groups": "X25519:P-256"} if HAS_GROUPS else {}),
    "psk_modes": PskMode.BOTH,
    "alpn": ("h2",),
    "verify": Verify.NONE,
    **({} if NO_CLOCK else {"clock": 0}),
    "server_name": "server.example",
    "client_certificate": "client",
    "server_certificate": "server",
    "num_tickets": 3,
    "session_id_context": b"here",
    "max_early_data": 100,
    "anti_replay": False,
    "client_renegotiation": True,
}
SECONDS = 20.0
ENDINGS = {
    Close.BOTH: (Ending.CLOSE_NOTIFY, Ending.CLOSE_NOTIFY),
    Close.CLIENT_ONLY: (Ending.EOF, Ending.CLOSE_NOTIFY),
    Close.SERVER_ONLY: (Ending.CLOSE_NOTIFY, Ending.EOF),
    Close.EOF: (Ending.EOF, Ending.EOF),
    Close.RST: (Ending.RESET, Ending.RESET),
}
"""What the client and the server read at the end."""
OF_A_CLIENT = {"server_name", "client_certificate"}
OF_A_SERVER = {
    *("num_tickets", "session_id_context", "server_certificate", "anti_replay", "max_early_data"),
    "client_renegotiation",
}


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


@pytest.fixture(scope="module")
def stack(runtime: Runtime) -> Iterator[PyopensslStack]:
    build = build_for("pyopenssl")
    assert isinstance(build, Build)
    stack = PyopensslStack(build, runtime)
    yield stack
    stack.close()


@pytest.fixture(scope="module")
def python(runtime: Runtime) -> Iterator[SslStack]:
    build = build_for("ssl")
    assert isinstance(build, Build)
    stack = SslStack(build, runtime)
    yield stack
    stack.close()


@pytest.fixture(scope="module")
def libssl(runtime: Runtime) -> Iterator[LibsslStack]:
    build = build_for("libssl")
    assert isinstance(build, Build)
    stack = LibsslStack(build, runtime)
    yield stack
    stack.close()


@VERSIONS
def test_a_session_of_another_process_is_offered_afresh(
    runtime: Runtime, stack: PyopensslStack, version: TLSVersion
) -> None:
    server = stack.server(ServerConfig())
    session = meet(runtime, stack.client(ClientConfig(versions=(version,))), server).session
    other = PyopensslStack(stack.build, runtime)
    second = meet(runtime, other.client(ClientConfig(versions=(version,))), server, session)
    other.close()

    assert session is not None
    assert session.taken_by == stack.label
    assert second.client.view.saw is Saw.RESUMED


@VERSIONS
def test_it_resumes_as_client_of_pythons_ssl(
    runtime: Runtime, stack: PyopensslStack, python: SslStack, version: TLSVersion
) -> None:
    server, client = python.server(ServerConfig()), stack.client(ClientConfig(versions=(version,)))
    second = meet(runtime, client, server, meet(runtime, client, server).session)

    assert (second.client.view.saw, second.server.view.saw) == (Saw.RESUMED, Saw.RESUMED)


@VERSIONS
def test_it_resumes_as_server_of_pythons_ssl(
    runtime: Runtime, stack: PyopensslStack, python: SslStack, version: TLSVersion
) -> None:
    server, client = stack.server(ServerConfig()), python.client(ClientConfig(versions=(version,)))
    second = meet(runtime, client, server, meet(runtime, client, server).session)

    assert (second.client.view.saw, second.server.view.saw) == (Saw.RESUMED, Saw.RESUMED)


@pytest.mark.parametrize(("compat", "length"), [(None, 32), (True, 32), (False, 0)])
def test_middlebox_compat_decides_on_the_session_id(
    runtime: Runtime, stack: PyopensslStack, length: int, *, compat: bool | None
) -> None:
    client = stack.client(ClientConfig(middlebox_compat=compat))
    sent = first_hello(runtime, client)
    client.close()

    assert len(sent.session_id) == length


@pytest.mark.parametrize("count", [0, 1, 5])
def test_num_tickets_is_how_many_come(runtime: Runtime, stack: PyopensslStack, count: int) -> None:
    server = stack.server(ServerConfig(num_tickets=count))
    met = meet(runtime, stack.client(ClientConfig()), server)
    server.close()

    assert met.client.view.tickets == count
    assert len(met.sessions) == max(count, 1)


def test_num_tickets_of_zero_leaves_a_session_without_ticket(runtime: Runtime, stack: PyopensslStack) -> None:
    server = stack.server(ServerConfig(num_tickets=0))
    met = meet(runtime, stack.client(ClientConfig()), server)
    server.close()

    assert met.session is not None
    assert met.session.has_ticket is False


def test_a_session_id_context_that_is_too_long_is_refused_by_openssl(stack: PyopensslStack) -> None:
    with pytest.raises(RefusedError):
        stack.server(ServerConfig(session_id_context=b"x" * 33))


def test_an_unset_session_id_context_can_be_had(stack: PyopensslStack) -> None:
    assert stack.server(ServerConfig(session_id_context=UNSET)).port > 0


@pytest.mark.parametrize("role", list(Role))
def test_its_capabilities(stack: PyopensslStack, role: Role) -> None:
    missing = {
        Capability.RESUMABLE,
        Capability.NEW_SESSION_CALLBACK,
        Capability.COUNTERS,
        Capability.RUNNING_COUNTERS,
        Capability.FLUSH,
        Capability.RESIZE_CACHE,
        Capability.REMOVE_SESSION,
        Capability.AGE_SERVER_SESSION,
        Capability.ABBREVIATED_RENEGOTIATION,
        Capability.CHANGED_RENEGOTIATION,
        Capability.MATCHING_SESSION_ID,
        Capability.EARLY_DATA_CONTENT,
        Capability.CALLBACK_CALLS,
        Capability.ADD_SESSION,
        Capability.ROTATE_KEYS,
        Capability.CHOOSE_EARLY,
        Capability.CHOOSE_CONTEXT if role is Role.CLIENT else Capability.OCSP_RESPONSE,
        Capability.CLOSE_IN_ORDER,
        Capability.SET_TIMEOUTS,
        Capability.QUIC,
        Capability.NEW_TICKET,
        Capability.SESSION_DUPLICATE,
        Capability.SESSION_TIMES,
        Capability.CLEAR,
        Capability.AUTHENTICATE if role is Role.CLIENT else Capability.THREADS,
        Capability.EARLY_DATA if role is Role.CLIENT else Capability.SERVER_NAME,
        *({Capability.CLOCK} if NO_CLOCK else ()),
    }

    assert set(Capability) - stack.abilities(role).capabilities == missing


@pytest.mark.parametrize("how", list(ENDINGS))
@VERSIONS
def test_every_way_to_close_ends_as_the_other_end_sees_it(
    runtime: Runtime, stack: PyopensslStack, python: SslStack, version: TLSVersion, how: Close
) -> None:
    pair = Pair((stack, python), version, runtime)
    connection = pair.connect(close=how)
    pair.close()

    assert (connection.client.ending, connection.server.ending) == ENDINGS[how]


@pytest.mark.parametrize(("version", "allowed"), [("3.2.2", False), ("3.3.2", True), ("4.0.3", True)])
def test_a_server_has_psk_ke_from_3_3_on(version: str, *, allowed: bool) -> None:
    assert (abilities_of(Role.SERVER, version).lacks_knob("psk_modes", PskMode.KE) is None) is allowed


def test_a_server_reads_early_data(runtime: Runtime, stack: PyopensslStack, libssl: LibsslStack) -> None:
    client, server = ClientConfig(max_early_data=100), ServerConfig(max_early_data=100)
    pair = Pair((libssl, stack), TLSVersion.TLSv1_3, runtime, client=client, server=server)
    second = pair.connect(offer=pair.connect().session)
    pair.close()

    assert second.outcome is Outcome.RESUMED
    assert (second.client.early_data, second.server.early_data) == ("accepted", "accepted")


DOES_WITHOUT = {
    "SSL_CTX_set1_curves_list": "the knob groups is refused",
    "SSL_CTX_set1_sigalgs_list": "the knob signature_algorithms is refused",
    "SSL_CTX_set_msg_callback": "tickets are not counted",
    "SSL_get0_group_name": "the group is not known",
    "SSL_session_reused": "the messages decide",
    "i2d_SSL_SESSION": "sessions stay in their process",
    "d2i_SSL_SESSION": "sessions stay in their process",
    "SSL_CTX_set_psk_use_session_callback": "the callbacks of both versions give the key",
    "SSL_CTX_set_psk_find_session_callback": "the callbacks of both versions give the key",
    "SSL_set_verify": "a context with another verify mode is not chosen",
    "SSL_CIPHER_find": "no session is made of a key",
    "SSL_SESSION_set1_master_key": "no session is made of a key",
    "SSL_SESSION_set_cipher": "no session is made of a key",
    "SSL_SESSION_set_protocol_version": "no session is made of a key",
}
"""Functions that some cryptography does not bind, and what the driver does then: it looks before it calls them."""
CALLED = frozenset(
    node.attr
    for node in ast.walk(ast.parse(Path(bindings.__file__).read_text(encoding="utf-8")))
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "_lib"
)
NOT_THERE = "import sys; from OpenSSL import SSL; print(*(n for n in sys.argv[1:] if not hasattr(SSL._lib, n)))"
PACKAGES = {"installed": Build("", "cryptography", python=PYTHON), **BuildStore().serving("pyopenssl")}


def not_bound(build: Build, names: Collection[str]) -> set[str]:
    """Which of these functions the cryptography of a build does not bind."""
    argv = [*(build.python or ()), "-W", "ignore", "-P", "-c", NOT_THERE, *sorted(names)]
    return set(command(argv, SECONDS, build.environment).split())


@pytest.mark.parametrize("name", PACKAGES)
def test_what_a_cryptography_does_not_bind_is_not_called(name: str) -> None:
    assert not_bound(PACKAGES[name], CALLED) <= set(DOES_WITHOUT)


def test_a_function_that_no_cryptography_binds_is_found() -> None:
    assert not_bound(PACKAGES["installed"], {"SSL_session_is_fine", "SSL_CTX_get_options"}) == {"SSL_session_is_fine"}
    assert set(DOES_WITHOUT) < CALLED


@pytest.mark.parametrize(("version", "bound"), [("1.1.1l", True), ("1.1.1m", False), ("3.0.5", False), ("3.0.6", True)])
def test_cryptography_36_and_37_have_no_signature_algorithms(version: str, *, bound: bool) -> None:
    assert (abilities_of(Role.CLIENT, version).lacks_knob("signature_algorithms", "ed25519") is None) is bound


def test_the_driver_refuses_signature_algorithms_that_are_not_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bindings, "_lib", object())

    with pytest.raises(LackError, match="cryptography 36 and 37"):
        bindings.set_signature_algorithms(SSL.Context(SSL.TLS_CLIENT_METHOD), "ed25519")
