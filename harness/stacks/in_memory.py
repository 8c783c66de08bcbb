"""The stacks of libssl with both ends of a pair in one agent, where they meet in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.stacks.libssl import LibsslStack

if TYPE_CHECKING:
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack


class InMemory:
    """Made once for each stack; a stack that cannot join its ends stays as it is."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._made: dict[str, LibsslStack] = {}

    def of(self, stack: Stack) -> Stack:
        """Return the stack of the same label whose ends meet in memory."""
        if not isinstance(stack, LibsslStack):
            return stack
        if stack.label not in self._made:
            self._made[stack.label] = LibsslStack(stack.build, self._runtime, joins=True)
        return self._made[stack.label]

    def close(self) -> None:
        """End their agents."""
        for stack in self._made.values():
            stack.close()
