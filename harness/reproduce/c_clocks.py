"""The clocks of contexts as a C program with its ends in two processes sets them; moves none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.reproduce.c_knobs import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model.setup import Action
    from harness.model.tls import Role
    from harness.reproduce.story import Attempt, Story

ACTIONS = ("move_clock", "stop_clock")


def has_clocks(story: Story) -> bool:
    """Whether the clock of a context is another than the true one."""
    return any(context.knobs.get("clock") is not None for context in story.contexts)


class Clocks:
    """How the clock of each context stands: moved by so many seconds, or stopped at a time that is not 0."""

    def __init__(self) -> None:
        self._stand: dict[tuple[Role, object], tuple[int, int]] = {}

    def _turn(self, action: Action) -> None:
        moved, stopped = action.values.get("seconds", 0), action.values.get("at", 0)
        if isinstance(moved, int) and isinstance(stopped, int) and action.role is not None:
            self._stand[action.role, action.values["context"]] = moved, stopped

    def set_for(self, attempt: Attempt) -> Iterator[str]:
        """Statements that set the clocks of both ends for an attempt, those alone that are not always the true one."""
        for action in attempt.before:
            if action.name in ACTIONS:
                self._turn(action)
        for context in (attempt.client, attempt.server):
            clock = context.knobs.get("clock")
            if isinstance(clock, int):
                moved, stopped = self._stand.get((context.role, context.number), (clock, 0))
                yield f"set_clock({int(context.role == 'client')}, {number(moved)}, {number(stopped)});"
