"""What is known: entries of known.toml, each with its builds, its date and its evidence."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date  # noqa: TC003 - msgspec reads the annotations at run time
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from harness.explore.oracles import BROKEN, BUILDS
from harness.matrix.expectation import Builds
from harness.model.errors import UsageError, given_bytes
from harness.model.tls import Role
from harness.story.reading import story_of_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.explore.oracles import Suspicion
    from harness.story.story import Story

SHIPPED = Path(__file__).parent / "known.toml"
ADVICE = "name a file in the form of harness/explore/known.toml"
ENABLED = tuple(f"{role}.versions=" for role in Role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A behaviour that some builds are known to have: it masks its observable in stories that have what it needs."""

    name: str
    oracle: str
    """The oracle that objects to it (harness.explore.oracles)."""
    observables: tuple[str, ...]
    """The observables, laws or rules; of a difference the strongest and those that change with it."""
    builds: str | tuple[str, ...]
    """The builds that have it, as one range or several: see harness.matrix.expectation.Builds."""
    seen: date
    evidence: str
    needs: tuple[str, ...] = ()
    """What a story must have, as `parts` names it; without it the entry masks nothing."""
    scenario: str = ""
    """Where it is pinned."""
    story: str = ""
    """The JSON of a small story that shows it; its stacks have no build, so that any build can run it."""

    def __post_init__(self) -> None:
        for each in self.ranges:
            Builds(each)
        if not self.evidence.strip() or not self.observables or not self.ranges:
            raise UsageError(f"{self.name}: a known behaviour needs its observables, its builds and its evidence")
        if (story := self.example) is not None and not self.fits(story):
            raise UsageError(f"{self.name}: its story lacks what it needs: {', '.join(self.needs)}")

    @property
    def example(self) -> Story | None:
        """The story that shows it; None if there is none."""
        return story_of_text(self.story, self.name) if self.story else None

    @property
    def ranges(self) -> tuple[str, ...]:
        """Return the ranges of the builds that have it."""
        return (self.builds,) if isinstance(self.builds, str) else self.builds

    def has(self, label: str) -> bool:
        """Return whether a ``stack@build`` has it."""
        return any(Builds(each).has(label) for each in self.ranges)

    def fits(self, story: Story) -> bool:
        """Return whether a story has what the behaviour needs; of an alternative, such as ``a|b``, one of them."""
        found = parts(story)
        return all(found.intersection(need.split("|")) for need in self.needs)


def parts(story: Story) -> set[str]:
    """Return the words for what a story has.

    Such as ``tls=1.3``, ``server.timeout``, ``server.timeout=-1``, ``new_server``, ``eof``, ``edit.kex_group``. An
    offer that is `older`, or has another `timeout`, is an edit too. A version that an end enables by its knob is there
    as well as that of the story.
    """
    found = {f"tls={story.tls}"}
    for role in Role:
        for name, text in story.end(role).knobs.items():
            found |= {f"{role}.{name}", f"{role}.{name}={text}"}
    for step in story.steps:
        found.add(step.kind)
        role = Role.CLIENT if "client" in step.kind else Role.SERVER
        for name, text in getattr(step, "knobs", {}).items():
            found |= {f"{role}.{name}", f"{role}.{name}={text}"}
        found |= {str(getattr(step, name)) for name in ("close", "how") if hasattr(step, name)}
        offer = getattr(step, "offer", None)
        if offer is None:
            continue
        changed = {"older": offer.older or None, "timeout": offer.timeout}
        edits = {**offer.edit, **{name: value for name, value in changed.items() if value is not None}}
        for name, text in edits.items():
            found |= {f"edit.{name}", f"edit.{name}={text}"}
    enabled = [part.partition("=")[2] for part in found if part.startswith(ENABLED)]
    return found | {f"tls={version}" for versions in enabled for version in versions.split(",")}


def known(path: Path = SHIPPED) -> list[Known]:
    """Return the entries of a file; UsageError says which entry is wrong, and why."""
    try:
        rows: Any = tomllib.loads(given_bytes(path, str(path), ADVICE).decode()).get("known", [])
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}; {ADVICE}") from error
    found = []
    for number, row in enumerate(rows, 1):
        try:
            found.append(msgspec.convert(row, Known))
        except (msgspec.ValidationError, TypeError, UsageError) as error:
            raise UsageError(f"{path}: entry {number}: {error}") from error
    return found


def masks(entries: Sequence[Known], suspicion: Suspicion, story: Story) -> Known | None:
    """Return the first entry that explains a suspicion in a story; None if it is unknown.

    A difference is explained if each two builds that differ are parted by the range of an entry about its observable.
    """
    about = [
        each
        for each in entries
        if each.oracle == suspicion.oracle and suspicion.what in each.observables and each.fits(story)
    ]
    if not about:
        return None
    if suspicion.oracle != BUILDS:
        broken = [label for label, value in suspicion.values if value == BROKEN]
        return next((each for each in about if all(map(each.has, broken))), None)
    pairs = [(a, b) for (a, one), (b, other) in combinations(suspicion.values, 2) if one != other]
    parted = all(any(_parts(each, a, b) for each in about) for a, b in pairs)
    return about[0] if parted else None


def _parts(entry: Known, one: str, other: str) -> bool:
    return entry.has(one) is not entry.has(other)
