"""What differs only where two builds meet: neither build alone shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.report.diff.difference import differences
from harness.report.diff.run_difference import SCHEMA, UNSUPPORTED, by_id, endpoints, grouped, without_builds
from harness.report.json.shapes import CellObject

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.report.diff.causes import Cause
    from harness.report.diff.difference import Difference
    from harness.report.json.shapes import DeclaredObject, DiffObject, Fate, OneSidedObject, PlaceObject, ResultsObject

    Key = tuple[str, str]
    Place = tuple[str, int | None]
    """An observable, and the number of its connection."""

THEN, THEN_SERVER = "then=", "then.server="
"""What comes before an end in the id of a cell if the cell goes over to it."""


@dataclass(frozen=True)
class Alone:
    """A build with itself."""

    version: str
    cells: Mapping[Key, CellObject]
    """By the scenario and the id without builds."""


@dataclass(frozen=True)
class Ends:
    """The versions of a cell's ends, each in the order in which the cell goes over to it."""

    clients: tuple[str, ...]
    servers: tuple[str, ...]

    @classmethod
    def of(cls, cell: str, labels: Sequence[str]) -> Ends:
        """Read them from the id of a cell; ``labels`` has every ``stack@build`` of the run."""
        known = "|".join(re.escape(label) for label in sorted(labels, key=len, reverse=True))
        clients: list[str] = []
        servers: list[str] = []
        for place, found in enumerate(re.finditer(f"(?P<then>{re.escape(THEN_SERVER)}|{THEN}|)(?P<end>{known})", cell)):
            version = found["end"].partition("@")[2]
            (servers if found["then"] == THEN_SERVER or (not found["then"] and place) else clients).append(version)
        return cls(tuple(clients), tuple(servers))

    @property
    def meet(self) -> bool:
        """Whether they are of more than one build."""
        return len({*self.clients, *self.servers}) > 1

    def __str__(self) -> str:
        return f"client {' then '.join(self.clients)}, server {' then '.join(self.servers)}"


@dataclass(frozen=True)
class Meeting:
    """A cause that stands only where two builds meet."""

    cause: Cause
    declared: list[DeclaredObject]
    """The declared differences that the test of its first cell went by, and those of neither build alone did."""


def meeting_difference(mixed: ResultsObject, older: ResultsObject, newer: ResultsObject) -> DiffObject:
    """Compare each cell in which two builds meet with the same cell of each build alone.

    What is unlike both is a difference, and its value before is theirs. The ids of cells keep their builds, as a client
    of one with a server of the other is not the same as the other way round.
    """
    labels = endpoints(mixed)
    alone = (alone_of(older, mixed), alone_of(newer, mixed))
    compared, unsupported = 0, 0
    lost: list[OneSidedObject] = []
    one_sided: list[OneSidedObject] = []
    groups: dict[Difference, list[PlaceObject]] = {}
    for cell in mixed["cells"]:
        if not Ends.of(cell["cell"], labels).meet:
            continue
        both = [build.cells.get((cell["scenario"], without_builds(cell["cell"], labels))) for build in alone]
        own = [one for one in both if one is not None and one["verdict"] != UNSUPPORTED]
        if gone := next((one for one in (cell, *own) if one.get("lost")), None):
            lost.append(_aside(cell, "error" if gone is not cell else own[0]["verdict"] if own else "absent", gone))
        elif cell["verdict"] == UNSUPPORTED:
            unsupported += 1
        elif len(own) < len(alone):
            lacking = next((one for one in both if one is not None and one not in own), None)
            one_sided.append(_aside(cell, lacking["verdict"] if lacking else "absent", lacking))
        else:
            compared += 1
            for found in unlike_both(cell, alone, own):
                place: PlaceObject = {
                    "scenario": cell["scenario"],
                    "cell": cell["cell"],
                    "connection": found.connection,
                }
                groups.setdefault(found, []).append(place)
    shown: DiffObject = {
        "schema": SCHEMA,
        "before": labels,
        "after": labels,
        "compared": compared,
        "unsupported": unsupported,
        "lost": [{**one} for one in lost],
        "one_sided": one_sided,
        "differences": [grouped(found, places) for found, places in groups.items()],
        "meeting": True,
    }
    return shown


def alone_of(results: ResultsObject, mixed: ResultsObject) -> Alone:
    """Return a build with itself, with those cells of a mixed run whose ends are all of this build."""
    labels = endpoints(mixed)
    version = results["clients"][0].partition("@")[2]
    own = [cell for cell in mixed["cells"] if {*_versions(cell, labels)} == {version}]
    return Alone(version, {**by_id(results), **by_id({**mixed, "cells": own})})


def unlike_both(cell: CellObject, alone: tuple[Alone, Alone], both: Sequence[CellObject]) -> Iterator[Difference]:
    """What a cell shows that neither of the cells of the two builds alone shows.

    If one of them lacks what holds an observable, such as an extension with its length, its value is that of the
    holder.
    """
    first, second = (
        {(one.observable, one.connection): one for one in differences(CellObject, own, cell)} for own in both
    )
    for place in dict.fromkeys([*first, *second]):
        found = [side.get(place) or _holder(place, side) for side in (first, second)]
        own = first.get(place) or second.get(place)
        if own is None or None in found:
            continue
        values = [one.before for one in found if one]
        before = values[0] if values[0] == values[1] else _of_each(alone, values)
        yield replace(own, before=before)


def met(cause: Cause, mixed: ResultsObject, older: ResultsObject, newer: ResultsObject) -> Meeting:
    """Return a cause with the values of its first cell: of each build alone, and where they meet."""
    labels, alone = endpoints(mixed), (alone_of(older, mixed), alone_of(newer, mixed))
    scenario, name = cause.cells[0]
    cell = next(one for one in mixed["cells"] if (one["scenario"], one["cell"]) == (scenario, name))
    own = [build.cells[scenario, without_builds(name, labels)] for build in alone]
    place = (cause.observable, cause.connection)
    sides = [{(one.observable, one.connection): one for one in differences(CellObject, one, cell)} for one in own]
    found = [side.get(place) or _holder(place, side) for side in sides]
    values = [one.before if one else cause.before for one in found]
    table = [(build.version, value) for build, value in zip(alone, values, strict=True)]
    known = [one for each in own for one in each.get("declared", [])]
    here = [one for one in cell.get("declared", []) if one not in known]
    return Meeting(replace(cause, table=(*table, (str(Ends.of(name, labels)), cause.after))), here)


def _versions(cell: CellObject, labels: Sequence[str]) -> tuple[str, ...]:
    ends = Ends.of(cell["cell"], labels)
    return (*ends.clients, *ends.servers)


def _of_each(alone: tuple[Alone, Alone], values: Sequence[str]) -> str:
    return ", ".join(f"{value} in {build.version}" for build, value in zip(alone, values, strict=True))


def _holder(place: Place, side: Mapping[Place, Difference]) -> Difference | None:
    """The difference of what holds an observable, in the same connection."""
    words = place[0].split(".")
    holders = [(".".join(words[:count]), place[1]) for count in range(len(words) - 1, 0, -1)]
    return next((side[key] for key in holders if key in side), None)


def _aside(cell: CellObject, before: Fate, why: CellObject | None) -> OneSidedObject:
    return {
        "scenario": cell["scenario"],
        "cell": cell["cell"],
        "before": before,
        "after": cell["verdict"],
        "reason": why["reason"] if why else "",
    }
