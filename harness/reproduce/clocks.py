"""How the clock of each context of a story stands, attempt by attempt."""

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
    """One of: moved by so many seconds, stopped at a time, or running on from a time."""

    moved: int = 0
    stopped: int | None = None
    runs_from: float | None = None

    @property
    def faketime(self) -> str:
        """It as a timestamp of libfaketime whose FAKETIME_FMT is ``%s``."""
        if self.stopped is not None:
            return str(self.stopped)
        return f"{self.moved:+d}" if self.runs_from is None else f"@{self.runs_from:.6f}"


def has_clocks(story: Story) -> bool:
    """Whether the clock of a context is another than the true one."""
    return any(context.knobs.get(CLOCK) is not None for context in story.contexts)


class Clocks:
    """The clocks of all contexts; to be asked about the attempts in their order."""

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
        """How the clocks of both ends stand in an attempt; nothing of an end whose clock is always the true one.

        A clock that runs on from a time is there in the attempt in which it was set, and in none after it.
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
    """Whether the clocks of both ends always stand alike, so that one process can have both ends."""
    clocks = Clocks()
    stands = [{stand for _, stand in clocks.at(attempt)} for attempt in story.attempts]
    both = all(context.knobs.get(CLOCK) is not None for context in story.contexts)
    return both and all(len(stand) <= 1 for stand in stands)


def without_still_clocks(story: Story) -> Story:
    """The story without its clocks, if all of them stand still at one time: so they only make ages exact."""
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
