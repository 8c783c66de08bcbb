"""How the ends of a cell meet: over TCP, or in the memory of one agent, which a part of the cells proves right.

PYTEST_DONT_REWRITE: it asserts nothing.
"""

from __future__ import annotations

import zlib
from enum import StrEnum
from inspect import signature
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import pytest

from harness.model.errors import DisagreementError, UsageError, did_you_mean
from harness.pair.pair import Pair
from harness.plugin.asserting import read_by_assert
from harness.stacks.libssl import LibsslStack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.matrix.cells import Cell
    from harness.model.connection import Connection
    from harness.plugin.shared import Run

BOTH = 20
"""Of so many cells whose ends meet in memory, one goes over TCP as well."""


class Over(StrEnum):
    """The value of ``--over``."""

    MEMORY = "memory"
    TCP = "tcp"

    @classmethod
    def parse(cls, text: str) -> Over:
        """Read what a user wrote; UsageError says what is allowed."""
        if text not in [*cls]:
            raise UsageError(f"--over cannot be {text!r}; it is {' or '.join(cls)}{did_you_mean(text, cls)}")
        return cls(text)


def joins(cell: Cell, over: Over) -> bool:
    """Whether the ends of a cell meet in memory: those of libssl of one build, in what TCP else carries."""
    one = cell.client_stack is cell.server_stack and isinstance(cell.client_stack, LibsslStack)
    return over is Over.MEMORY and one and not cell.tls.datagrams


def pair_of(cell: Cell, run: Run, *, in_memory: bool) -> Pair:
    """The pair of a cell; UnsupportedError if a stack lacks what it is to be."""
    of = run.in_memory.of if in_memory else lambda stack: stack
    made = Pair(
        (of(cell.client_stack), of(cell.server_stack)),
        cell.tls,
        run.runtime,
        client=cell.client,
        server=cell.server,
        close=cell.close,
        seconds={role: of(stack) for role, stack in cell.seconds.items()},
    )
    made.read_by_assert = read_by_assert
    return made


def is_for_both(item: pytest.Function, cell: Cell, over: Over, seen: Sequence[Connection]) -> bool:
    """Whether a cell goes both ways, by its node id, so that it is the same in each run.

    Its test has nothing but its pair and its own values, so that it can run twice, and no connections in threads, whose
    order is chance.
    """
    if zlib.crc32(item.nodeid.encode()) % BOTH or not joins(cell, over):
        return False
    return {*arguments(item)} == {*item.callspec.params} and not any("thread" in during(one) for one in seen)


def arguments(item: pytest.Function) -> dict[str, Any]:
    """What the test is called with."""
    return {name: item.funcargs[name] for name in signature(item.obj).parameters if name in item.funcargs}


def during(connection: Connection) -> set[str]:
    """The names of what was done during a connection."""
    return {action.name for action in connection.setup.during} if connection.setup else set()


def go_over_tcp(item: pytest.Function, cell: Cell, run: Run, seen: Sequence[Connection]) -> None:
    """Run the test of a cell over TCP too; DisagreementError unless its connections show what they did in memory."""
    __tracebackhide__ = True
    pair = pair_of(cell, run, in_memory=False)
    try:
        item.obj(**arguments(item) | {"pair": pair})
    except (Exception, pytest.fail.Exception, pytest.skip.Exception) as error:
        message = f"the cell passes in memory, and over TCP it does not: {type(error).__name__}: {error}"
        raise DisagreementError(message) from error
    finally:
        pair.close()
    compare(seen, pair.connections)


def compare(memory: Sequence[Connection], tcp: Sequence[Connection]) -> None:
    """Find the first connection that shows something else in memory than over TCP; DisagreementError."""
    from harness.explore.observe import features  # noqa: PLC0415 - for one cell in many

    for number, (one, other) in enumerate(zip_longest(features(memory), features(tcp)), 1):
        if one != other:
            raise DisagreementError(
                f"connection {number} is not the same in memory and over TCP: {one} and {other}; one of both ways is "
                f"not true"
            )
