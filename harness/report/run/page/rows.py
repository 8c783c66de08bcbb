"""The rows of all cells, by column, compact enough for twenty thousand cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.report.run.plain_text import well_formed
from harness.report.run.run_summary import blamed, breaches, build, headline, outcomes, reasons, seen, stack

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.report.json.shapes import CellObject
    from harness.report.run.earlier import Comparison

LONGEST = 300
"""Characters of a headline; the cell's view has the full reason."""


def in_order(cells: Sequence[CellObject]) -> list[CellObject]:
    """The cells in the order of rows and blocks: similar ones are adjacent, so that blocks compress well."""
    return sorted(cells, key=lambda cell: (cell["scenario"], cell["tls"], cell["cell"]))


def rows(cells: Sequence[CellObject], comparison: Comparison | None) -> dict[str, Any]:
    """Columns of texts as indexes into a list of distinct texts; seconds unchanged."""
    fates = comparison.fates if comparison else {}
    columns: Mapping[str, Callable[[CellObject], str]] = {
        **COLUMNS,
        "fate": lambda cell: fates.get((cell["scenario"], cell["cell"]), ""),
    }
    return {
        "count": len(cells),
        "seconds": [round(cell["seconds"], 3) for cell in cells],
        "columns": {name: _numbered([well_formed(text(cell)) for cell in cells]) for name, text in columns.items()},
    }


def _numbered(texts: Sequence[str]) -> dict[str, Any]:
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    return {"words": list(places), "cells": [places[text] for text in texts]}


def _name(cell: CellObject) -> str:
    """The id without the ends and the TLS version that it begins with; ``=`` and the whole id if it does not."""
    begin = f"{cell['client']}--{cell['server']}-TLSv{cell['tls']}"
    return cell["cell"].removeprefix(begin) if cell["cell"].startswith(begin) else f"={cell['cell']}"


def _headline(cell: CellObject) -> str:
    return headline(cell)[:LONGEST]


def _why(cell: CellObject) -> str:
    """The most likely reason of a failed cell, or the explanation in a passed one, in one sentence."""
    found = blamed(cell)
    return (found["title"] if found else seen(cell))[:LONGEST]


COLUMNS: Mapping[str, Callable[[CellObject], str]] = {
    "name": _name,
    "scenario": lambda cell: cell["scenario"],
    "client": lambda cell: cell["client"],
    "server": lambda cell: cell["server"],
    "tls": lambda cell: cell["tls"],
    "verdict": lambda cell: cell["verdict"],
    "outcomes": lambda cell: " ".join(outcomes(cell)),
    "headline": _headline,
    "why": _why,
    "reasons": lambda cell: " ".join(reasons(cell)),
    "rules": lambda cell: " ".join(breaches(cell)),
}
"""Each returns a text of a cell; the script splits lists at spaces."""


def choices(cells: Sequence[CellObject]) -> dict[str, list[str]]:
    """Filter options beyond those of the columns: every stack and every build of either end."""
    labels = dict.fromkeys(label for cell in cells for label in (cell["client"], cell["server"]))
    return {
        "stack": sorted({stack(label) for label in labels}),
        "build": sorted({build(label) for label in labels}, key=_by_number),
    }


def _by_number(version: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in version.split(".")]
