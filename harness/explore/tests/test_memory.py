"""An agent that leaks is found by what malloc has given out; one that does not leak weighs the same."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from harness.explore.generate import standing
from harness.explore.memory import GROWN, LEAK, Scale, growth, weight
from harness.explore.play import play
from harness.model.knobs import ClientConfig
from harness.model.tls import TLSVersion
from harness.stacks.libssl import LibsslStack
from harness.story.step import Offer
from harness.story.steps import Connect
from harness.story.story import Story
from harness.tests.raw_agent import libssl_build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.runtime.runtime import Runtime

STORY = standing(Story(tls=TLSVersion.TLSv1_3, steps=(Connect(), Connect(offer=Offer()))))
LEAKS = """
import sys
sys.argv[1:4] = []
from harness.agent import program
from harness.agent.drivers.libssl.context import LibsslContext
lost, free = [], LibsslContext.free

def leak(self):
    lost.append(bytearray(SIZE))
    free(self)

LibsslContext.free = leak
program.main()
"""
"""An agent that loses so many bytes with each context; a story has two contexts."""


@pytest.fixture
def leaking(runtime: Runtime, request: pytest.FixtureRequest) -> Iterator[LibsslStack]:
    script = LEAKS.replace("SIZE", str(request.param))
    stack = LibsslStack(replace(libssl_build(), python=(sys.executable, "-c", script)), runtime, joins=True)
    yield stack
    stack.close()


@pytest.fixture(scope="module")
def sound(runtime: Runtime) -> Iterator[LibsslStack]:
    stack = LibsslStack(libssl_build(), runtime, joins=True)
    yield stack
    stack.close()


@pytest.mark.parametrize("leaking", [1000, 20_000], indirect=True)
def test_a_leak_is_measured(runtime: Runtime, leaking: LibsslStack, request: pytest.FixtureRequest) -> None:
    each = 2 * request.node.callspec.params["leaking"]

    assert each * 0.8 <= growth(partial(play, STORY, leaking, runtime), leaking) <= each + 1000


def test_an_agent_that_leaks_nothing_does_not_grow(runtime: Runtime, sound: LibsslStack) -> None:
    assert growth(partial(play, STORY, sound, runtime), sound) < LEAK


def test_contexts_that_are_never_freed_leak(sound: LibsslStack) -> None:
    assert growth(lambda: sound.client(ClientConfig()), sound) > LEAK


@pytest.mark.parametrize("leaking", [GROWN], indirect=True)
def test_the_scale_notices_an_agent_that_grew(runtime: Runtime, leaking: LibsslStack, sound: LibsslStack) -> None:
    scale = Scale([sound, leaking])
    before = scale.is_up()
    play(STORY, sound, runtime)
    between = scale.is_up()
    play(STORY, leaking, runtime)

    assert [before, between, scale.is_up(), scale.is_up()] == [False, False, True, False]


def test_nobody_can_say_what_an_agent_of_one_end_has(honest: LibsslStack) -> None:
    assert weight(honest) is None
    assert growth(lambda: None, honest) == 0
