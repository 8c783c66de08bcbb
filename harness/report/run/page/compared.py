"""What the template of the comparison shows, and what changed in each cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.report.run.earlier import (
    CAME,
    CHANGED,
    GONE,
    LOST,
    NEWLY_FAILING,
    NEWLY_PASSING,
    NEWLY_SUPPORTED,
    NO_LONGER_SUPPORTED,
    STILL_FAILING,
    of_run,
)
from harness.report.run.page.addresses import cell_link, list_link
from harness.report.run.page.overview import file_of, test_of
from harness.report.run.plain_text import moment
from harness.report.run.run_summary import counted, totals, why

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.report.json.shapes import CellObject, DifferenceObject, PlaceObject, ResultsObject
    from harness.report.run.earlier import (
        Comparison,
        Key,
    )

LISTED = 100
"""Cells of one fate that the comparison shows; the list of cells has all."""
OBSERVABLES = 300
PLACES = 20

TONES = {
    NEWLY_FAILING: "failed",
    STILL_FAILING: "failed",
    NEWLY_PASSING: "passed",
    NO_LONGER_SUPPORTED: "unsupported",
    NEWLY_SUPPORTED: "passed",
    CHANGED: "changed",
    CAME: "changed",
    LOST: "failed",
    GONE: "unsupported",
}
"""The colour of each fate, in display order."""
GROUPED = {CAME, GONE}
"""Fates that are listed by test with a count; changed cells are listed with their observables."""


def comparison_view(comparison: Comparison, now: ResultsObject, unfinished: str) -> dict[str, Any]:
    """The values of comparison.html."""
    failing, passing = len(comparison.of(NEWLY_FAILING)), len(comparison.of(NEWLY_PASSING))
    earlier, cells = comparison.earlier, of_run(now)
    observables = sorted(comparison.changed, key=lambda found: -found["cells"])
    return {
        "title": f"{failing or 'None'} newly failing, {passing or 'none'} newly passing",
        "started": earlier["started"],
        "started_text": moment(earlier["started"]),
        "totals": totals(earlier["cells"]),
        "matched": len(comparison.before),
        "rebuilt": comparison.rebuilt,
        "unfinished": unfinished,
        "parts": [_part(fate, tone, comparison, cells) for fate, tone in TONES.items()],
        "observables": [_observable(found) for found in observables[:OBSERVABLES]],
        "more_observables": max(0, len(observables) - OBSERVABLES),
    }


def earlier_of(comparison: Comparison) -> dict[Key, dict[str, Any]]:
    """For each cell that is in both runs: its earlier verdict, and which observables changed."""
    made: dict[Key, dict[str, Any]] = {
        key: {"verdict": cell["verdict"], "changes": []} for key, cell in comparison.before.items()
    }
    for found in comparison.changed:
        for place in found["places"]:
            change = [found["observable"], found["before"], found["after"], place["connection"]]
            made[place["scenario"], place["cell"]]["changes"].append(change)
    return made


def _part(fate: str, tone: str, comparison: Comparison, cells: dict[Key, CellObject]) -> dict[str, Any]:
    named = comparison.gone if fate == GONE else [cells[key] for key in comparison.of(fate)]
    listed = [] if fate in GROUPED else [_cell(comparison.before[key], cells[key]) for key in comparison.of(fate)]
    return {
        "fate": fate,
        "tone": tone,
        "count": len(named),
        "href": "" if fate == GONE else list_link(fate=fate),
        "cells": [] if fate in {*GROUPED, CHANGED} else listed[:LISTED],
        "more": max(0, len(listed) - LISTED),
        "groups": _grouped(fate, named) if fate in GROUPED else [],
    }


def _grouped(fate: str, cells: Iterable[CellObject]) -> list[dict[str, Any]]:
    tests: dict[str, list[CellObject]] = {}
    for cell in cells:
        tests.setdefault(cell["scenario"], []).append(cell)
    return [
        {
            "test": test_of(scenario),
            "file": file_of(scenario),
            "count": len(found),
            "href": "" if fate == GONE else list_link(fate=fate, scenario=scenario),
            "verdicts": ", ".join(f"{count} {verdict}" for verdict, count in counted(found).items() if count),
        }
        for scenario, found in tests.items()
    ]


def _cell(before: CellObject, now: CellObject) -> dict[str, Any]:
    return {
        "href": cell_link((now["scenario"], now["cell"])),
        "test": test_of(now["scenario"]),
        "file": file_of(now["scenario"]),
        "cell": now["cell"],
        "before": before["verdict"],
        "now": now["verdict"],
        "why": why(now),
    }


def _observable(found: DifferenceObject) -> dict[str, Any]:
    return {
        "observable": found["observable"],
        "before": found["before"],
        "after": found["after"],
        "cells": found["cells"],
        "places": [_place(place) for place in found["places"][:PLACES]],
        "more": max(0, len(found["places"]) - PLACES),
    }


def _place(place: PlaceObject) -> dict[str, str]:
    number = f", connection {place['connection']}" if place["connection"] else ""
    return {
        "href": cell_link((place["scenario"], place["cell"])),
        "text": f"{test_of(place['scenario'])} [{place['cell']}]{number}",
    }
