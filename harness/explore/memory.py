"""The memory of agents: whether a story makes one grow each time it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.stacks.agent.stack import AgentStack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harness.stacks.base import Stack

SUSPECTS = 40
"""Stories that are weighed after an agent has grown."""
GROWN = 1 << 20
"""Bytes by which an agent may grow before stories are weighed: caches of the harness fill."""
WARM, ROUNDS, TIMES = 5, 20, 5
"""How often a story runs before it is weighed, how many times it is then weighed at most, and how often each time."""
LEAK = 64
"""Bytes for each time that a story runs, above which an agent leaks."""
MOST = 1 << 62


class Scale:
    """Notices that an agent has grown."""

    def __init__(self, stacks: Iterable[Stack]) -> None:
        self._stacks = tuple(stacks)
        self._last: dict[int, int] = {}
        """The weight of each stack, by its place."""

    def is_up(self) -> bool:
        """Return whether an agent has grown by more than GROWN since it was first weighed, or was last found to."""
        grown = False
        for place, stack in enumerate(self._stacks):
            now = weight(stack)
            if now is not None and now - self._last.setdefault(place, now) > GROWN:
                self._last[place], grown = now, True
        return grown


def weight(stack: Stack) -> int | None:
    """Return the bytes that malloc has given out in the agent of both ends; None if nobody can say.

    The process's size says nothing: the allocator keeps what it has once had, and takes more in steps.
    """
    return stack.memory() if isinstance(stack, AgentStack) else None


def growth(tell: Callable[[], object], stack: Stack) -> int:
    """Return by how many bytes the agent of a build grows each time that a story runs, in the round with the least.

    A leak grows in every round; what is filled once, such as a cache, does not. The first round without a leak is the
    last one. 0 if nobody can say how much the agent has.
    """
    for _ in range(WARM):
        tell()
    least, before = MOST, weight(stack)
    for _ in range(ROUNDS):
        for _ in range(TIMES):
            tell()
        after = weight(stack)
        if before is None or after is None:
            return 0
        least, before = min(least, (after - before) // TIMES), after
        if least <= LEAK:
            break
    return least
