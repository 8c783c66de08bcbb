"""In each situation every field of every report and of every session is falsified, and each lie is caught."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from harness.agent.vocabulary import Unset
from harness.builds.store import BuildStore
from harness.builds.system import build_for
from harness.model.build import Build
from harness.model.errors import UnsupportedError, UsageError
from harness.model.knobs import ClientConfig, ServerConfig, Verify
from harness.model.tls import Close, Role, TLSVersion
from harness.model.view import Saw
from harness.pair.pair import Pair
from harness.stacks.libssl import LibsslStack
from harness.stacks.openssl import OpensslStack
from harness.tests.liars.falsehoods import uncaught
from harness.tests.liars.printed import believed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.model.connection import Connection
    from harness.runtime.runtime import Runtime

V12, V13, DTLS, QUIC = TLSVersion.TLSv1_2, TLSVersion.TLSv1_3, TLSVersion.DTLSv1_2, TLSVersion.QUICv1
OF_QUIC = "4.0.3"
"""A build that can serve QUIC."""


def twice(pair: Pair) -> None:
    """A connection, and one that offers its session."""
    first = pair.connect(presume_full=False)
    pair.connect(first.last_session, presume_full=False)


def to_another_server(pair: Pair) -> None:
    """The second connection is declined."""
    first = pair.connect()
    pair.new_server()
    pair.connect(first.session)


def renegotiating(pair: Pair) -> None:
    """A full handshake, then a renegotiation; and the same after a resumption."""
    first = pair.connect()
    for offer in (None, first.session):
        live = pair.open(offer)
        live.exchange()
        live.renegotiate()
        live.exchange()
        live.close()


def authenticating(pair: Pair) -> None:
    """The server asks for a certificate after the handshake; then the last session is resumed."""
    live = pair.open()
    live.exchange()
    live.authenticate()
    live.exchange()
    first = live.close()
    pair.connect(first.session)


def early(pair: Pair) -> None:
    """The second connection has early data."""
    first = pair.connect()
    pair.connect(first.session)


def early_of_choice(pair: Pair) -> None:
    """The second connection has early data of the user's choice, which a client writes again if it is rejected."""
    first = pair.connect()
    live = pair.open(first.session, early=b"hello\n")
    live.exchange()
    live.close()


def early_to_another_server(pair: Pair) -> None:
    """The second server cannot read the ticket, and rejects the early data with it; they are written again."""
    first = pair.connect()
    pair.new_server()
    live = pair.open(first.session, early=b"hello\nagain")
    live.exchange()
    live.close()


def early_where_none_is_allowed(pair: Pair) -> None:
    """The second server resumes, and takes no early data."""
    first = pair.connect()
    pair.new_server(max_early_data=0)
    pair.connect(first.session)


def early_under_another_protocol(pair: Pair) -> None:
    """The server resumes and chooses another ALPN protocol than the session's, so that it rejects the early data."""
    first = pair.connect()
    pair.new_server(alpn=("http/1.1",))
    pair.connect(first.session)


def another_group(pair: Pair) -> None:
    """The second connection resumes with another group."""
    first = pair.connect()
    pair.new_client(groups="P-256")
    pair.connect(first.session)


def one_more(pair: Pair) -> None:
    """The server sends a further ticket."""
    live = pair.open()
    live.exchange()
    live.new_ticket()
    live.exchange()
    first = live.close()
    pair.connect(first.session)


def unread(pair: Pair) -> None:
    """The client closes before it has read the tickets."""
    pair.connect(close=Close.UNREAD)


def without_close_notify(pair: Pair) -> None:
    """Both ends end TCP alone."""
    pair.connect(close=Close.EOF)


@dataclass(frozen=True)
class Situation:
    """Knobs of both ends, and what is done."""

    versions: tuple[TLSVersion, ...]
    client: ClientConfig
    server: ServerConfig
    play: Callable[[Pair], None] = twice


