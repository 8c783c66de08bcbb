"""Each connection reports its own key exchange, chain and exporter, and not its session's."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from harness.agent.library import EXPORTER_LABEL, EXPORTER_LENGTH
from harness.model.capability import Capability
from harness.model.knobs import ClientConfig, ServerConfig, Verify
from harness.model.tls import USUAL_VERSIONS, Outcome, Role
from harness.pair.pair import Pair
from harness.wire.exporter import exported
from harness.wire.names import GROUPS, group_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.model.connection import Connection
    from harness.model.tls import TLSVersion
    from harness.runtime.runtime import Runtime
    from harness.stacks.libssl import LibsslStack
    from harness.stacks.machine import Machine
    from harness.tests.liars.lying import Liars

TLS12, TLS13 = USUAL_VERSIONS
STACKS = ("libssl", "openssl", "pyopenssl", "ssl")


@pytest.fixture
def connected(machine: tuple[Machine, Runtime]) -> Iterator[Callable[..., tuple[Connection, Connection]]]:
    made: list[Pair] = []

    def connect(
        tls: TLSVersion, client: str = "libssl", server: str = "libssl", **knobs: dict[str, object]
    ) -> tuple[Connection, Connection]:
        """A full handshake and a resumption."""
        stacks = machine[0].one(client), machine[0].one(server)
        configs = (
            ClientConfig().changed(**knobs.get("of_client", {})),
            ServerConfig().changed(**knobs.get("of_server", {})),
        )
        pair = Pair(stacks, tls, machine[1], client=configs[0], server=configs[1])
        made.append(pair)
        first = pair.connect()
        second = pair.connect(offer=first.session)
        assert (first.outcome, second.outcome) == (Outcome.FULL, Outcome.RESUMED)
        return first, second

    yield connect
    for pair in made:
        pair.close()


@pytest.mark.parametrize("client", ["libssl", "openssl"])
@pytest.mark.parametrize(("group", "key"), [("X25519", "X25519, 253 bits"), ("P-384", "ECDH, secp384r1, 384 bits")])
def test_a_tls13_resumption_has_a_group_of_its_own(
    connected: Callable[..., tuple[Connection, Connection]], client: str, group: str, key: str
) -> None:
    first, second = connected(TLS13, client, of_server={"groups": group}, of_client={"groups": group})

    assert [connection.group for connection in (first, second)] == [group_named(group)] * 2
    assert [connection.client.peer_temp_key for connection in (first, second)] == [key] * 2


@pytest.mark.parametrize("client", ["libssl", "openssl"])
def test_a_tls12_resumption_has_no_group_though_its_session_has(
    connected: Callable[..., tuple[Connection, Connection]], client: str
) -> None:
    first, second = connected(TLS12, client, of_client={"groups": "P-256"})

    assert first.group == "secp256r1"
    assert second.group == ""
    assert second.client.peer_temp_key == ""


@pytest.mark.parametrize("tls", USUAL_VERSIONS)
@pytest.mark.parametrize("stack", ["libssl", "pyopenssl"])
def test_both_ends_export_the_same_which_the_key_log_confirms(
    connected: Callable[..., tuple[Connection, Connection]], stack: str, tls: TLSVersion
) -> None:
    for connection in connected(tls, stack):
        hellos = connection.messages.client_hello, connection.messages.server_hello
        material = exported(hellos, connection.client.keylog, EXPORTER_LABEL, EXPORTER_LENGTH)

        assert connection.exporters_equal is True
        assert material is not None
        assert sha256(material).hexdigest() == connection.server.exporter


def test_a_resumption_exports_other_material(connected: Callable[..., tuple[Connection, Connection]]) -> None:
    first, second = connected(TLS12)

    assert first.client.exporter != second.client.exporter


@pytest.mark.parametrize("tls", USUAL_VERSIONS)
@pytest.mark.parametrize("stack", ["libssl", "pyopenssl", "ssl"])
def test_the_chain_that_each_end_holds_is_the_one_on_the_wire(
    connected: Callable[..., tuple[Connection, Connection]], stack: str, tls: TLSVersion
) -> None:
    first, _ = connected(
        tls,
        stack,
        stack,
        of_client={"client_certificate": "client", "verify": Verify.REQUIRED},
        of_server={"verify": Verify.REQUIRED},
    )
    sent = {role: tuple(sha256(der).hexdigest() for der in first.messages.certificates[role]) for role in Role}

    assert first.client.peer_chain == sent[Role.SERVER]
    assert first.server.peer_chain == sent[Role.CLIENT]
    assert all(sent.values())


def test_a_session_from_der_has_lost_the_chain(connected: Callable[..., tuple[Connection, Connection]]) -> None:
    """i2d_SSL_SESSION writes the peer's certificate and not its chain."""
    _, second = connected(TLS13)

    assert second.client.peer_certificate is True
    assert second.client.peer_chain == ()


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    ("capability", "field"),
    [
        (Capability.NEGOTIATED_GROUP, "group"),
        (Capability.PEER_CHAIN, "peer_chain"),
        (Capability.OCSP_RESPONSE, "ocsp_response"),
        (Capability.EXPORTER, "exporter"),
    ],
)
def test_a_stack_reports_what_its_capabilities_say(
    machine: tuple[Machine, Runtime],
    connected: Callable[..., tuple[Connection, Connection]],
    stack: str,
    role: Role,
    capability: Capability,
    field: str,
) -> None:
    ends = {"client": stack} if role is Role.CLIENT else {"server": stack}
    first, _ = connected(TLS13, **ends)
    report = first.client if role is Role.CLIENT else first.server
    lacking = machine[0].one(stack).abilities(role).lacks(capability)

    assert (getattr(report, field) is None) is bool(lacking)


