"""Stacks for the explorer's tests: this machine's libssl, honest and lying, under two versions."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.explore.generate import standing
from harness.explore.seeds import shipped
from harness.stacks.libssl import LibsslStack
from harness.tests.liars.lying import Liars
from harness.tests.raw_agent import libssl_build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.runtime.runtime import Runtime
    from harness.story.story import Story


@pytest.fixture(scope="module")
def liars(runtime: Runtime) -> Iterator[Liars]:
    made = Liars(runtime)
    yield made
    made.close()


@pytest.fixture(scope="module")
def seeds() -> list[Story]:
    return [standing(story) for story in shipped()]


@pytest.fixture
def mortal(runtime: Runtime) -> Iterator[LibsslStack]:
    """A stack whose agents end by SIGABRT as soon as they are asked for anything but their hello."""
    dies = "import os, sys; line = sys.stdin.readline(); print(HELLO, flush=True); sys.stdin.readline(); os.abort()"
    hello = '{"id": 1, "ok": {"protocol": 2}}'
    build = replace(libssl_build(), python=(sys.executable, "-c", dies.replace("HELLO", repr(hello))))
    stack = LibsslStack(build, runtime)
    yield stack
    stack.close()
