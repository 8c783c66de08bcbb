"""QUIC between two libssl of this machine that have it: witnesses, lies, and what the tap does to sealed datagrams."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.agent.vocabulary import release
from harness.model.errors import UnsupportedError, UsageError
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.tls import Mechanism, Outcome, Role, TLSVersion
from harness.pair.audit import audit
from harness.pair.pair import Pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack
    from harness.stacks.machine import Machine

HAS_SERVERS = "3.5"


@pytest.fixture(scope="module")
def libssl(machine: tuple[Machine, Runtime]) -> Stack:
    """The newest libssl here that has servers of QUIC; the test is skipped, with the reason, without one."""
    names = ["libssl", *(f"libssl@{version}" for version in machine[0].fetched("libssl"))]
    stacks = [machine[0].one(name) for name in names]
    able = [stack for stack in stacks if release(stack.build.version) >= release(HAS_SERVERS)]
    if not able:
        pytest.skip(f"no libssl {HAS_SERVERS} is here: resumption builds fetch --provider debian {HAS_SERVERS}")
    return max(able, key=lambda stack: release(stack.build.version))


@pytest.fixture
def paired(machine: tuple[Machine, Runtime], libssl: Stack) -> Iterator[Callable[..., Pair]]:
    made: list[Pair] = []

    def pair(**of_server: Any) -> Pair:
        knobs = ClientConfig(), ServerConfig(**of_server)
        made.append(Pair((libssl, libssl), TLSVersion.QUICv1, machine[1], client=knobs[0], server=knobs[1]))
        return made[-1]

    yield pair
    for each in made:
        each.close()


def test_three_witnesses_see_a_ticket_resume(paired: Callable[..., Pair]) -> None:
    pair = paired()
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert (first.outcome, second.outcome, second.mechanism) == (Outcome.FULL, Outcome.RESUMED, Mechanism.PSK)
    assert [end.version for end in (second.client, second.server)] == [TLSVersion.QUICv1] * 2
    assert second.transcript.decrypted
    assert not any(second.transcript.misfits.values())


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("lie", "fact"), [({"version": TLSVersion.TLSv1_3}, "version"), ({"alpn": "h3"}, "alpn")])
def test_a_lying_end_is_caught(paired: Callable[..., Pair], role: Role, lie: dict[str, Any], fact: str) -> None:
    first = paired().connect()
    lied = replace(first.client if role is Role.CLIENT else first.server, **lie)
    lying = replace(first, client=lied) if role is Role.CLIENT else replace(first, server=lied)

    assert [wrong.fact for wrong in audit(first)] == []
    assert [wrong.fact for wrong in audit(lying)] == [fact]


def test_a_dropped_datagram_is_sent_but_not_relayed(paired: Callable[..., Pair]) -> None:
    pair = paired()
    pair.tamper("drop", "server", "datagram", 2)
    first = pair.connect()
    assert pair.datagram_tap is not None
    conversation = pair.datagram_tap.connections[0]
    sent = [chunk.data for chunk in conversation.sent if chunk.sender is Role.SERVER]
    relayed = [chunk.data for chunk in conversation.chunks if chunk.sender is Role.SERVER]

    assert first.outcome is Outcome.FULL
    assert first.tampered == ("the tap dropped datagram 2 of the server",)
    assert relayed == [sent[0], *sent[2:]]


def test_a_held_datagram_is_relayed_at_its_release(paired: Callable[..., Pair]) -> None:
    pair = paired()
    pair.tamper("hold", "server", "datagram", 2)
    live = pair.open()
    live.await_held()
    live.release()
    live.handshake()
    live.exchange()

    assert live.close().outcome is Outcome.FULL


def test_a_damaged_datagram_differs_in_its_last_byte(paired: Callable[..., Pair]) -> None:
    pair = paired()
    pair.tamper("edit", "server", "datagram", 2, part="last_byte")
    first = pair.connect()
    assert pair.datagram_tap is not None
    conversation = pair.datagram_tap.connections[0]
    sent, relayed = (
        [chunk.data for chunk in chunks if chunk.sender is Role.SERVER][1]
        for chunks in (conversation.sent, conversation.chunks)
    )

    assert first.outcome is Outcome.FULL
    assert (relayed[:-1], relayed[-1]) == (sent[:-1], sent[-1] ^ 1)


@pytest.mark.parametrize(
    ("what", "message", "part"),
    [
        ("drop", "ClientHello", None),
        ("edit", "datagram", "session_id"),
        ("insert", "datagram", None),
        ("reverse", "datagram", None),
        ("cut", "datagram", None),
        ("drop", "flight", None),
    ],
)
def test_what_takes_the_keys_of_the_packets_is_refused(
    paired: Callable[..., Pair], what: str, message: str, part: str | None
) -> None:
    with pytest.raises(UsageError, match="name a datagram"):
        paired().tamper(what, "client", message, part=part)


def test_early_data_is_refused_with_the_reason(paired: Callable[..., Pair]) -> None:
    with pytest.raises(UsageError, match="OpenSSL's QUIC has no early data"):
        paired(max_early_data=100)


@pytest.mark.parametrize("stack", ["openssl", "pyopenssl", "ssl"])
def test_a_stack_without_quic_says_why(machine: tuple[Machine, Runtime], libssl: Stack, stack: str) -> None:
    stacks = machine[0].one(stack), libssl
    with pytest.raises(UnsupportedError, match="QUIC"):
        Pair(stacks, TLSVersion.QUICv1, machine[1], client=ClientConfig(), server=ServerConfig())
