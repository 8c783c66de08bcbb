"""Runs the scenarios on builds, or takes the results that are kept of them."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from harness.cli.runs.inner_run import results_of
from harness.results.run_cache import Journal, merged, name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.cli.runs.build_ends import BuildEnds
    from harness.report.json.shapes import ResultsObject
    from harness.results.run_cache import RunCache, Unit

ENDED = frozenset({0, 1})
"""pytest's exit codes of a run that came to its end: all passed, or some failed."""
MOST_AGAIN = 100
"""Cells that run once more; where more are lost, it is the machine that is broken."""


def of_builds(
    ends: Sequence[BuildEnds],
    chosen: Sequence[str],
    cache: RunCache | None,
    *,
    fresh: bool = False,
    title: str = "",
    maybe_none: bool = False,
) -> list[ResultsObject]:
    """Return the results of each build with itself; builds without kept results run together, in one run.

    ``maybe_none``: a build alone may have no cell, as where a session goes over from one build to another.
    """
    units = [end.with_servers(end) for end in ends]
    if len({end.version for end in ends}) < len(ends):
        return [one for unit in units for one in of_units([unit], chosen, cache, fresh=fresh, title=title)]
    same = [*chosen, "--resumption-matrix=same"]
    return of_units(units, same, cache, fresh=fresh, title=title, maybe_none=maybe_none)


def of_units(
    units: Sequence[Unit],
    arguments: Sequence[str],
    cache: RunCache | None,
    *,
    fresh: bool = False,
    title: str = "",
    maybe_none: bool = False,
) -> list[ResultsObject]:
    """Return the results of units: those that are kept, and those of one run of what is missing, which are kept then.

    ``fresh`` runs all of it. It is an error if there is no cell, unless there is ``maybe_none``. A run that is
    interrupted keeps its cells. ``title`` is what the units are, if not each is to be named.
    """
    if cache:
        cache.close_journals()
    kept = {unit.key: results for unit in units if cache and not fresh and (results := cache.get(unit.key))}
    missing = [unit for unit in units if unit.key not in kept or not kept[unit.key]["finished"]]
    for unit in units:
        if unit not in missing and not title:
            click.echo(f"results of {_labels([unit])} are kept", err=True)
    if missing:
        without = [name_of(cell) for unit in missing if unit.key in kept for cell in kept[unit.key]["cells"]]
        there = f"; {len(without)} are kept" if without else ""
        click.echo(f"running {title or f'the cells of {_labels(missing)}'}{there}", err=True)
        clients = [label for unit in missing for label in unit.clients]
        servers = [label for unit in missing for label in unit.servers]
        with cache.journal(missing) if cache else nullcontext(Journal()) as journal:
            run = results_of(
                clients, servers, arguments, folder=journal.results, without=without, maybe_none=maybe_none
            )
            run = without_lost(run, clients, servers, arguments)
            for unit in missing:
                cells = run["cells"] if len(missing) == 1 else unit.own(run["cells"])
                old = kept[unit.key]["cells"] if unit.key in kept else []
                kept[unit.key] = merged(unit, run, [*old, *cells])
            if cache:
                whole = run["exit_status"] in ENDED
                journal.kept = all(cache.put(unit, kept[unit.key], whole=whole) for unit in missing)
    return [kept[unit.key] for unit in units]


def without_lost(
    results: ResultsObject, clients: Sequence[str], servers: Sequence[str], arguments: Sequence[str]
) -> ResultsObject:
    """Run the cells that the harness lost once more, alone; those that it loses again stay lost."""
    lost = [name_of(cell) for cell in results["cells"] if cell.get("lost")]
    if not lost:
        return results
    if len(lost) > MOST_AGAIN:
        click.echo(f"{len(lost)} cells are lost, too many to run again; they are set aside", err=True)
        return results
    click.echo(f"running {len(lost)} cells again that are lost", err=True)
    again = results_of(clients, servers, [*arguments, "-n0", *(f"--resumption-cell={name}" for name in lost)])
    found = {(cell["scenario"], cell["cell"]): cell for cell in again["cells"]}
    return {**results, "cells": [found.get((cell["scenario"], cell["cell"]), cell) for cell in results["cells"]]}


def _labels(units: Sequence[Unit]) -> str:
    """The clients of units, and their servers if those are others."""
    found = []
    for unit in units:
        servers = "" if unit.servers == unit.clients else f" with {', '.join(unit.servers)} as server"
        found.append(f"{', '.join(unit.clients)}{servers}")
    return ", ".join(found)
