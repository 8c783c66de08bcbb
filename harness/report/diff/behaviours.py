"""The behaviours that differ between the builds of a run, each once, with what every build does: the map by version."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from harness.agent.vocabulary import release
from harness.report.diff.causes import STRENGTHS, Cause, rank, span
from harness.report.diff.difference import ABSENT, NONE, differences, shown
from harness.report.diff.run_difference import by_id
from harness.report.json.shapes import CellObject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from harness.report.json.shapes import BehaviourObject, ResultsObject

    Key = tuple[str, str]
    """Scenario and id of a cell without its builds."""
    Cells = Mapping[Key, CellObject]
    Spans = tuple[tuple[tuple[str, ...], str], ...]
    """Neighbouring builds, and the value that all of them show."""

WIRE = STRENGTHS.index("wire")
IN_HELLO = "hellos."
"""Of what the wire shows, only the hellos are in the map: the rest says less to a user."""
NOT_SHOWN = frozenset({"session.ticket_length", "verdict"})
"""Random numbers of other lengths make a ticket longer by a block in some runs; a verdict is about the scenario."""
UNSUPPORTED = "unsupported"


@dataclass(frozen=True)
class Behaviour:
    """An observable that has other values on other builds, in the cells where it changes alike."""

    observable: str
    connection: int | None
    spans: Spans
    cells: tuple[Key, ...]
    beside: tuple[str, ...] = ()
    """The weaker observables that change between the same builds in the first cell."""
    known: tuple[str, ...] = field(default=(), compare=False)
    """For each change in ``spans`` where it is declared or which option it comes from; empty if neither is known."""

    @property
    def strength(self) -> str:
        """One of STRENGTHS."""
        return STRENGTHS[rank(self.observable)]

    @property
    def table(self) -> tuple[tuple[str, str], ...]:
        """``3.0.13-3.1.5`` and the value, in the order of the versions."""
        return tuple((span(versions), value) for versions, value in self.spans)

    def changes(self) -> Iterator[tuple[str, str, Cause]]:
        """Each change as the build before it, the one after it, and the cause that it is between these two."""
        for (older, before), (newer, after) in pairwise(self.spans):
            yield (
                older[-1],
                newer[0],
                Cause(self.observable, before, after, 1, self.cells, self.connection, self.beside),
            )

    def explained(self, known: Callable[[str, str, Cause], str]) -> Behaviour:
        """Return it with what is known of each change."""
        return replace(self, known=tuple(known(*change) for change in self.changes()))

    def to_json(self) -> BehaviourObject:
        """Return it as JSON."""
        return {
            "observable": self.observable,
            "strength": self.strength,
            "connection": self.connection,
            "cells": [f"{scenario}[{cell}]" for scenario, cell in self.cells],
            "beside": list(self.beside),
            "table": [{"builds": builds, "value": value} for builds, value in self.table],
            "known": [text or None for text in self.known],
        }


def builds_apart(runs: Iterable[ResultsObject]) -> list[tuple[str, Cells]]:
    """Return the cells of each build with itself by its version, the oldest first; of two runs, those of the later."""
    found: dict[str, dict[Key, CellObject]] = {}
    for run in runs:
        for label in dict.fromkeys([*run["clients"], *run["servers"]]):
            own = [cell for cell in run["cells"] if cell["client"] == cell["server"] == label]
            if own:
                found.setdefault(label.partition("@")[2], {}).update(by_id({**run, "cells": own}))
    return sorted(found.items(), key=lambda one: release(one[0]))


def behaviours(runs: Sequence[tuple[str, Cells]]) -> list[Behaviour]:
    """Return what differs between the builds, sorted by strength and then by how many cells show it."""
    found: dict[tuple[str, Spans], Behaviour] = {}
    for key in dict.fromkeys(key for _, cells in runs for key in cells):
        there = [(version, cells[key]) for version, cells in runs if key in cells and _seen(cells[key])]
        for one in _of_cell(key, there):
            old = found.get((one.observable, one.spans))
            found[one.observable, one.spans] = replace(old, cells=(*old.cells, *one.cells)) if old else one
    return sorted(found.values(), key=lambda one: (rank(one.observable), -len(one.cells), one.observable, one.spans))


def _seen(cell: CellObject) -> bool:
    return bool(cell["case"]) and not cell.get("lost") and cell["verdict"] != UNSUPPORTED


def _of_cell(key: Key, there: Sequence[tuple[str, CellObject]]) -> Iterator[Behaviour]:
    """What differs in one cell; of the observables that change between the same builds the strongest."""
    together: dict[tuple[tuple[str, ...], ...], list[tuple[str, int | None, Spans]]] = {}
    for (observable, connection), spans in _changing(there).items():
        together.setdefault(tuple(versions for versions, _ in spans), []).append((observable, connection, spans))
    for group in together.values():
        (observable, connection, spans), *others = sorted(group, key=lambda one: rank(one[0]))
        if rank(observable) < WIRE or observable.startswith(IN_HELLO):
            beside = tuple(dict.fromkeys(name for name, _, _ in others if name != observable))
            yield Behaviour(observable, connection, spans, (key,), beside)


def _changing(there: Sequence[tuple[str, CellObject]]) -> dict[tuple[str, int | None], Spans]:
    """The value on each build of every observable that has more than one value."""
    if not there:
        return {}
    first = there[0][1]
    base: dict[tuple[str, int | None], str] = {}
    values: dict[tuple[str, int | None], dict[str, str]] = {}
    for version, cell in there[1:]:
        for one in differences(CellObject, first, cell):
            if one.observable in NOT_SHOWN:
                continue
            base.setdefault((one.observable, one.connection), one.before)
            values.setdefault((one.observable, one.connection), {})[version] = one.after
    for (observable, connection), seen in values.items():
        for version, value in _without_parent(observable, connection, values):
            seen.setdefault(version, value)
    return {
        place: tuple(
            (tuple(version for version, _ in group), value)
            for value, group in groupby(
                [(version, later.get(version, base[place]) or shown(None)) for version, _ in there],
                key=lambda one: one[1],
            )
        )
        for place, later in values.items()
    }


def _without_parent(
    observable: str, connection: int | None, values: Mapping[tuple[str, int | None], Mapping[str, str]]
) -> Iterator[tuple[str, str]]:
    """The builds that do not have what holds an observable, such as an extension with its length."""
    words = observable.split(".")
    for count in range(1, len(words)):
        for version, value in values.get((".".join(words[:count]), connection), {}).items():
            if value in {ABSENT, NONE}:
                yield version, value
