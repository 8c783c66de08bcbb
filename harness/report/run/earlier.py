"""Compares a run with an earlier one: cells that are newly failing, newly passing, changed, added or removed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.report.diff.run_difference import endpoints, run_difference, without_builds
from harness.report.json.shapes import ConnectionObject, fields
from harness.report.run.run_summary import BAD, connections

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.report.json.shapes import CellObject, DifferenceObject, ResultsObject

    Key = tuple[str, str]
    """Scenario and id of a cell."""
    Cells = dict[Key, CellObject]

NEWLY_FAILING, NEWLY_PASSING, STILL_FAILING = "newly failing", "newly passing", "still failing"
NO_LONGER_SUPPORTED, NEWLY_SUPPORTED = "no longer supported", "newly supported"
CHANGED, CAME, GONE = "changed", "new", "gone"
LOST = "lost"
"""The harness lost it in one of the runs, so that nothing is known about a change."""
FATES = (NEWLY_FAILING, NEWLY_PASSING, STILL_FAILING, NO_LONGER_SUPPORTED, NEWLY_SUPPORTED, CHANGED, CAME, LOST)
"""How a cell of this run can differ from the earlier one, the most important first; most cells do not differ."""


@dataclass
class Comparison:
    """This run compared with an earlier one."""

    earlier: ResultsObject
    fates: dict[Key, str] = field(default_factory=dict)
    """The fate of each cell of this run that has one."""
    before: Cells = field(default_factory=dict)
    """The earlier cell of each cell of this run that has one, by the id of this run."""
    gone: list[CellObject] = field(default_factory=list)
    rebuilt: int = 0
    """How many cells were matched although a build has a different version now."""
    changed: Sequence[DifferenceObject] = ()
    """Observables that differ, without verdicts and without those that earlier results do not have."""

    def of(self, fate: str) -> list[Key]:
        """The cells of this run with this fate."""
        return [key for key, found in self.fates.items() if found == fate]


def compare(earlier: ResultsObject, now: ResultsObject) -> Comparison:
    """Match the cells of both runs and find the fate of each."""
    before, after, rebuilt = matched(earlier, now)
    made = Comparison(earlier, rebuilt=rebuilt)
    made.gone = [cell for key, cell in before.items() if key not in after]
    made.before = {key: before[key] for key in after if key in before}
    difference = run_difference(earlier, now, (made.before, {key: after[key] for key in made.before}))
    optional = {key for key, field in fields(ConnectionObject).items() if not field.required}
    untold = optional - {key for cell in earlier["cells"] for connection in connections(cell) for key in connection}
    untold |= {"verdict"}
    made.changed = [found for found in difference["differences"] if found["observable"].partition(".")[0] not in untold]
    differing = {(place["scenario"], place["cell"]) for found in made.changed for place in found["places"]}
    for key, cell in after.items():
        if fate := fate_of(before.get(key), cell, differs=key in differing):
            made.fates[key] = fate
    return made


def fate_of(before: CellObject | None, now: CellObject, *, differs: bool) -> str:
    """One of FATES; empty if nothing changed."""
    if before is None:
        return CAME
    if before.get("lost") or now.get("lost"):
        return LOST
    old, new = before["verdict"], now["verdict"]
    if new in BAD:
        return STILL_FAILING if old in BAD else NEWLY_FAILING
    if old in BAD and new == "passed":
        return NEWLY_PASSING
    if old != new:
        return NO_LONGER_SUPPORTED if new == "unsupported" else NEWLY_SUPPORTED
    return CHANGED if differs else ""


def matched(earlier: ResultsObject, now: ResultsObject) -> tuple[Cells, Cells, int]:
    """The cells of both runs under the keys of this one, and how many were matched without their builds.

    A cell is matched by its id. The rest is matched by id without builds if that is unique on both sides, as
    after an upgrade of OpenSSL.
    """
    before, after = (of_run(results) for results in (earlier, now))
    old = _left(before, after, endpoints(earlier))
    new = _left(after, before, endpoints(now))
    renamed = {old[name]: new[name] for name in old if name in new}
    return {renamed.get(key, key): cell for key, cell in before.items()}, after, len(renamed)


def of_run(results: ResultsObject) -> Cells:
    """The cells of a run by scenario and id."""
    return {(cell["scenario"], cell["cell"]): cell for cell in results["cells"]}


def _left(cells: Mapping[Key, CellObject], other: Iterable[Key], labels: Iterable[str]) -> dict[Key, Key]:
    """The keys that the other run does not have, by key without builds if that is unique."""
    known, labels = set(other), sorted(labels, key=len, reverse=True)
    nameless = {key: (key[0], without_builds(key[1], labels)) for key in cells if key not in known}
    counts = Counter(nameless.values())
    return {name: key for key, name in nameless.items() if counts[name] == 1}
