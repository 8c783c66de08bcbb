"""The exploration: makes a story, runs it on every build, and follows up what an oracle objects to."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace
from math import inf
from random import Random
from typing import TYPE_CHECKING

from harness.case.case import Ends, refusals
from harness.explore import memory
from harness.explore.corpus import FINDINGS, FLAKY, KNOWN, Waiting, digest
from harness.explore.finding import Finding, write
from harness.explore.generate import VERSIONS, Generator, is_playable, standing
from harness.explore.known import masks, parts
from harness.explore.observe import features, outcome_of
from harness.explore.oracles import BROKEN, BUILDS, ENDS, KEPT, MEMORY, RULES, Suspicion, suspicions
from harness.explore.play import UNSUPPORTED, play
from harness.explore.seeds import is_small
from harness.explore.shrink import shrunk
from harness.explore.values import accepted, knob_values
from harness.model.errors import UsageError
from harness.results.uncollected import settled
from harness.stacks.in_memory import InMemory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from harness.explore.corpus import Folder
    from harness.explore.known import Known
    from harness.explore.play import Played
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack
    from harness.story.plan import Plan
    from harness.story.story import Story

REPEATS = 3
"""How often a finding must be seen again before it counts."""
FOLLOWED = 4
"""How often a kind of suspicion is followed up, as it can have several causes."""
FOLLOWING = 0.3
"""The share of the time in which suspicions are followed up while there are more stories to tell."""
LAST = 0.8
"""The share of the time after which those that wait come first."""
REMEMBERED = 20_000
"""Stories whose suspicions are remembered: what is made smaller from several sides meets the same ones."""
EVERY = 5.0
"""Seconds between two reports of progress, and two writings of the state."""
BY_TCP = 20
"""Of so many programs one is also run over TCP, in processes whose clocks libfaketime moves; both must agree."""
WEIGHED = 400
"""Programs between two looks at the memory of the agents."""
SHRINKING = WEIGHING = 60.0
"""Seconds in which a finding is made smaller, and stories are weighed, at most, if there are so many left."""

Declared = "Callable[[Story, Suspicion], str]"
"""Returns the scenario that declares a suspicion; empty if none does."""


@dataclass
class Explorer:
    """One exploration of some builds; ``report`` is called with each line of progress."""

    runtime: Runtime
    stacks: Sequence[Stack]
    folder: Folder
    seeds: Sequence[Story]
    known: Sequence[Known]
    declared: Callable[[Story, Suspicion], str] = lambda _story, _suspicion: ""
    report: Callable[[str], None] = lambda _line: None
    with_scenario: bool = False
    own: Sequence[Story] = ()
    """Stories of the user's, which are played before the seeds."""
    blank: bool = False
    """Whether it begins with two plain connections of each version, and takes of the seeds the knobs' values alone."""
    part: tuple[int, int] = (0, 1)
    """Which part of the seeds is played, and of how many: shards play different ones."""
    found: list[Path] = field(default_factory=list)
    """The folders of the new findings of this run."""

    def __post_init__(self) -> None:
        own = [standing(story) for story in self.own if is_playable(story)]
        if left := len(self.own) - len(own):
            what = f"those of {', '.join(VERSIONS)} without a man in the middle can be explored"
            if not own:
                raise UsageError(f"no story of --from can be explored: {what}")
            self.report(f"{left} stories of --from are left out: {what}")
        self._corpus = self.folder.stories()
        self._begun = time.monotonic()
        self._end = inf
        """When the time of a run is over, by time.monotonic."""
        self._before = self.folder.state.seconds
        self._shown = self._begun
        self._first = sum(state.programs for state in self.folder.of_shards())
        self._tuples = set(self.folder.state.tuples)
        self._trying = ""
        self._following = 0.0
        """Seconds in which suspicions were followed up."""
        self._remembered: dict[tuple[str, ...], list[Suspicion]] = {}
        self._in_memory = InMemory(self.runtime)
        self._fast: dict[str, Stack] = {stack.label: self._in_memory.of(stack) for stack in self.stacks}
        self._scale = memory.Scale(self._fast.values())
        self._values = accepted(knob_values([*self.own, *self.seeds], self.stacks), [*self._fast.values()])
        self._generator = Generator(self._values, self._fits)
        begin = self._generator.plain() if self.blank else self.seeds
        seeds = [standing(story) for story in begin if is_small(story) and is_playable(story)]
        first, of = self.part
        mine = seeds[first::of]
        Random(self.folder.state.seed).shuffle(mine)  # noqa: S311 - each shard in an order of its own
        self.first = [*own[first::of], *mine] or [*own, *seeds]
        """The stories with which it begins."""

    def close(self) -> None:
        """End the agents that join both ends in memory."""
        self._in_memory.close()

    def _fits(self, story: Story, plan: Plan) -> bool:
        """Whether every build can tell a story."""
        return not any(refusals(story, Ends(stack, stack), plan) for stack in self.stacks)

    @settled()
    def run(self, seconds: float) -> None:
        """Explore for so many seconds; what then still waits to be followed up is the first thing of the next run.

        What is being followed up at the end is filed in the form that it has by then.
        """
        self._begun = time.monotonic()
        self._end = self._begun + seconds
        try:
            while (passed := time.monotonic() - self._begun) < seconds:
                due = self._following < FOLLOWING * passed or passed > LAST * seconds
                if not (due and self.follow_next()):
                    self.program()
                self._progress()
        finally:
            self._note()

    @settled()
    def replay(self, stories: Sequence[Story]) -> None:
        """Tell the shard's part of these stories once each, and follow up what an oracle objects to."""
        first, of = self.part
        try:
            for story in [story for story in stories if is_playable(story)][first::of]:
                self.tell(standing(story))
                self._progress()
            while self.follow_next():
                self._progress()
        finally:
            self._note()

    def program(self) -> None:
        """Tell the next story: first those of the scenarios, then new ones."""
        number = self.folder.state.programs
        random = Random(f"{self.folder.state.seed}:{number}")  # noqa: S311 - stories, not keys
        if number < len(self.first):
            story: Story | None = self.first[number]
        else:
            story = self._generator.story(random, self._corpus or self.first)
        self.folder.state.programs += 1
        if story is not None:
            self.tell(story)
        if number % WEIGHED == WEIGHED - 1:
            self._corpus += self.folder.of_others()
            if self._scale.is_up():
                self._weigh()

    def tell(self, story: Story) -> None:
        """Tell one story on every build, and note what an oracle objects to."""
        self._trying = " ".join(step.kind for step in story.steps)
        played = self._played(story, self.stacks)
        if any(one.ended == UNSUPPORTED for one in played):
            return
        if self.folder.state.programs % BY_TCP == 0:
            place = self.folder.state.programs // BY_TCP % len(self.stacks)
            self._compare(story, played[place], self.stacks[place])
        self._keep_if_new(story, played)
        differs = False
        for suspicion in suspicions(played):
            if suspicion.oracle == BUILDS and differs:
                continue  # a weaker observable of a difference that is followed up
            where = self._where(story, suspicion)
            differs |= suspicion.oracle == BUILDS and not where
            self._note_suspicion(story, suspicion, where)

    def _played(self, story: Story, stacks: Sequence[Stack]) -> list[Played]:
        return [play(story, self._fast[stack.label], self.runtime) for stack in stacks]

    def _compare(self, story: Story, fast: Played, stack: Stack) -> None:
        """File a story that shows something else over TCP than in memory: one of both ways is not true."""
        slow = play(story, stack, self.runtime)
        if slow.ended != UNSUPPORTED and _shown(slow) != _shown(fast):
            values = ((f"{stack.label} in memory", _said(fast)), (f"{stack.label} over TCP", _said(slow)))
            what = Suspicion(ENDS, "transport", 0, values)
            self._write(FLAKY, Finding(story, what, (stack,), "memory and TCP disagree"))

    def _keep_if_new(self, story: Story, played: Sequence[Played]) -> None:
        seen = {digest((one.label, one.why, features(one.connections))) for one in played}
        if not seen <= self._tuples:
            self._tuples |= seen
            self.folder.add(story)
            self._corpus.append(story)

    def _where(self, story: Story, suspicion: Suspicion) -> str:
        """Where a suspicion is known; empty if it is new."""
        entry = masks(self.known, suspicion, story)
        return f"{entry.name} ({entry.scenario or entry.seen})" if entry else self.declared(story, suspicion)

    def _note_suspicion(self, story: Story, suspicion: Suspicion, where: str) -> None:
        """Let a suspicion wait until it is followed up; new ones come before known ones, rare ones before others."""
        state = self.folder.state
        kind = digest((suspicion.oracle, suspicion.what, pattern(suspicion), bool(where)))
        if state.tried.get(kind, 0) >= FOLLOWED or (where and self.folder.found(digest(where))):
            return
        if where and any(one.where == where for one in state.waiting):
            return
        place = sum(1 for one in state.waiting if (bool(one.where), 0) <= (bool(where), state.tried.get(kind, 0)))
        state.waiting.insert(place, Waiting(story.to_json(), replace(suspicion, beside=()), where))
        state.tried[kind] = state.tried.get(kind, 0) + 1

    def follow_next(self) -> bool:
        """Follow up the suspicion that is next; False if none waits."""
        state = self.folder.state
        if not state.waiting:
            return False
        waiting, begun = state.waiting[0], time.monotonic()
        self._trying = f"to make smaller: {waiting.suspicion.oracle} {waiting.suspicion.what}"
        self.follow(waiting.read(), waiting.suspicion, waiting.where)
        state.waiting.remove(waiting)
        self._following += time.monotonic() - begun
        return True

    def follow(self, story: Story, suspicion: Suspicion, where: str = "") -> None:
        """Repeat a suspicion, make its story smaller and file it; ``where`` it is known, if it is."""
        if where and self.folder.found(digest(where)):
            return
        stacks = self._two(suspicion)
        again = self._repeated(story, suspicion, stacks)
        if again is None:
            self._write(FLAKY, Finding(story, suspicion, tuple(stacks), f"it did not repeat {REPEATS} times"))
            return
        small, whole = shrunk(
            story,
            lambda one: self._same(one, again, stacks, masked=bool(where), play_it=False) is not None,
            self._values,
            min(self._end, time.monotonic() + SHRINKING),
        )
        last = self._same(small, again, stacks, masked=bool(where)) or again
        if whole:
            where = self._where(small, last)  # what is known may have been there beside it, or be all that it comes to
        named = sorted(part for part in parts(small) if "=" not in part or part.startswith("tls="))
        shape = (pattern(last), named) if last.oracle != RULES else ()
        key = digest(where) if where else digest((last.oracle, last.what, *shape))
        if self.folder.found(key):
            return
        on_all = self._same(small, again, self.stacks, masked=bool(where)) or last
        found = Finding(small, replace(on_all, beside=()), tuple(stacks), where, whole)
        self._file(key, KNOWN if where else FINDINGS, found)

    def _two(self, suspicion: Suspicion) -> list[Stack]:
        """The builds that a suspicion is about: the first two neighbours that differ, or the last that breaks a law."""
        values = dict(suspicion.values)
        if suspicion.oracle == BUILDS:
            for one, other in zip(self.stacks, self.stacks[1:], strict=False):
                if values[one.label] != values[other.label]:
                    return [one, other]
        bad = [stack for stack in self.stacks if values[stack.label] != KEPT]
        return bad[-1:]

    def _repeated(self, story: Story, suspicion: Suspicion, stacks: Sequence[Stack]) -> Suspicion | None:
        """The suspicion on these builds alone; None if it does not come back each time."""
        found = None
        for number in range(REPEATS):
            found = self._same(story, suspicion, stacks, masked=True, by_tcp=number == REPEATS - 1)
            if found is None:
                return None
        return found

    def _same(
        self,
        story: Story,
        wanted: Suspicion,
        stacks: Sequence[Stack],
        *,
        masked: bool,
        by_tcp: bool = False,
        play_it: bool = True,
    ) -> Suspicion | None:
        """The same suspicion in a story on these builds; one that is ``masked`` counts only where that is asked.

        Unless it is to ``play_it``, what the story showed before is taken.
        """
        values = dict(wanted.values)
        labels = [stack.label for stack in stacks if stack.label in values]
        kept = (story.text(), *(stack.label for stack in stacks))
        if play_it or kept not in self._remembered:
            played = [play(story, stack, self.runtime) for stack in stacks] if by_tcp else []
            if not played or any(one.ended == UNSUPPORTED for one in played):  # its contexts have clocks of their own
                played = self._played(story, stacks)
            if len(self._remembered) >= REMEMBERED:
                self._remembered.clear()
            self._remembered[kept] = suspicions(played)
        for found in self._remembered[kept]:
            if (found.oracle, found.what) != (wanted.oracle, wanted.what):
                continue
            now = dict(found.values)
            alike = all(now[label] == values[label] for label in labels) or (
                found.oracle == BUILDS and _pattern(now, labels) == _pattern(values, labels) and found.what != "outcome"
            )
            if alike and (masked or masks(self.known, found, story) is None):
                return found
        return None

    def _file(self, key: str, kind: str, finding: Finding) -> None:
        """Write a finding, unless another shard has filed one of the same key meanwhile."""
        place = self._write(kind, finding)
        if self.folder.file(key, place) and kind == FINDINGS:
            self.found.append(place)

    def _write(self, kind: str, finding: Finding) -> Path:
        """Write the folder of a finding, and return it."""
        suspicion = finding.suspicion
        slug = re.sub(r"\W+", "-", f"{suspicion.oracle}-{suspicion.what}").strip("-")
        made = self.folder.new(kind, slug)
        write(made, finding, self.runtime, scenario=self.with_scenario)
        place = self.folder.settle(made)
        self.report(f"{ {FINDINGS: 'finding', KNOWN: 'known', FLAKY: 'flaky'}[kind] } {place.name}: {suspicion.title}")
        return place

    def _weigh(self) -> None:
        """Look for the story that makes an agent grow, among those that showed something new last."""
        until = min(self._end, time.monotonic() + WEIGHING)
        for story in reversed(self._corpus[-memory.SUSPECTS :]):
            for stack in self.stacks:
                if time.monotonic() >= until:
                    return
                fast = self._fast[stack.label]
                grown = memory.growth(lambda: play(story, fast, self.runtime), fast)  # noqa: B023 - called at once
                if grown > memory.LEAK:
                    values = tuple((one.label, BROKEN if one is stack else KEPT) for one in self.stacks)
                    key = digest((MEMORY, stack.label, sorted(parts(story))))
                    if not self.folder.found(key):
                        what = Suspicion(MEMORY, f"{grown} bytes each time", 0, values)
                        self._file(key, FINDINGS, Finding(story, what, (stack,), ""))

    def _progress(self) -> None:
        now = time.monotonic()
        if now - self._shown >= EVERY:
            self._shown = now
            self._note()
            self.report(self.line())

    def line(self) -> str:
        """Return one line of progress, of all shards of the folder."""
        states = self.folder.of_shards()
        programs = sum(state.programs for state in states)
        rate = (programs - self._first) / max(time.monotonic() - self._begun, 0.001)
        names = [name for state in states for name in state.findings.values()]
        counts = ", ".join(
            f"{sum(name.startswith(f'{kind}/') for name in names)} {word}"
            for kind, word in ((FINDINGS, "findings"), (KNOWN, "known"))
        )
        behaviours = len(self._tuples.union(*(state.tuples for state in states)))
        waiting = sum(len(state.waiting) for state in states)
        wait = f", {waiting} to follow up" if waiting else ""
        return (
            f"{programs} programs ({rate:.0f} a second), {behaviours} behaviours, {counts}{wait}; trying {self._trying}"
        )

    def _note(self) -> None:
        state = self.folder.state
        state.seconds = self._before + time.monotonic() - self._begun
        state.tuples = sorted(self._tuples)
        self.folder.save()


def _shown(played: Played) -> object:
    """What must be the same over TCP and in memory."""
    return played.ended, played.why, features(played.connections)


def _said(played: Played) -> str:
    outcomes = " ".join(map(outcome_of, played.connections))
    return f"{outcomes} {played.ended} {played.why} {digest(_shown(played))}"


def pattern(suspicion: Suspicion) -> str:
    """Return which builds show the same, as letters: ``AABBB``."""
    return _pattern(dict(suspicion.values), [label for label, _ in suspicion.values])


def _pattern(values: dict[str, str], labels: Sequence[str]) -> str:
    letters: dict[str, str] = {}
    return "".join(letters.setdefault(values[label], chr(ord("A") + len(letters))) for label in labels)
