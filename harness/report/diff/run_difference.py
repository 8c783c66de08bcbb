"""What differs between two runs of the same cells on two builds, grouped by observable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.diff.difference import differences
from harness.report.json.shapes import CellObject

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.report.diff.difference import Difference
    from harness.report.json.shapes import (
        DifferenceObject,
        DiffObject,
        LostObject,
        OneSidedObject,
        PlaceObject,
        ResultsObject,
    )

    Key = tuple[str, str]
    """Scenario and id of a cell."""

SCHEMA = 1
UNSUPPORTED = "unsupported"


def run_difference(
    before: ResultsObject,
    after: ResultsObject,
    cells: tuple[Mapping[Key, CellObject], Mapping[Key, CellObject]] | None = None,
) -> DiffObject:
    """Compare two results.json cell by cell; ids match if they differ only in builds.

    ``cells`` are the cells of both by common keys, if they are matched in another way.
    """
    first, second = cells or (by_id(before), by_id(after))
    compared, unsupported = 0, 0
    lost: list[LostObject] = []
    one_sided: list[OneSidedObject] = []
    groups: dict[Difference, list[PlaceObject]] = {}
    for scenario, cell in dict.fromkeys([*first, *second]):
        one, other = first.get((scenario, cell)), second.get((scenario, cell))
        lacking = [side for side in (one, other) if side is None or side["verdict"] == UNSUPPORTED]
        fates = (one["verdict"] if one else "absent", other["verdict"] if other else "absent")
        unknown = next((side for side in (one, other) if side is not None and side.get("lost")), None)
        if unknown:
            reason = unknown["reason"]
            lost.append({"scenario": scenario, "cell": cell, "before": fates[0], "after": fates[1], "reason": reason})
        elif one is not None and other is not None and not lacking:
            compared += 1
            for found in differences(CellObject, one, other):
                place: PlaceObject = {"scenario": scenario, "cell": cell, "connection": found.connection}
                groups.setdefault(found, []).append(place)
        elif len(lacking) == 1:
            one_sided.append(
                {
                    "scenario": scenario,
                    "cell": cell,
                    "before": fates[0],
                    "after": fates[1],
                    "reason": lacking[0]["reason"] if lacking[0] else "",
                }
            )
        else:
            unsupported += 1
    return {
        "schema": SCHEMA,
        "before": endpoints(before),
        "after": endpoints(after),
        "compared": compared,
        "unsupported": unsupported,
        "lost": lost,
        "one_sided": one_sided,
        "differences": [grouped(found, places) for found, places in groups.items()],
    }


def endpoints(results: ResultsObject) -> list[str]:
    """Every ``stack@build`` of a run."""
    return list(dict.fromkeys([*results["clients"], *results["servers"]]))


def by_id(results: ResultsObject) -> dict[tuple[str, str], CellObject]:
    """The cells by scenario and by id without builds."""
    labels = endpoints(results)
    return {(cell["scenario"], without_builds(cell["cell"], labels)): cell for cell in results["cells"]}


def without_builds(cell: str, labels: Iterable[str]) -> str:
    """A cell's id with each ``stack@build`` as its stack alone."""
    for label in sorted(labels, key=len, reverse=True):
        cell = cell.replace(label, label.partition("@")[0])
    return cell


def grouped(found: Difference, places: list[PlaceObject]) -> DifferenceObject:
    """Return a difference with all its places, as JSON."""
    return {
        "observable": found.observable,
        "before": found.before,
        "after": found.after,
        "cells": len({(place["scenario"], place["cell"]) for place in places}),
        "places": places,
    }
