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
CLIENT_HELLO = f"{IN_HELLO}client."
HELLO_PARTS = 3
"""The parts of the name of a hello itself, as in `hellos.client.ClientHello`."""
UNSUPPORTED = "unsupported"
FAILED = frozenset({"failed", "error"})
"""The verdicts of a cell that is not as its scenario says."""


@dataclass(frozen=True)
class Behaviour:
    """An observable that has other values on other builds, in the cells where it changes alike."""

    observable: str
    connection: int | None
    spans: Spans
    cells: tuple[Key, ...]
    beside: tuple[str, ...] = ()
    """The weaker observables that change between the same builds in the first cell."""
    follows: tuple[str, ...] = ()
    """For each change in ``spans`` the stronger observable that changes between the same builds; empty if none does."""
    failed: tuple[str, ...] = ()
    """The builds on which one of its cells failed, the oldest first."""
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
        values = pairwise(value for _, value in self.spans)
        for (older, newer), (before, after) in zip(_between(self.spans), values, strict=True):
            yield (
                older,
                newer,
                Cause(self.observable, before, after, 1, self.cells, self.connection, self.beside),
            )

    def explained(self, known: Callable[[str, str, Cause], str]) -> Behaviour:
        """Return it with what is known of each change; what nobody knows may follow from a stronger observable."""
        found = [
            known(*change) or (f"follows from {head}" if head else "")
            for change, head in zip(self.changes(), self.follows, strict=True)
        ]
        return replace(self, known=tuple(found))

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
            "failed": list(self.failed),
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
            found[one.observable, one.spans] = _both(old, one) if old else one
    return sorted(found.values(), key=lambda one: (rank(one.observable), -len(one.cells), one.observable, one.spans))


def _seen(cell: CellObject) -> bool:
    return bool(cell["case"]) and not cell.get("lost") and cell["verdict"] != UNSUPPORTED


def _both(one: Behaviour, other: Behaviour) -> Behaviour:
    """One row for cells that change alike; a change follows from a stronger one only if it does in all of them."""
    return replace(
        one,
        cells=(*one.cells, *other.cells),
        follows=tuple(head if then else "" for head, then in zip(one.follows, other.follows, strict=True)),
        failed=tuple(sorted({*one.failed, *other.failed}, key=release)),
    )


def _of_cell(key: Key, there: Sequence[tuple[str, CellObject]]) -> Iterator[Behaviour]:
    """What differs in one cell; of the observables that change between the same builds the strongest.

    What changes only where something stronger does, in the same connection or an earlier one, is left out: it follows.
    """
    together: dict[tuple[tuple[str, ...], ...], list[tuple[str, int | None, Spans]]] = {}
    changing = _changing(there)
    for (observable, connection), spans in changing.items():
        together.setdefault(tuple(versions for versions, _ in spans), []).append((observable, connection, spans))
    failed = tuple(version for version, cell in there if cell["verdict"] in FAILED)
    for group in together.values():
        (observable, connection, spans), *others = sorted(group, key=lambda one: rank(one[0]))
        follows = tuple(_head(observable, connection, change, changing) for change in _between(spans))
        if (rank(observable) < WIRE or observable.startswith(IN_HELLO)) and not all(follows):
            beside = tuple(dict.fromkeys(name for name, _, _ in others if name != observable))
            yield Behaviour(observable, connection, spans, (key,), beside, follows, failed)


def _head(
    observable: str, connection: int | None, change: tuple[str, str], changing: Mapping[tuple[str, int | None], Spans]
) -> str:
    """The strongest observable that changes between the same two builds and decides this one; empty if none does.

    A ClientHello is sent before anything else of its connection. One that only one of the builds sends is not: the
    connection ended before it.
    """
    strength = rank(observable)
    hello = ".".join(observable.split(".")[:HELLO_PARTS])
    sent = change not in _between(changing.get((hello, connection), ()))
    late = observable.startswith(CLIENT_HELLO) and sent
    found = [
        (rank(name), number, f"{name} of connection {number}")
        for (name, number), spans in changing.items()
        if number is not None
        and rank(name) < min(strength, WIRE)
        and (connection is None or number < connection or (number == connection and not late))
        and change in _between(spans)
    ]
    return min(found)[-1] if found else ""


def _between(spans: Spans) -> list[tuple[str, str]]:
    """The builds before and after each change."""
    return [(older[-1], newer[0]) for (older, _), (newer, _) in pairwise(spans)]


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
