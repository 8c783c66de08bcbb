"""Both ends in one agent over memory, with clocks of their own, show what they show over TCP."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING

import psutil
import pytest
from msgspec.structs import replace

from harness.agent.joined.joining import JOIN
from harness.explore.generate import standing
from harness.explore.observe import features
from harness.explore.play import UNSUPPORTED, play
from harness.model.errors import UnsupportedError
from harness.model.knobs import ClientConfig
from harness.model.tls import USUAL_VERSIONS, Close, Role, TLSVersion
from harness.pair.pair import Pair
from harness.stacks.libssl import LibsslStack
from harness.story.step import Offer
from harness.story.steps import Age, CloseOpen, Connect, Exchange, Open, Renegotiate, RunClock, StopClock
from harness.story.story import End, Story
from harness.tests.raw_agent import libssl_build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.runtime.runtime import Runtime

AGAIN = Connect(offer=Offer(connection=1))
STORIES = {
    "resumed": (Connect(), AGAIN),
    "reset": (Connect(close=Close.RST), AGAIN),
    "reset, then a close_notify": (Connect(close=Close.RST_SHUTDOWN_READ), AGAIN),
    "reset, then a read": (Connect(close=Close.RST_READ_SHUTDOWN), AGAIN),
    "cut": (Connect(close=Close.EOF), AGAIN),
    "client only": (Connect(close=Close.CLIENT_ONLY), AGAIN),
    "server only": (Connect(close=Close.SERVER_ONLY), AGAIN),
    "expired": (Connect(), Age(seconds=8000), AGAIN),
    "a clock that runs on": (Connect(), RunClock(of=Role.SERVER, seconds=7300, pace=0.1), AGAIN),
    "one clock": (Connect(), StopClock(of=Role.SERVER, seconds=9000), AGAIN),
    "open": (Open(), Exchange(), Open(), CloseOpen(connection=1), CloseOpen(connection=2)),
}


WITHOUT_CLOCKS = """
import sys

from harness.agent import program
from harness.agent.drivers.libssl.time import SLOTS

SLOTS.clear()
sys.argv[1:4] = []
program.main()
"""
"""An agent on a machine whose tables of functions are unknown."""


@pytest.fixture(scope="module")
def joined(runtime: Runtime) -> Iterator[LibsslStack]:
    stack = LibsslStack(libssl_build(), runtime, joins=True)
    yield stack
    stack.close()


def shown(story: Story, stack: LibsslStack, runtime: Runtime) -> object:
    played = play(story, stack, runtime)
    return played.ended, played.why, features(played.connections)


@pytest.mark.parametrize("tls", USUAL_VERSIONS)
@pytest.mark.parametrize("name", STORIES)
def test_memory_and_tcp_show_the_same(
    runtime: Runtime, honest: LibsslStack, joined: LibsslStack, name: str, tls: TLSVersion
) -> None:
    story = standing(Story(tls=tls, steps=STORIES[name]))

    assert shown(story, joined, runtime) == shown(story, honest, runtime)


def test_a_renegotiation_is_the_same_in_memory(runtime: Runtime, honest: LibsslStack, joined: LibsslStack) -> None:
    server = End(knobs={"client_renegotiation": "on"})
    story = standing(Story(tls=TLSVersion.TLSv1_2, server=server, steps=(Open(), Renegotiate(), CloseOpen())))

    assert shown(story, joined, runtime) == shown(story, honest, runtime)


def test_a_handshake_in_a_thread_goes_over_tcp(runtime: Runtime, honest: LibsslStack, joined: LibsslStack) -> None:
    steps = (Connect(), Open(thread=True), CloseOpen(connection=2))
    story = standing(Story(tls=TLSVersion.TLSv1_2, steps=steps))
    played = play(story, joined, runtime)

    assert [one.tcp is not None and one.tcp.client_port > 0 for one in played.connections] == [False, True]
    assert shown(story, joined, runtime) == shown(story, honest, runtime)


def test_nothing_passes_through_tcp(runtime: Runtime, joined: LibsslStack) -> None:
    (made,) = play(Story(tls=TLSVersion.TLSv1_3, steps=(Connect(),)), joined, runtime).connections

    assert made.tcp is not None
    assert made.tcp.client_port == 0
    assert len(made.chunks) > 2


def test_a_clock_in_memory_dates_the_session(runtime: Runtime, joined: LibsslStack) -> None:
    steps = (StopClock(of=Role.CLIENT, seconds=-1_000_000), Connect(), Connect())
    played = play(standing(Story(tls=TLSVersion.TLSv1_2, steps=steps)), joined, runtime)
    plain = play(standing(Story(tls=TLSVersion.TLSv1_2, steps=(Connect(),))), joined, runtime)

    assert [plain.connections[0].session.time - one.session.time > 999_000 for one in played.connections] == [True] * 2


def test_a_clock_in_memory_runs_at_its_pace(runtime: Runtime, joined: LibsslStack) -> None:
    """At a pace of a million, the second handshake is far from the moment that the first one met."""
    pair = Pair((joined, joined), TLSVersion.TLSv1_2, runtime, client=ClientConfig(clock=0))
    pair.client.run_clock(1_000_000_000, 1_000_000)
    times = [pair.connect().session.time for _ in range(2)]
    pair.close()

    assert 1_000_000_000 <= times[0] < times[1] - 100


def test_a_clock_that_an_agent_cannot_set_is_said(runtime: Runtime) -> None:
    build = dataclasses.replace(libssl_build(), python=(sys.executable, "-c", WITHOUT_CLOCKS))
    stack = LibsslStack(build, runtime, joins=True)
    pair = Pair((stack, stack), TLSVersion.TLSv1_2, runtime, client=ClientConfig(clock=0))

    with pytest.raises(UnsupportedError, match=r"ELF machine .* is unknown to the harness"):
        pair.client.move_clock(5)
    pair.close()
    stack.close()


def test_a_context_that_is_refused_leaves_the_agent_and_its_clocks_alive(runtime: Runtime, joined: LibsslStack) -> None:
    """A context with a clock is followed by requests about it, which a refused one cannot answer."""
    story = standing(Story(tls=TLSVersion.TLSv1_2, steps=(Connect(),)))
    refused = standing(replace(story, server=End(knobs={"signature_algorithms": "nobody's"})))
    before = play(story, joined, runtime), agents_of(joined)
    lacking = play(refused, joined, runtime)
    after = play(story, joined, runtime), agents_of(joined)

    assert lacking.ended == UNSUPPORTED
    assert not before[0].ended
    assert not after[0].ended
    assert after[1] == before[1] != []


def agents_of(stack: LibsslStack) -> list[int]:
    """The process ids of the agents of a stack."""
    named = str(stack.build.libssl)
    return [
        child.pid
        for child in psutil.Process().children(recursive=True)
        if named in child.cmdline() and JOIN in child.cmdline()
    ]
