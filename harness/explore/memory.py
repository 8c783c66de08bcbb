"""The memory of agents: whether a story makes one grow each time it runs."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.stacks.base import Stack

SUSPECTS = 40
"""Stories that are weighed after an agent has grown."""
GROWN = 48 << 20
"""Bytes by which an agent may grow before stories are weighed: its allocator keeps what it has once had."""
WARM, ROUNDS, TIMES = 15, 2, 20
"""How often a story runs before it is weighed, how many times it is then weighed, and how often it runs for each."""
LEAK = 4096
"""Bytes for each time that a story runs, above which an agent leaks."""


class Scale:
    """Notices that an agent has grown."""

    def __init__(self, stacks: Sequence[Stack]) -> None:
        self._stacks = stacks
        self._last: dict[str, int] = {}

    def is_up(self) -> bool:
        """Return whether an agent has grown by more than GROWN since it was first weighed, or was last found to."""
        grown = False
        for stack in self._stacks:
            now = weight(stack)
            first = self._last.setdefault(stack.label, now)
            if now - first > GROWN:
                self._last[stack.label], grown = now, True
        return grown


def weight(stack: Stack) -> int:
    """Return the resident bytes of the agents of a build, of which this process is the parent."""
    named = str(stack.build.libssl)
    found = 0
    for child in psutil.Process().children(recursive=True):
        try:
            if named in child.cmdline():
                found += child.memory_info().rss
        except psutil.Error:
            continue
    return found


def growth(tell: Callable[[], object], stack: Stack) -> int:
    """Return by how many bytes the agents of a build grow each time that a story runs, in the round with the least.

    A leak grows in every round, an allocator in steps.
    """
    for _ in range(WARM):
        tell()
    weights = [weight(stack)]
    for _ in range(ROUNDS):
        for _ in range(TIMES):
            tell()
        weights.append(weight(stack))
    return min(later - earlier for earlier, later in pairwise(weights)) // TIMES