NAMED = ClientConfig(alpn=("h2",), server_name="server.example")
CERTIFIED = ClientConfig(client_certificate="client", server_name="server.example", alpn=("h2",))
ASKING = ServerConfig(verify=Verify.OPTIONAL, alpn=("h2",), client_renegotiation=True)
PSK = ClientConfig(psk_key="shared", alpn=("h2",), server_name="server.example")
OF_PSK = ServerConfig(psk_key="shared", server_certificate="none", alpn=("h2",))
LATER = ClientConfig(client_certificate="client", post_handshake_auth=True)
RSA = ServerConfig(server_certificate="rsa-server")
EARLY, REPLAYABLE = ClientConfig(max_early_data=100), ServerConfig(max_early_data=100, anti_replay=False)
SHARING = ServerConfig(max_early_data=100, anti_replay=False, ticket_keys="shared")
PLAIN, SERVER = ClientConfig(), ServerConfig()
SITUATIONS = {
    "full and resumed": Situation((V12, V13, DTLS), NAMED, ServerConfig(alpn=("h2", "http/1.1"))),
    "plain": Situation((V12, V13, DTLS), PLAIN, SERVER),
    "session id": Situation((V12, DTLS), ClientConfig(tickets=False), ServerConfig(tickets=False)),
    "stateful ticket": Situation((V13,), PLAIN, ServerConfig(tickets=False)),
    "HelloRetryRequest": Situation((V13,), ClientConfig(groups="X25519:P-256"), ServerConfig(groups="P-256")),
    "another group": Situation(
        (V13,), ClientConfig(groups="X25519"), ServerConfig(groups="X25519:P-256"), another_group
    ),
    "early data": Situation(
        (V13,), ClientConfig(max_early_data=100), ServerConfig(max_early_data=100, anti_replay=False), early
    ),
    "early data of choice": Situation((V13,), EARLY, REPLAYABLE, early_of_choice),
    "early data of a declined session": Situation((V13,), EARLY, REPLAYABLE, early_to_another_server),
    "early data of a server that takes none": Situation((V13,), EARLY, SHARING, early_where_none_is_allowed),
    "early data of another protocol": Situation(
        (V13,),
        ClientConfig(max_early_data=100, alpn=("h2", "http/1.1")),
        ServerConfig(max_early_data=100, anti_replay=False, ticket_keys="shared", alpn=("h2",)),
        early_under_another_protocol,
    ),
    "early data before a HelloRetryRequest": Situation(
        (V13,),
        ClientConfig(max_early_data=100, groups="X25519:P-256"),
        ServerConfig(max_early_data=100, anti_replay=False, groups="P-256"),
        early,
    ),
    "client certificate": Situation((V12, V13, DTLS), CERTIFIED, ServerConfig(verify=Verify.REQUIRED)),
    "no client certificate": Situation((V12, V13), PLAIN, ServerConfig(verify=Verify.OPTIONAL)),
    "renegotiation": Situation((V12,), CERTIFIED, ASKING, renegotiating),
    "renegotiation by id": Situation(
        (V12,), PLAIN, ServerConfig(tickets=False, client_renegotiation=True), renegotiating
    ),
    "declined": Situation((V12, V13, DTLS), NAMED, SERVER, to_another_server),
    "no shared cipher": Situation((V12,), ClientConfig(ciphers="AES128-SHA"), ServerConfig(ciphers="AES256-SHA")),
    "certificate required of a name": Situation((V12, V13), NAMED, ServerConfig(verify=Verify.REQUIRED, alpn=("h2",))),
    "certificate required": Situation((V12, V13, DTLS), PLAIN, ServerConfig(verify=Verify.REQUIRED)),
    "no session id context": Situation(
        (V12, V13), CERTIFIED, ServerConfig(verify=Verify.OPTIONAL, session_id_context=Unset.UNSET)
    ),
    "five tickets": Situation((V13,), PLAIN, ServerConfig(num_tickets=5)),
    "no ticket": Situation((V13,), PLAIN, ServerConfig(num_tickets=0)),
    "one more ticket": Situation((V13,), PLAIN, SERVER, one_more),
    "external PSK": Situation((V12, V13), PSK, OF_PSK),
    "asked again": Situation((V13,), LATER, ServerConfig(verify=Verify.OPTIONAL), authenticating),
    "asked later": Situation((V13,), LATER, ServerConfig(verify=Verify.LATER), authenticating),
    "keys of a callback": Situation((V12, V13), NAMED, ServerConfig(ticket_ring="a")),
    "stapled response": Situation((V12, V13), ClientConfig(ocsp=True), ServerConfig(ocsp=True)),
    "static RSA": Situation((V12,), ClientConfig(ciphers="AES128-GCM-SHA256"), RSA),
    "DHE": Situation((V12,), ClientConfig(ciphers="DHE-RSA-AES128-GCM-SHA256"), RSA),
    "another curve": Situation((V12, V13), ClientConfig(groups="P-384"), ServerConfig(groups="P-384")),
    "max fragment length": Situation((V12, V13), ClientConfig(max_fragment_length=1024), SERVER),
    "no close_notify": Situation((V12, V13), PLAIN, SERVER, without_close_notify),
    "unread tickets": Situation((V13,), PLAIN, SERVER, unread),
}


@pytest.fixture(scope="module")
def quic(runtime: Runtime) -> Iterator[LibsslStack]:
    """A libssl that can serve QUIC."""
    build = BuildStore().serving("libssl").get(OF_QUIC)
    if build is None:
        pytest.skip(f"no libssl {OF_QUIC}; run: resumption builds fetch --provider debian {OF_QUIC}")
    stack = LibsslStack(build, runtime)
    yield stack
    stack.close()


