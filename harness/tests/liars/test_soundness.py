"""The harness can fail: liars, peers that do no TLS, and connections that are cut at every step are each caught."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.model.errors import DisagreementError, TimedOutError
from harness.model.tls import Outcome, Role, TLSVersion
from harness.pair.pair import Pair
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine
from harness.tests.liars.raw_ends import RawStack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.stacks.base import Stack
    from harness.tests.liars.lying import Liars

STACKS = ["openssl", "libssl", "pyopenssl", "ssl"]
BOTH_VERSIONS = [TLSVersion.TLSv1_2, TLSVersion.TLSv1_3]


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with Runtime() as opened:
        yield opened


@pytest.fixture(scope="module")
def machine(runtime: Runtime) -> Iterator[Machine]:
    found = Machine(runtime)
    yield found
    found.close()


@pytest.fixture
def pairs(runtime: Runtime) -> Iterator[list[Pair]]:
    made: list[Pair] = []
    deadline = runtime.loop.deadline
    yield made
    runtime.loop.deadline = deadline
    for pair in made:
        pair.close()


def pair_of(pairs: list[Pair], client: Stack, server: Stack, tls: TLSVersion, runtime: Runtime) -> Pair:
    pairs.append(Pair((client, server), tls, runtime))
    return pairs[-1]


@pytest.mark.parametrize("tls", BOTH_VERSIONS)
@pytest.mark.parametrize("liar", list(Role))
def test_an_end_that_says_resumed_when_it_is_not_is_a_disagreement(
    runtime: Runtime, liars: Liars, pairs: list[Pair], tls: TLSVersion, liar: Role
) -> None:
    stacks = {liar: liars.stack(facts={"reused": True}), liar.peer: liars.stack()}
    pair = pair_of(pairs, stacks[Role.CLIENT], stacks[Role.SERVER], tls, runtime)

    with pytest.raises(DisagreementError, match=r"(?s)Disagreement about connection 1.*resumed"):
        pair.connect()


@pytest.mark.parametrize("tls", BOTH_VERSIONS)
@pytest.mark.parametrize("liar", list(Role))
def test_an_end_that_says_full_when_it_was_resumed_is_a_disagreement(
    runtime: Runtime, liars: Liars, pairs: list[Pair], tls: TLSVersion, liar: Role
) -> None:
    stacks = {liar: liars.stack(facts={"reused": False}), liar.peer: liars.stack()}
    pair = pair_of(pairs, stacks[Role.CLIENT], stacks[Role.SERVER], tls, runtime)
    second = pair.connect(pair.connect().session)

    with pytest.raises(DisagreementError, match="Disagreement about connection 2"):
        second.outcome  # noqa: B018  reading it is what raises


@pytest.mark.parametrize("tls", BOTH_VERSIONS)
def test_two_ends_that_lie_together_are_caught_by_the_wire(
    runtime: Runtime, liars: Liars, pairs: list[Pair], tls: TLSVersion
) -> None:
    stacks = liars.stack(facts={"reused": True}), liars.stack(facts={"reused": True})
    pair = pair_of(pairs, *stacks, tls, runtime)

    with pytest.raises(DisagreementError, match=r"(?s)Disagreement.*wire\s+full"):
        pair.connect()


def test_an_end_that_does_not_know_gives_no_verdict(runtime: Runtime, liars: Liars, pairs: list[Pair]) -> None:
    pair = pair_of(pairs, liars.stack(facts={"reused": None}), liars.stack(), TLSVersion.TLSv1_3, runtime)

    with pytest.raises(DisagreementError, match="No verdict: client could not know"):
        pair.connect()


SERVER_HELLO = bytes.fromhex("160303007a020000760303")
CLIENT_HELLO = bytes.fromhex("16030100f8010000f40303")
NOT_TLS = {
    Role.SERVER: {
        "garbage": b"SSH-2.0-OpenSSH_9.2\r\n",
        "http": b"HTTP/1.1 400 Bad Request\r\n\r\n",
        "half a record": SERVER_HELLO,
        "nothing, and an end": b"",
        "an alert": bytes.fromhex("15030300020228"),
        "an empty record": bytes.fromhex("1603030000"),
    },
    Role.CLIENT: {
        "garbage": b"\x00" * 64,
        "http": b"GET / HTTP/1.1\r\n\r\n",
        "half a record": CLIENT_HELLO,
        "nothing, and an end": b"",
    },
}


@pytest.mark.parametrize("what", NOT_TLS[Role.SERVER])
@pytest.mark.parametrize("client", STACKS)
def test_a_server_that_does_no_tls_aborts(
    runtime: Runtime, machine: Machine, pairs: list[Pair], client: str, what: str
) -> None:
    raw = RawStack(runtime.loop, NOT_TLS[Role.SERVER][what])
    pair = pair_of(pairs, machine.one(client), raw, TLSVersion.TLSv1_3, runtime)
    connection = pair.connect(presume_full=False)

    assert connection.outcome is Outcome.ABORTED
    assert connection.last_session is None or not connection.sessions


@pytest.mark.parametrize("what", NOT_TLS[Role.CLIENT])
@pytest.mark.parametrize("server", STACKS)
def test_a_client_that_does_no_tls_aborts(
    runtime: Runtime, machine: Machine, pairs: list[Pair], server: str, what: str
) -> None:
    raw = RawStack(runtime.loop, NOT_TLS[Role.CLIENT][what])
    pair = pair_of(pairs, raw, machine.one(server), TLSVersion.TLSv1_3, runtime)
    connection = pair.connect(presume_full=False)

    assert connection.outcome is Outcome.ABORTED
    assert connection.server.view.evidence


@pytest.mark.parametrize("client", STACKS)
def test_a_silent_server_is_a_timeout_that_names_what_it_waited_for(
    runtime: Runtime, machine: Machine, pairs: list[Pair], client: str
) -> None:
    stack = machine.one(client)
    pair = pair_of(pairs, stack, RawStack(runtime.loop, b"", ends=False), TLSVersion.TLSv1_3, runtime)
    runtime.loop.deadline = 0.5

    with pytest.raises(TimedOutError, match=rf"waited 0\.5 s for .*handshake.*{stack.label}"):
        pair.connect(presume_full=False)


def test_a_time_out_shows_what_a_program_had_printed(runtime: Runtime, machine: Machine, pairs: list[Pair]) -> None:
    silent = RawStack(runtime.loop, b"", ends=False)
    pair = pair_of(pairs, machine.one("openssl"), silent, TLSVersion.TLSv1_3, runtime)
    runtime.loop.deadline = 0.5

    with pytest.raises(TimedOutError) as raised:
        pair.connect(presume_full=False)

    assert any("had printed:\nCONNECTED(" in note for note in raised.value.__notes__)


class CutAfter:
    """A middlebox that resets the connection at a given chunk of bytes."""

    def __init__(self, chunks: int) -> None:
        self._left = chunks

    def feed(self, sender: Role, data: bytes) -> str | None:
        """Count down."""
        self._left -= 1
        return f"cut at {len(data)} bytes of the {sender}" if self._left < 0 else None


FLIGHTS = [
    (TLSVersion.TLSv1_2, False, range(4)),
    (TLSVersion.TLSv1_2, True, range(3)),
    (TLSVersion.TLSv1_3, False, range(3)),
    (TLSVersion.TLSv1_3, True, range(3)),
]
"""The flights of each handshake; to cut one is to cut the handshake."""


@pytest.mark.parametrize(
    ("tls", "resuming", "step"), [(tls, resuming, step) for tls, resuming, steps in FLIGHTS for step in steps]
)
@pytest.mark.parametrize("stack", STACKS)
def test_a_connection_cut_at_any_step_never_counts_as_a_handshake(
    runtime: Runtime, machine: Machine, pairs: list[Pair], stack: str, tls: TLSVersion, step: int, *, resuming: bool
) -> None:
    both = machine.one(stack)
    pair = pair_of(pairs, both, both, tls, runtime)
    offer = pair.connect().session if resuming else None
    pair.put_middlebox(lambda: CutAfter(step))
    cut = pair.connect(offer, presume_full=False)

    assert cut.outcome is Outcome.ABORTED
    assert (cut.blocked or "").startswith("cut at ")


@pytest.mark.parametrize("stack", STACKS)
def test_a_server_goes_on_after_a_client_that_did_no_tls(
    runtime: Runtime, machine: Machine, pairs: list[Pair], stack: str
) -> None:
    pair = pair_of(pairs, machine.one("libssl"), machine.one(stack), TLSVersion.TLSv1_3, runtime)
    real, raw = pair.client.endpoint, RawStack(runtime.loop, b"\x00" * 64).client(pair.client_config)
    pair.client.endpoint = raw
    garbage = pair.connect(presume_full=False)
    pair.client.endpoint = real
    raw.close()
    after = pair.connect()

    assert garbage.outcome is Outcome.ABORTED
    assert after.outcome is Outcome.FULL


@pytest.mark.parametrize("stack", STACKS)
def test_a_handshake_whose_application_data_is_lost_gives_no_verdict(
    runtime: Runtime, machine: Machine, pairs: list[Pair], stack: str
) -> None:
    both = machine.one(stack)
    pair = pair_of(pairs, both, both, TLSVersion.TLSv1_2, runtime)
    offer = pair.connect().session
    pair.put_middlebox(lambda: CutAfter(3))
    cut = pair.connect(offer)

    with pytest.raises(DisagreementError, match="No verdict: "):
        cut.outcome  # noqa: B018  reading it is what raises
