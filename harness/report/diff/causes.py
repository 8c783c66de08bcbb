"""Groups the differences of two runs by cause: what changes in the same cells is one, headed by what matters most."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from harness.report.diff.difference import differences, shown
from harness.report.json.shapes import CellObject

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.report.json.shapes import CauseObject, DifferenceObject

    Key = tuple[str, str]
    """Scenario and id of a cell without its builds."""

STRENGTHS = ("outcome", "mechanism", "alert", "tickets", "counters", "session", "wire")
"""What a cause can be headed by, the strongest first; `wire` is everything else that a connection shows."""
OTHER_NAMES = {
    "disagreement": "outcome",
    "connection": "outcome",
    "verdict": "outcome",
    "renegotiation_resumed": "mechanism",
    "was_offered": "mechanism",
}
BY_VALUE = STRENGTHS.index("counters")
"""Up to here two values are two causes; of what is weaker, all values of one observable are one."""
LENGTH = re.compile(r"messages\.\w+\.\w+\.length")
"""How long a message is follows from what a hello lists: a server asks for what it offers as a client."""
IN_HELLO = "hellos."
TOGETHER = 0.9
"""The share of the cells of a weaker difference that a cause must have for it to be one of its consequences."""


@dataclass(frozen=True)
class Cause:
    """What changed in some cells, with what changed beside it."""

    observable: str
    before: str
    after: str
    values: int
    """How many different pairs of values it has; the most frequent is shown."""
    cells: tuple[Key, ...]
    connection: int | None
    """That of the first cell."""
    beside: tuple[str, ...]
    """The weaker observables that changed in the same cells."""
    changes: tuple[tuple[str, str, str], ...] = ()
    """The observable and the most frequent values, before and after, of each change beside it."""
    declared: str = ""
    """``declared in scenarios/x.py, since 3.2 (for *@>=3.2, …)``; empty if no scenario declares it."""
    options: str = ""
    """The options of the builds that explain it, ``zstd with libssl@3.5.9 alone``; empty if they do not."""
    table: tuple[tuple[str, str], ...] = ()
    """``3.0.13-3.1.5`` and the value, in the order of the versions."""
    between: tuple[str, ...] = ()
    """The last build without the change and the first one with it, of those that have results here."""
    commit: str = ""
    """The commit that it comes from, with its date and title; empty if nobody looked for it."""
    command: str = ""
    """Runs the first cell again on the second build."""

    @property
    def strength(self) -> str:
        """One of STRENGTHS."""
        return STRENGTHS[rank(self.observable)]

    def to_json(self) -> CauseObject:
        """Return it as JSON."""
        return {
            "observable": self.observable,
            "strength": self.strength,
            "before": self.before,
            "after": self.after,
            "values": self.values,
            "cells": len(self.cells),
            "scenarios": sorted({scenario.partition("::")[0] for scenario, _ in self.cells}),
            "beside": list(self.beside),
            "declared": self.declared or None,
            "options": self.options or None,
            "since": self.between[-1] if self.between else None,
            "commit": self.commit or None,
            "table": [{"builds": builds, "value": value} for builds, value in self.table],
            "command": self.command,
        }


def rank(observable: str) -> int:
    """Return the place of an observable in STRENGTHS."""
    head = observable.partition(".")[0]
    name = OTHER_NAMES.get(head, head)
    return STRENGTHS.index(name) if name in STRENGTHS else len(STRENGTHS) - 1


@dataclass
class _Change:
    """All places of one difference, or of one weak observable."""

    observable: str
    values: Counter[tuple[str, str]] = field(default_factory=Counter)
    cells: dict[Key, int | None] = field(default_factory=dict)

    @property
    def frequent(self) -> tuple[str, str]:
        """Its most frequent values."""
        return self.values.most_common(1)[0][0]


def causes(found: Iterable[DifferenceObject]) -> list[Cause]:
    """Return the causes, sorted by strength and then by how many cells change."""
    changes: dict[tuple[str, ...], _Change] = {}
    for one in sorted(found, key=lambda one: -one["cells"]):  # the first cell is one of the most frequent values
        by_value = (one["before"], one["after"]) if rank(one["observable"]) <= BY_VALUE else ()
        change = changes.setdefault((one["observable"], *by_value), _Change(one["observable"]))
        change.values[one["before"], one["after"]] += one["cells"]
        for place in one["places"]:
            change.cells.setdefault((place["scenario"], place["cell"]), place["connection"])
    left = sorted(changes.values(), key=lambda change: (rank(change.observable), -len(change.cells)))
    made: list[Cause] = []
    while left:
        head, *left = left
        beside = [other for other in left if _follows(other, head)]
        left = [other for other in left if other not in beside]
        names = tuple(dict.fromkeys(other.observable for other in beside if other.observable != head.observable))
        cells = tuple(head.cells)
        made.append(
            Cause(
                head.observable,
                *head.frequent,
                values=len(head.values),
                cells=cells,
                connection=head.cells[cells[0]],
                beside=names,
                changes=tuple((other.observable, *other.frequent) for other in beside),
            )
        )
    return made


def _follows(other: _Change, head: _Change) -> bool:
    """Whether a difference is a consequence: it happens only, or nearly only, where the stronger one does."""
    common = len(other.cells.keys() & head.cells.keys())
    if rank(other.observable) == rank(head.observable):
        length = LENGTH.fullmatch(other.observable) and head.observable.startswith(IN_HELLO)
        return other.cells.keys() <= head.cells.keys() if length else other.cells.keys() == head.cells.keys()
    return common >= TOGETHER * len(other.cells)


def over_builds(cause: Cause, runs: Sequence[tuple[str, Mapping[Key, CellObject]]], until: str = "") -> Cause:
    """Return the cause with its value in the first cell on each build; ``runs`` are in the order of the versions.

    ``until`` is the later one of the two builds: the change lies before it.
    """
    key = cause.cells[0]
    there = [(version, cells[key]) for version, cells in runs if key in cells and cells[key]["case"]]
    if not there:
        return cause
    first = there[0][1]
    values, base = [], ""
    for version, cell in there:
        changed = [
            one
            for one in differences(CellObject, first, cell)
            if one.observable == cause.observable and one.connection == cause.connection
        ]
        base = base or (changed[0].before if changed else "")
        values.append((version, changed[0].after if changed else ""))
    spans = []
    for value, group in groupby(values, key=lambda one: one[1]):
        versions = [version for version, _ in group]
        spans.append((versions, value or base or shown(None)))
    return replace(
        cause,
        table=tuple((between(versions), value) for versions, value in spans),
        between=_last_change([versions for versions, _ in spans], until),
    )


def between(versions: Sequence[str]) -> str:
    """Return ``3.0.13-3.1.5`` for neighbouring builds, the oldest first."""
    return versions[0] if len(versions) == 1 else f"{versions[0]}-{versions[-1]}"


def _last_change(spans: Sequence[Sequence[str]], until: str) -> tuple[str, ...]:
    """The two builds around the last change before a build, or at it."""
    for older, newer in pairwise(spans):
        if until in newer:
            return older[-1], newer[0]
    return ()