@dataclass(frozen=True)
class Unshown:
    """Lies that the wire cannot show, and why."""

    reason: str
    fields: tuple[str, ...]
    of: Callable[[Connection], bool]
    """The connections of which it cannot."""
    claimed: tuple[str, ...] = ()
    """What the lies say; anything if empty."""

    def explains(self, connection: Connection, field: str, claimed: str) -> bool:
        """Whether it is one of these."""
        return field in self.fields and (not self.claimed or claimed in self.claimed) and self.of(connection)


def aborted(connection: Connection) -> bool:
    """Whether the handshake was not completed."""
    return connection.wire.saw is Saw.ABORTED


def unanswered(connection: Connection) -> bool:
    """Whether there was no ServerHello."""
    return aborted(connection) and not connection.transcript.server_hellos


def cut(connection: Connection) -> bool:
    """Whether TCP was reset, or ended by the tap, so that what an end sent last may be lost."""
    return connection.tcp is not None and any(end.reset or end.sender is None for end in connection.tcp.ends)


def over_datagrams(connection: Connection) -> bool:
    """Whether UDP carried it."""
    return connection.tls.datagrams


def resumed(connection: Connection) -> bool:
    """Whether the first handshake resumed a session."""
    return connection.wire.saw is Saw.RESUMED


def before_tls13(connection: Connection) -> bool:
    """Whether the messages are those of TLS 1.2."""
    return connection.tls in {V12, DTLS}


def without_ticket(connection: Connection) -> bool:
    """Whether the client's last session has none, in TLS 1.3."""
    last = connection.last_session
    return of_tls13(connection) and last is not None and not last.has_ticket


def with_kem(connection: Connection) -> bool:
    """Whether the key exchange is one of a KEM."""
    return "MLKEM" in (connection.server.group or "")


def of_tls13(connection: Connection) -> bool:
    """Whether the messages are those of TLS 1.3."""
    return connection.tls.handshake is V13


def of_program(connection: Connection) -> bool:
    """Whether the server is a program of OpenSSL."""
    return connection.server.view.name.startswith("openssl@")


def of_renegotiating_program(connection: Connection) -> bool:
    """Whether the ends are programs of OpenSSL, and there were several handshakes."""
    return of_program(connection) and connection.transcript.handshakes > 1


OF_ALPN = ("client alpn", "server alpn")
UNSHOWN = (
    Unshown(
        "the client sent such a key, and OpenSSL's server does not keep it before TLS 1.3",
        ("server peer_temp_key",),
        before_tls13,
        ("X25519, 253 bits",),
    ),
    Unshown("of a KEM some releases keep a key, and others none", ("server peer_temp_key",), with_kem, ("",)),
    Unshown("an id of TLS 1.3 is not sent, unless it is a ticket", ("server callback_calls",), of_tls13, ("new",)),
    Unshown(
        "an end that sends or gets an alert may read on to the end of TCP", ("client ending", "server ending"), aborted
    ),
    Unshown(
        "a server that has not answered says what it has found so far, and the latest version that it has",
        ("server version", "server reused_at_end", "server peer_certificate", "server alpn", "server server_name"),
        unanswered,
    ),
    Unshown(
        "a client that has not answered may not have read the server's flight",
        ("client peer_certificate", "client server_name", "client reused_at_end"),
        aborted,
    ),
    Unshown("a server may be stopped before it reads a certificate", ("server peer_certificate",), aborted, ("False",)),
    Unshown(
        "what is sent into TCP that is reset is lost, and what was sent may be unread",
        tuple(f"{role} {name}" for role in Role for name in ("alert", "alerts", "ending", "tickets", "new_sessions")),
        cut,
    ),
    Unshown("a datagram may be lost on its way to the client", ("client alerts",), over_datagrams),
    Unshown(
        "s_server prints no alerts, and one that meets EOF may not have come to the client's close_notify",
        ("server ending",),
        of_program,
        ("eof", "reset"),
    ),
    Unshown(
        "s_client and s_server print it after one of the handshakes",
        ("client group", "client peer_temp_key", "client peer_chain", "server peer_certificate", *OF_ALPN),
        of_renegotiating_program,
    ),
    Unshown("a callback that finds nothing leaves no trace", ("server callback_calls",), resumed, ("none",)),
    Unshown(
        "the secret that is to become a session's is the client's own until a ticket comes",
        ("session master_key_length",),
        without_ticket,
        ("48",),
    ),
)


def without_early_data(connection: Connection) -> bool:
    """Whether the client sent none."""
    return not connection.client.early_bytes