@pytest.mark.parametrize("abbreviated", [False, True])
def test_a_renegotiation_that_resumed_is_reported(machine: tuple[Machine, Runtime], *, abbreviated: bool) -> None:
    libssl = machine[0].one("libssl")
    pair = Pair((libssl, libssl), TLS12, machine[1], server=ServerConfig(client_renegotiation=True))
    try:
        live = pair.open()
        live.handshake()
        live.exchange()
        live.renegotiate(Role.CLIENT, abbreviated=abbreviated)
        live.exchange()
        connection = live.close()
        other = pair.connect()
    finally:
        pair.close()

    assert connection.renegotiation_resumed is abbreviated
    assert other.renegotiation_resumed is None


@pytest.mark.parametrize("early", [b"hello early", b"hello\n", b"one\ntwo\n\nthree"])
@pytest.mark.parametrize("rejected", [True, False])
def test_early_data_that_is_written_again_is_no_lost_line(
    machine: tuple[Machine, Runtime], early: bytes, *, rejected: bool
) -> None:
    libssl = machine[0].one("libssl")
    ends = ClientConfig(max_early_data=100), ServerConfig(max_early_data=100)
    pair = Pair((libssl, libssl), TLS13, machine[1], client=ends[0], server=ends[1])
    try:
        first = pair.connect()
        if rejected:
            pair.new_server()
        live = pair.open(first.session, early=early)
        exchanged = [live.exchange(), live.exchange()]
        second = live.close()
    finally:
        pair.close()

    assert exchanged == [True, True]
    assert second.outcome is (Outcome.DECLINED if rejected else Outcome.RESUMED)
    assert second.client.early_data == ("rejected" if rejected else "accepted")


@pytest.mark.parametrize("asked", [True, False])
def test_accepted_early_data_that_is_written_again_is_a_lost_line(
    runtime: Runtime, honest: LibsslStack, liars: Liars, *, asked: bool
) -> None:
    """The server took them as early data, so that its application gets them twice."""
    early = b"hello early\n"
    ends = ClientConfig(max_early_data=100), ServerConfig(max_early_data=100)
    pair = Pair((liars.stack(again=early.hex()), honest), TLS13, runtime, client=ends[0], server=ends[1])
    try:
        first = pair.connect()
        live = pair.open(first.session, early=early)
        if asked:
            live.exchange()
        else:
            live.ask_exchange()
        second = live.close()
    finally:
        pair.close()

    assert second.client.early_data == "accepted"
    assert second.disagreement is not None
    assert "application data was lost" in second.disagreement


def test_the_protocol_of_a_connection_is_not_its_sessions(machine: tuple[Machine, Runtime]) -> None:
    libssl = machine[0].one("libssl")
    pair = Pair(
        (libssl, libssl), TLS13, machine[1], client=ClientConfig(alpn=("h2",)), server=ServerConfig(alpn=("h2", "h3"))
    )
    try:
        first = pair.connect()
        pair.new_client(alpn=("h3",))
        second = pair.connect(offer=first.session)
    finally:
        pair.close()

    assert (first.alpn, second.alpn) == ("h2", "h3")
    assert second.outcome is Outcome.RESUMED
    assert second.offered is not None
    assert second.offered.alpn == b"h2"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("prime256v1", "secp256r1"),
        ("X25519", "x25519"),
        ("P-521", "secp521r1"),
        ("B-233", "sect233r1"),
        ("K-571", "sect571k1"),
        ("ML-KEM-512", "MLKEM512"),
    ],
)
def test_a_group_has_one_name(text: str, name: str) -> None:
    assert group_named(text) == name
    assert name in GROUPS.values()


def test_a_group_that_has_no_name_is_not_compared(
    connected: Callable[..., tuple[Connection, Connection]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(GROUPS, 30)
    knobs = {"groups": "X448"}

    _first, second = connected(TLS13, "libssl", of_server=knobs, of_client=knobs)

    assert second.group == "x448"
    assert second.contradictions == ()
