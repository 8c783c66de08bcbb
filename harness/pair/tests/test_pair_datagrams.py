"""DTLS 1.2: what the wire shows however datagrams come, and what DTLS or a stack cannot do is refused."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.agent.vocabulary import release
from harness.model.capability import CLOSE_NEEDS
from harness.model.errors import UnsupportedError, UsageError
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.tls import Close, Ending, Mechanism, Outcome, Role, TLSVersion
from harness.model.view import Saw
from harness.pair.audit import audit
from harness.pair.pair import Pair
from harness.wire.gates.middlebox import StrictMiddlebox
from harness.wire.judge import judge
from harness.wire.reading import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.model.connection import Connection
    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine

DTLS = TLSVersion.DTLSv1_2


@pytest.fixture
def paired(machine: tuple[Machine, Runtime]) -> Iterator[Callable[..., Pair]]:
    made: list[Pair] = []

    def pair(client: str = "libssl", server: str = "libssl", tls: TLSVersion = DTLS, **knobs: Any) -> Pair:
        stacks = machine[0].one(client), machine[0].one(server)
        own = ClientConfig(**knobs.get("of_client", {})), ServerConfig(**knobs.get("of_server", {}))
        made.append(Pair(stacks, tls, machine[1], client=own[0], server=own[1]))
        return made[-1]

    yield pair
    for each in made:
        each.close()


STACKS = ("libssl", "pyopenssl", "openssl")


@pytest.fixture(params=STACKS)
def both(paired: Callable[..., Pair], request: pytest.FixtureRequest) -> tuple[Connection, Connection]:
    pair = paired(request.param, request.param)
    first = pair.connect()
    return first, pair.connect(offer=first.session)


def _keylog(connection: Connection) -> tuple[str, ...]:
    return (*connection.client.keylog, *connection.server.keylog)


def test_three_witnesses_see_a_ticket_resume(both: tuple[Connection, Connection]) -> None:
    first, second = both

    assert (first.outcome, second.outcome) == (Outcome.FULL, Outcome.RESUMED)
    assert second.mechanism is Mechanism.SESSION_TICKET
    assert first.transcript.decrypted
    assert second.transcript.decrypted
    assert [end.version for end in (second.client, second.server)] == [DTLS, DTLS]
    assert "Finished" in second.transcript.types(Role.CLIENT)


@pytest.mark.parametrize("ciphers", ["ECDHE+AESGCM", "ECDHE+CHACHA20", "ECDHE+AES128+SHA256", "AESCCM8"])
def test_records_of_every_kind_of_suite_are_opened(paired: Callable[..., Pair], ciphers: str) -> None:
    first = paired(of_client={"ciphers": ciphers}, of_server={"ciphers": ciphers}).connect()

    assert first.outcome is Outcome.FULL
    assert first.transcript.decrypted
    assert not any(first.transcript.misfits.values())


def test_the_wire_reads_the_same_in_any_order_within_a_flight(both: tuple[Connection, Connection]) -> None:
    for connection in both:
        chunks = list(connection.chunks)
        turned = [
            chunk
            for start in range(len(chunks))
            if not start or chunks[start].sender is not chunks[start - 1].sender
            for chunk in reversed(_flight(chunks[start:]))
        ]
        twice = [chunk for chunk in chunks for _ in range(2)]
        for changed in (turned, twice):
            shown = judge(read(changed, _keylog(connection)), connection.offered)

            assert shown.view.saw is connection.wire.saw
            assert shown.view.tickets == connection.wire.tickets


def _flight(chunks: list[Any]) -> list[Any]:
    other = next((i for i, chunk in enumerate(chunks) if chunk.sender is not chunks[0].sender), len(chunks))
    return chunks[:other]


def test_a_handshake_without_its_last_flight_is_not_complete(both: tuple[Connection, Connection]) -> None:
    for connection, last in zip(both, (Role.SERVER, Role.CLIENT), strict=True):
        finished = next(m.at for m in connection.transcript.messages if m.type == "Finished" and m.sender is last)
        cut = [chunk for chunk in connection.chunks if chunk.at < finished]

        assert judge(read(cut, _keylog(connection))).view.saw is Saw.ABORTED


def test_a_wrong_secret_opens_nothing(both: tuple[Connection, Connection]) -> None:
    second = both[1]
    wrong = [f"CLIENT_RANDOM {second.transcript.client_hello.random.hex()} {'00' * 48}"]

    shown = read(second.chunks, wrong)

    assert not shown.decrypted
    assert all(shown.misfits.values())


@pytest.mark.parametrize("role", list(Role))
def test_a_lying_end_is_caught(both: tuple[Connection, Connection], role: Role) -> None:
    second = both[1]
    lied = [replace(end, version=TLSVersion.TLSv1_2) for end in (second.client, second.server)]
    lying = replace(second, client=lied[0]) if role is Role.CLIENT else replace(second, server=lied[1])

    assert [wrong.fact for wrong in audit(lying)] == ["version"]


CLOSES = [Close.BOTH, Close.CLIENT_ONLY, Close.SERVER_ONLY, Close.EOF]


@pytest.mark.parametrize("close", CLOSES)
@pytest.mark.parametrize("stack", STACKS[:2])
def test_every_way_to_close_but_a_reset_is_possible(paired: Callable[..., Pair], stack: str, close: Close) -> None:
    pair = paired(stack, stack)
    first = pair.connect(close=close)

    assert first.outcome is Outcome.FULL
    assert pair.connect(offer=first.session).outcome is Outcome.RESUMED


@pytest.mark.parametrize("fails", [False, True])
def test_what_comes_late_to_a_server_begins_no_conversation(paired: Callable[..., Pair], fails: bool) -> None:  # noqa: FBT001 - a case
    pair = paired(of_server={"cookie": "refuse"} if fails else {})
    first = pair.connect(presume_full=False)
    with socket.socket(type=socket.SOCK_DGRAM) as late:
        late.bind(("127.0.0.1", 0))
        late.sendto(b"", pair.server.endpoint.address)
    if fails:
        pair.new_server(cookie="accept")
    second = pair.connect()

    assert first.outcome is (Outcome.ABORTED if fails else Outcome.FULL)
    assert second.outcome is Outcome.FULL


@pytest.mark.parametrize(("sender", "flight"), [(Role.SERVER, 1), (Role.CLIENT, 2), (Role.SERVER, 2)])
@pytest.mark.parametrize("stack", STACKS[1:])
def test_a_flight_that_is_lost_comes_again_and_its_ticket_counts_once(
    paired: Callable[..., Pair], stack: str, sender: Role, flight: int
) -> None:
    """Neither the programs nor pyOpenSSL have DTLS_set_timer_cb, which would make it sooner."""
    pair = paired(stack, stack)
    pair.tamper("drop", sender, "flight", flight)
    first = pair.connect()

    assert first.tampered == (f"the tap dropped flight {flight} of the {sender}",)
    assert first.outcome is Outcome.FULL
    assert {first.client.view.tickets, first.server.view.tickets, first.tickets} <= {1, None}
    assert first.tickets == 1
    assert pair.connect(offer=first.session).outcome is Outcome.RESUMED


KEEPS_EARLY_DATA = "3.0.9"
"""The first OpenSSL that keeps data of the next epoch until its keys are there (openssl/openssl#20597)."""


def test_data_that_come_before_a_lost_flight_arrive(
    paired: Callable[..., Pair], machine: tuple[Machine, Runtime]
) -> None:
    """A flight is of the handshake: the tap that drops one lets the application data pass that follow it."""
    if release(machine[0].one("libssl").label.partition("@")[2]) < release(KEEPS_EARLY_DATA):
        pytest.skip(f"OpenSSL before {KEEPS_EARLY_DATA} drops data that come before the flight with their keys")
    pair = paired(of_client={"retransmit_after": 40}, of_server={"retransmit_after": 40})
    first = pair.connect()
    pair.tamper("drop", "client", "flight", 2)
    second = pair.connect(offer=first.session)

    sent = second.messages.types(Role.CLIENT)
    assert second.tampered == ("the tap dropped flight 2 of the client",)
    assert second.outcome is Outcome.RESUMED
    assert sent.index("ApplicationData") < sent.index("Finished")
    assert sent.count("ApplicationData") == 1


@pytest.mark.parametrize("both", STACKS[:2], indirect=True)
@pytest.mark.parametrize(("name", "believed"), [("3.2.4", True), ("3.2.5", False), ("3.5.1", False), ("3.0.20", False)])
def test_the_end_of_input_after_early_data_is_a_lie_since_it_was_mended(
    both: tuple[Connection, Connection], name: str, *, believed: bool
) -> None:
    """The data are moved before the Finished, as where the flight is lost."""
    _, second = both
    messages = list(second.transcript.messages)
    data = next(m for m in messages if m.sender is Role.CLIENT and m.type == "ApplicationData")
    place = next(i for i, m in enumerate(messages) if m.sender is Role.CLIENT and m.type == "Finished")
    messages.remove(data)
    messages.insert(place, data)
    view = replace(second.server.view, name=f"libssl@{name}")
    server = replace(second.server, view=view, ending=Ending.EOF)
    late = replace(second, server=server)
    early = replace(late, transcript=replace(second.transcript, messages=tuple(messages)))

    assert [wrong.fact for wrong in audit(late)] == ["ending"]
    assert [wrong.fact for wrong in audit(early)] == ([] if believed else ["ending"])


def test_a_client_and_a_server_with_several_conversations_at_once(paired: Callable[..., Pair]) -> None:
    pair = paired()
    live = [pair.open() for _ in range(3)]
    done = [each.exchange() for each in reversed(live)]

    assert done == [True, True, True]
    assert [each.close().outcome for each in live] == [Outcome.FULL] * 3


def test_what_it_cannot_do_is_refused(paired: Callable[..., Pair]) -> None:
    pair = paired()
    live = pair.open()
    live.exchange()
    for refused in (
        lambda: pair.connect(close=Close.RST),
        lambda: pair.tamper("cut", "client", "ClientHello"),
        lambda: pair.tamper("edit", "client", "flight", part="trailing"),
        lambda: pair.tamper("drop", "client", "datagram"),
        lambda: pair.put_middlebox(StrictMiddlebox),
        lambda: pair.new_client(max_early_data=100),
        lambda: pair.new_client(versions=(TLSVersion.TLSv1_3,)),
    ):
        with pytest.raises(UsageError, match=r"DTLSv1\.2|flight"):
            refused()
    live.close()


def test_what_is_of_datagrams_is_refused_over_tcp(paired: Callable[..., Pair]) -> None:
    with pytest.raises(UsageError, match="cookie means nothing to TLS"):
        paired(tls=TLSVersion.TLSv1_2, of_server={"cookie": "accept"})
    with pytest.raises(UsageError, match="cannot drop a flight: that is of datagrams"):
        paired(tls=TLSVersion.TLSv1_2).tamper("drop", "server", "flight")


@pytest.mark.parametrize(("client", "server"), [("openssl", "openssl"), ("openssl", "libssl"), ("libssl", "openssl")])
@pytest.mark.parametrize("close", CLOSES)
def test_programs_end_as_the_other_end_sees_it(
    paired: Callable[..., Pair], client: str, server: str, close: Close
) -> None:
    """An empty datagram of the tap ends what a command of s_server would end together with its only socket."""
    pair = paired(client, server)
    lacks = [
        why
        for stack, role in ((pair.client_stack, Role.CLIENT), (pair.server_stack, Role.SERVER))
        for needed in CLOSE_NEEDS.get(close, ())
        if (why := stack.abilities(role).lacks(needed))
    ]
    if lacks:
        with pytest.raises(UsageError, match="close_notify"):
            pair.connect(close=close)
        return
    first = pair.connect(close=close)
    second = pair.connect(offer=first.session)

    assert first.outcome is Outcome.FULL
    assert second.outcome is Outcome.RESUMED
    assert first.server.ending is (Ending.EOF if close is Close.EOF else Ending.CLOSE_NOTIFY)


def test_s_server_goes_on_after_a_handshake_that_was_broken_off(paired: Callable[..., Pair]) -> None:
    """The client drops what it was sent; the server waits for it until the tap says that the client has left."""
    pair = paired("libssl", "openssl", of_client={"verify": "required", "expected_name": "other.example"})
    broken = pair.connect(presume_full=False)
    pair.new_client(expected_name=None)
    first = pair.connect()

    assert broken.outcome is Outcome.ABORTED
    assert first.outcome is Outcome.FULL
    assert pair.connect(offer=first.session).outcome is Outcome.RESUMED


@pytest.mark.parametrize("role", list(Role))
def test_a_conversation_of_programs_that_is_dropped_ends(paired: Callable[..., Pair], role: Role) -> None:
    """Neither end says that it leaves: the harness sees it, and the tap sends the other one an empty datagram."""
    pair = paired("openssl" if role is Role.CLIENT else "libssl", "openssl" if role is Role.SERVER else "libssl")
    live = pair.open()
    live.exchange()
    dropped = live.close(Close.EOF)

    assert dropped.outcome is Outcome.FULL
    assert pair.connect().outcome is Outcome.FULL


@pytest.mark.parametrize("stack", ["ssl"])
def test_a_stack_without_datagrams_says_why(paired: Callable[..., Pair], stack: str) -> None:
    with pytest.raises(UnsupportedError, match="DTLS"):
        paired(client=stack)