def notified(connection: Connection) -> bool:
    """Whether the server sent close_notify."""
    return any(alert.sender is Role.SERVER and alert.number == 0 for alert in connection.transcript.alerts)


def always(_connection: Connection) -> bool:
    """It never can."""
    return True


UNPRINTED = (
    Unshown("it is true", ("client early_data", "server early_data"), without_early_data, ("not_sent",)),
    Unshown("it is true", ("server early_bytes",), without_early_data, ("b''",)),
    Unshown("it is true, only printed too early", ("client ending",), notified, ("close_notify",)),
    Unshown(
        "a program reads on to the end of TCP, which may be reset",
        ("client ending", "server ending"),
        always,
        ("eof", "reset"),
    ),
    Unshown(
        "reason codes are not sent; the alerts among them are compared", ("client errors", "server errors"), always
    ),
)
"""What the wire cannot show of the text of a program alone."""

OVER_QUIC = {
    "plain": Situation((QUIC,), PLAIN, SERVER),
    "full and resumed": Situation((QUIC,), NAMED, ServerConfig(alpn=("h2", "http/1.1"))),
    "stateful ticket": Situation((QUIC,), PLAIN, ServerConfig(tickets=False)),
    "HelloRetryRequest": Situation((QUIC,), ClientConfig(groups="X25519:P-256"), ServerConfig(groups="P-256")),
    "client certificate": Situation((QUIC,), CERTIFIED, ServerConfig(verify=Verify.REQUIRED, alpn=("h2",))),
    "certificate required": Situation((QUIC,), PLAIN, ServerConfig(verify=Verify.REQUIRED)),
    "no shared protocol": Situation((QUIC,), NAMED, ServerConfig(alpn=("h3",))),
    "declined": Situation((QUIC,), NAMED, ServerConfig(alpn=("h2",)), to_another_server),
    "no session id context": Situation(
        (QUIC,), CERTIFIED, ServerConfig(verify=Verify.OPTIONAL, session_id_context=Unset.UNSET, alpn=("h2",))
    ),
    "five tickets": Situation((QUIC,), PLAIN, ServerConfig(num_tickets=5)),
    "no ticket": Situation((QUIC,), PLAIN, ServerConfig(num_tickets=0)),
    "external PSK": Situation((QUIC,), PSK, OF_PSK),
    "keys of a callback": Situation((QUIC,), NAMED, ServerConfig(ticket_ring="a", alpn=("h2",))),
}
"""What an end of QUIC can do: each needs an ALPN protocol, and early data and a second handshake are none of its."""
STACKS = {"libssl": SITUATIONS, "openssl": SITUATIONS, "quic": OVER_QUIC}
EVERY = [
    pytest.param(stack, name, version, id=f"{stack}-{name}-{version.value}")
    for stack, situations in STACKS.items()
    for name, situation in situations.items()
    for version in situation.versions
]


@pytest.fixture(scope="module")
def programs(runtime: Runtime) -> OpensslStack:
    """The machine's s_client and s_server, whose output is parsed."""
    build = build_for("openssl")
    assert isinstance(build, Build)
    return OpensslStack(build, runtime)


def unshown(connection: Connection, field: str, claimed: str) -> bool:
    """Whether the wire cannot show that it is a lie."""
    return any(row.explains(connection, field, claimed) for row in UNSHOWN)


def untrue(connection: Connection, earlier: Sequence[Connection]) -> Iterator[tuple[str, dict[str, str]]]:
    """The lies in what the programs print that pass, and that the wire could show."""
    for role in Role:
        for how, claimed in believed(connection, role, earlier):
            left = {
                name: value
                for name, value in claimed.items()
                if not unshown(connection, name, value)
                and not any(row.explains(connection, name, value) for row in UNPRINTED)
            }
            if left:
                yield how, left


@pytest.mark.parametrize(("kind", "name", "tls"), EVERY)
def test_each_field_that_is_falsified_is_caught(
    request: pytest.FixtureRequest, runtime: Runtime, kind: str, name: str, tls: TLSVersion
) -> None:
    situation = STACKS[kind][name]
    stack = request.getfixturevalue({"libssl": "honest", "openssl": "programs", "quic": "quic"}[kind])
    try:
        pair = Pair((stack, stack), tls, runtime, client=situation.client, server=situation.server)
    except UnsupportedError as error:
        pytest.skip(str(error))
    try:
        situation.play(pair)
    except (UnsupportedError, UsageError) as error:
        pytest.skip(str(error))
    finally:
        pair.close()

    for place, connection in enumerate(pair.connections):
        assert connection.disagreement is None
        lies = uncaught(connection, pair.connections[:place])
        assert [lie for lie in lies if not unshown(connection, *lie)] == []
        if kind == "openssl":
            assert list(untrue(connection, pair.connections[:place])) == []
