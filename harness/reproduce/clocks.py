"""Tracks the clock setting of each context over the attempts of a story."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.model.capability import CLOCK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model.setup import Action
    from harness.model.tls import Role
    from harness.reproduce.story import Attempt, Context, Story

ACTIONS = ("move_clock", "stop_clock", "run_clock")


@dataclass(frozen=True, slots=True)
class Stand:
    """A clock setting: moved by seconds, stopped at a time, or running from a time."""

    moved: int = 0
    stopped: int | None = None
    runs_from: float | None = None

    @property
    def faketime(self) -> str:
        """Return it as a timestamp of libfaketime with FAKETIME_FMT ``%s``."""
        if self.stopped is not None:
            return str(self.stopped)
        return f"{self.moved:+d}" if self.runs_from is None else f"@{self.runs_from:.6f}"


def has_clocks(story: Story) -> bool:
    """Return whether any context has its own clock."""
    return any(context.knobs.get(CLOCK) is not None for context in story.contexts)


class Clocks:
    """The clocks of all contexts; call ``at`` for the attempts in order."""

    def __init__(self) -> None:
        self._stands: dict[tuple[Role, object], Stand] = {}

    def _turn(self, action: Action) -> None:
        moved, at = action.values.get("seconds", 0), action.values.get("at")
        if action.role is None or not isinstance(moved, int):
            return
        stand = Stand(moved)
        if isinstance(at, int | float):
            stand = Stand(runs_from=at) if action.name == "run_clock" else Stand(stopped=int(at))
        self._stands[action.role, action.values["context"]] = stand

    def at(self, attempt: Attempt) -> Iterator[tuple[Context, Stand]]:
        """Yield the clock settings of both ends in an attempt, without an end that always has the true time.

        A clock that runs from a time is yielded only in the attempt in which it was set.
        """
        for action in attempt.before:
            if action.name in ACTIONS:
                self._turn(action)
        turned = {(action.role, action.values["context"]) for action in attempt.before if action.name in ACTIONS}
        for context in (attempt.client, attempt.server):
            clock, key = context.knobs.get(CLOCK), (context.role, context.number)
            stand = self._stands.get(key, Stand(clock if isinstance(clock, int) else 0))
            if clock is not None and (stand.runs_from is None or key in turned):
                yield context, stand


def one_clock(story: Story) -> bool:
    """Return whether both ends always have the same clock setting, so that they can share a process."""
    clocks = Clocks()
    stands = [{stand for _, stand in clocks.at(attempt)} for attempt in story.attempts]
    both = all(context.knobs.get(CLOCK) is not None for context in story.contexts)
    return both and all(len(stand) <= 1 for stand in stands)


def without_still_clocks(story: Story) -> Story:
    """Return the story without clocks if all are stopped at the same time, which only makes ages exact."""
    clocks = Clocks()
    stands = {(stand.moved, stand.stopped) for attempt in story.attempts for _, stand in clocks.at(attempt)}
    if len(stands) != 1 or next(iter(stands))[1] is None or not one_clock(story):
        return story
    return replace(story, attempts=tuple(map(_without_clock, story.attempts)))


def _without_clock(attempt: Attempt) -> Attempt:
    before = tuple(action for action in attempt.before if action.name not in ACTIONS)
    client, server = (_clockless(context) for context in (attempt.client, attempt.server))
    return replace(attempt, before=before, client=client, server=server)


def _clockless(context: Context) -> Context:
    given, knobs = (
        {name: value for name, value in values.items() if name != CLOCK} for values in (context.given, context.knobs)
    )
    return replace(context, given=given, knobs=knobs)
