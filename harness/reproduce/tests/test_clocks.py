"""Clocks that only stand still are left out of a story, and a story that needs more than one clock is recognised."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.tls import TLSVersion
from harness.pair.pair import Pair
from harness.reproduce.clocks import ACTIONS, Clocks, has_clocks, one_clock
from harness.reproduce.story_builder import story_of
from harness.runtime.clock import library

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine

NOW = 1_800_000_000

pytestmark = pytest.mark.skipif(library() is None, reason="libfaketime has no library for this system")


@pytest.fixture
def pair(machine: tuple[Machine, Runtime]) -> Iterator[Pair]:
    libssl = machine[0].one("libssl")
    configs = {"client": ClientConfig(clock=0), "server": ServerConfig(clock=0)}
    pair = Pair((libssl, libssl), TLSVersion.TLSv1_3, machine[1], **configs)  # type: ignore[arg-type]
    yield pair
    pair.close()


def test_clocks_that_stand_still_at_one_time_are_left_out(pair: Pair) -> None:
    pair.stop_clocks(NOW)
    pair.connect()
    pair.connect(offer=pair.connections[0].session)
    story = story_of(pair.connections)

    assert not has_clocks(story)
    assert [action for attempt in story.attempts for action in attempt.before if action.name in ACTIONS] == []


def test_clocks_that_move_together_are_one_clock(pair: Pair) -> None:
    pair.stop_clocks(NOW)
    pair.connect()
    pair.age(60)
    pair.connect()
    story = story_of(pair.connections)
    clocks = Clocks()

    assert one_clock(story)
    assert [{stand.faketime for _, stand in clocks.at(attempt)} for attempt in story.attempts] == [
        {str(NOW)},
        {str(NOW + 60)},
    ]


def test_a_clock_that_moves_alone_takes_two(pair: Pair) -> None:
    pair.connect()
    pair.server.move_clock(60)
    pair.connect()

    assert not one_clock(story_of(pair.connections))


def test_a_clock_that_runs_on_is_set_once(pair: Pair) -> None:
    for end in (pair.client, pair.server):
        end.run_clock(NOW + 0.5)
    pair.connect()
    pair.connect()
    clocks = Clocks()

    assert [[stand.faketime for _, stand in clocks.at(attempt)] for attempt in story_of(pair.connections).attempts] == [
        ["@1800000000.500000", "@1800000000.500000"],
        [],
    ]
