"""`resumption diff`: runs the same cells on builds and shows by cause what changes from each to the next."""

from __future__ import annotations

import json
import shlex
from contextlib import nullcontext
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.agent.vocabulary import release
from harness.case.desk_case import story_results
from harness.cli.console import console
from harness.cli.help import example
from harness.cli.runs.build_ends import cache_of, ends_of, is_build
from harness.cli.runs.commits import CHECKED, Clone, commit_of, reproducible
from harness.cli.runs.declared import declared
from harness.cli.runs.inner_run import results_of
from harness.model.errors import UsageError
from harness.report.diff.causes import causes, over_builds
from harness.report.diff.causes_text import causes_text
from harness.report.diff.options import explaining
from harness.report.diff.run_difference import by_id, run_difference
from harness.report.run.causes_page import causes_page
from harness.results.run_cache import Journal, merged, name_of
from harness.results.writer import new_file, write_new
from harness.story.reading import read_story

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.cli.runs.build_ends import BuildEnds
    from harness.report.diff.causes import Cause
    from harness.report.json.shapes import CellObject, DiffObject, ResultsObject
    from harness.results.run_cache import RunCache, Unit

    Cells = Mapping[tuple[str, str], CellObject]
    """The cells of a run by scenario and by id without builds."""

DIFFERENT = 1
ENDED = frozenset({0, 1})
"""pytest's exit codes of a run that came to its end: all passed, or some failed."""
MOST_AGAIN = 100
"""Cells that run once more; where more are lost, it is the machine that is broken."""


ON = "Show only observables that match, such as 'session.*'; may be repeated."


@dataclass(frozen=True)
class Pair:
    """Two runs that are compared, and what is said of them."""

    before: ResultsObject
    after: ResultsObject
    title: str = ""
    """What the second run is; empty if both are builds with themselves."""
    about: tuple[BuildEnds, ...] = ()
    """Both builds; none if they are one."""


@click.command(
    context_settings={"ignore_unknown_options": True},
    epilog=example("diff 1.1.1w 3.0 3.5 -k tls13 --on 'session.*'"),
)
@click.option("-k", "expression", metavar="EXPRESSION", help="Run only scenarios that match, as with pytest's -k.")
@click.option(
    "--on",
    multiple=True,
    metavar="GLOB",
    help=ON,
)
@click.option(
    "--story",
    "story_file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Run the story in FILE (docs/stories.md) on each build, and no scenarios.",
)
@click.option("--verbose", "-v", is_flag=True, help="Show every cause, and the table of all differences.")
@click.option("--fresh", is_flag=True, help="Run every build again, and do not use results that are kept.")
@click.option(
    "--across",
    is_flag=True,
    help="Also let each build be the client of the next one, and its server, and compare both with itself.",
)
@click.option(
    "--page",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Also write FILE, a Markdown page of all causes with their value on every build that has results here.",
)
@click.option(
    "--commits",
    metavar="CLONE",
    type=click.Path(path_type=Path, file_okay=False),
    help="Go on to the commit of the first cause that a reproducer can check, in a clone of OpenSSL (docs/builds.md).",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON objects (docs/json.md) and nothing else, one a line.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="BUILD BUILD [BUILD]... [PYTEST ARGUMENTS]...")
def diff(**given: Any) -> None:
    """Run the same cells on two or more builds, each against itself, and show what changes from each to the next.

    BUILD is a version, such as 1.1.1w, stack@version, or a stack on this machine's own build. Without a stack, libssl
    and openssl are compared if all builds have them. What changes in the same cells is one cause, headed by what
    matters most: outcome, mechanism, alert, tickets, counters, session, wire. Each says which scenario declares it,
    and how every build that has results here behaves. With --across, builds also meet each other. Results are kept by
    build, scenarios and code, and used again; a build that is named twice runs twice.

    With --story, each build runs one story instead of the scenarios. With --commits, git finds the commit of the first
    cause that a reproducer can check; it builds OpenSSL in a work tree of CLONE.

    Random values are masked, so a build does not differ from itself. Cells that the harness lost, such as by a
    time-out, run once more; those that it loses again are set aside and never count as a difference. Exit code 0:
    nothing differs; 1: something does; 2: bad usage.
    """
    arguments: tuple[str, ...] = given["arguments"]
    count = next((place for place, one in enumerate(arguments) if not is_build(one)), len(arguments))
    names, more = arguments[:count], arguments[count:]
    if count < 2:  # noqa: PLR2004 - a difference is between two
        raise UsageError("Missing argument 'BUILD': name two builds or more, such as 1.1.1w 3.5")
    if given["page"]:
        new_file(given["page"])
    clone = Clone.of(given["commits"]) if given["commits"] else None
    pairs, runs = (of_story if given["story_file"] else of_scenarios)(names, more, given)
    found = [compare(pair, runs, clone, given) for pair in pairs]
    if given["page"]:
        titled = [(pair.title, *shown) for pair, shown in zip(pairs, found, strict=True)]
        write_new(given["page"], causes_page(titled, [version for version, _ in runs]))
    if any(shown["differences"] for shown, _ in found):
        click.get_current_context().exit(DIFFERENT)


def of_scenarios(
    names: Sequence[str], more: Sequence[str], given: Mapping[str, Any]
) -> tuple[list[Pair], list[tuple[str, Cells]]]:
    """Run the scenarios on each build, or take the results that are kept; return what to compare, and all runs."""
    chosen = [*(["-k", given["expression"]] if given["expression"] else []), *more]
    ends = ends_of(names)
    cache = None if len(set(names)) < len(names) else cache_of(chosen)
    seen = of_builds(ends, chosen, cache, fresh=given["fresh"])
    pairs = neighbours(ends, seen)
    if given["across"]:
        for (older, newer), itself in zip(pairwise(ends), seen, strict=False):
            for clients, servers in ((older, newer), (newer, older)):
                title = f"client {', '.join(clients.labels)} with server {', '.join(servers.labels)}"
                (mixed,) = of_units([clients.with_servers(servers)], chosen, cache, fresh=given["fresh"])
                pairs.append(Pair(itself, mixed, title))
    known = [end.with_servers(end).key for end in ends]
    return pairs, by_version([*(cache.others(known) if cache else ()), *seen])


def of_builds(
    ends: Sequence[BuildEnds], chosen: Sequence[str], cache: RunCache | None, *, fresh: bool = False
) -> list[ResultsObject]:
    """Return the results of each build with itself; builds without kept results run together, in one run."""
    units = [end.with_servers(end) for end in ends]
    if len({end.version for end in ends}) < len(ends):
        return [one for unit in units for one in of_units([unit], chosen, cache, fresh=fresh)]
    return of_units(units, [*chosen, "--resumption-matrix=same"], cache, fresh=fresh)


def of_units(
    units: Sequence[Unit], arguments: Sequence[str], cache: RunCache | None, *, fresh: bool = False
) -> list[ResultsObject]:
    """Return the results of units: those that are kept, and those of one run of what is missing, which are kept then.

    ``fresh`` runs all of it. A run that is interrupted keeps its cells.
    """
    if cache:
        cache.close_journals()
    kept = {unit.key: results for unit in units if cache and not fresh and (results := cache.get(unit.key))}
    missing = [unit for unit in units if unit.key not in kept or not kept[unit.key]["finished"]]
    for unit in units:
        if unit not in missing:
            click.echo(f"results of {_labels([unit])} are kept", err=True)
    if missing:
        without = [name_of(cell) for unit in missing if unit.key in kept for cell in kept[unit.key]["cells"]]
        there = f"; {len(without)} are kept" if without else ""
        click.echo(f"running the cells of {_labels(missing)}{there}", err=True)
        clients = [label for unit in missing for label in unit.clients]
        servers = [label for unit in missing for label in unit.servers]
        with cache.journal(missing) if cache else nullcontext(Journal()) as journal:
            run = results_of(clients, servers, arguments, folder=journal.results, without=without)
            run = without_lost(run, clients, servers, arguments)
            for unit in missing:
                cells = run["cells"] if len(missing) == 1 else unit.own(run["cells"])
                old = kept[unit.key]["cells"] if unit.key in kept else []
                kept[unit.key] = merged(unit, run, [*old, *cells])
            if cache:
                whole = run["exit_status"] in ENDED
                journal.kept = all(cache.put(unit, kept[unit.key], whole=whole) for unit in missing)
    return [kept[unit.key] for unit in units]


def _labels(units: Sequence[Unit]) -> str:
    """The clients of units, and their servers if those are others."""
    found = []
    for unit in units:
        servers = "" if unit.servers == unit.clients else f" with {', '.join(unit.servers)} as server"
        found.append(f"{', '.join(unit.clients)}{servers}")
    return ", ".join(found)


def of_story(
    names: Sequence[str], more: Sequence[str], given: Mapping[str, Any]
) -> tuple[list[Pair], list[tuple[str, Cells]]]:
    """Run one story on each build; return the same. UsageError for options that are about scenarios."""
    if given["expression"] or given["across"] or more:
        typed = [*(["-k"] if given["expression"] else []), *(["--across"] if given["across"] else []), *more]
        raise UsageError(f"--story runs one story, and {typed[0]} is about scenarios; give one of them")
    story, ends = read_story(given["story_file"]), ends_of(names)
    seen = [story_results(story, str(given["story_file"]), end.labels) for end in ends]
    return neighbours(ends, seen), by_version(seen)


def neighbours(ends: Sequence[BuildEnds], seen: Sequence[ResultsObject]) -> list[Pair]:
    """Return each build's results with those of the next one."""
    return [
        Pair(before, after, about=() if one.labels == other.labels else (one, other))
        for (one, before), (other, after) in pairwise(zip(ends, seen, strict=True))
    ]


def compare(
    pair: Pair, runs: Sequence[tuple[str, Cells]], clone: Clone | None, given: Mapping[str, Any]
) -> tuple[DiffObject, list[Cause]]:
    """Print what differs between two runs, by cause, and return both; ``given`` are the options of the command."""
    click.echo(f"comparing {len(pair.before['cells'])} cells with {len(pair.after['cells'])}", err=True)
    found = run_difference(pair.before, pair.after)
    shown = only(found, given["on"])
    if found["differences"] and not shown["differences"]:
        others = ", ".join(sorted({d["observable"] for d in found["differences"]}))
        click.echo(f"note: no observable that differs matches --on; these differ: {others}", err=True)
    known = by_id(pair.after)
    until = pair.about[-1].version if pair.about else ""
    options = [(end.version, end.options) for end in pair.about]
    explained = [
        replace(
            over_builds(cause, runs, until),
            declared=declared(cause, shown["before"], shown["after"]),
            options=explaining(cause.observable, *options) if options else "",
            command=again(known[cause.cells[0]]),
        )
        for cause in causes(shown["differences"])
    ]
    if clone:
        explained = with_commit(explained, known, clone)
    if given["as_json"]:
        built = [end.to_json() for end in pair.about]
        click.echo(json.dumps({**shown, "builds": built, "causes": [cause.to_json() for cause in explained]}))
    else:
        head = [pair.title] if pair.title else [str(end) for end in pair.about]
        verbose = given["verbose"]
        console().print(causes_text(shown, explained, head, whole=verbose), soft_wrap=not verbose)
    return shown, explained


def with_commit(found: Sequence[Cause], cells: Cells, clone: Clone) -> list[Cause]:
    """Return the causes, the first one that a reproducer can check with its commit."""
    cause = reproducible(found)
    if cause is None:
        click.echo(f"note: --commits needs a cause that a reproducer checks, in {', '.join(CHECKED)}", err=True)
        return list(found)
    click.echo(
        f"looking for the commit between {' and '.join(cause.between)} that changed {cause.observable}", err=True
    )
    commit = commit_of(clone, cause, cells[cause.cells[0]], lambda line: click.echo(line, err=True))
    return [replace(one, commit=commit) if one is cause else one for one in found]


def again(cell: CellObject) -> str:
    """Return the command that runs a cell, or a story, again."""
    if "::" in cell["scenario"]:
        return f"resumption cell {shlex.quote(name_of(cell))}"
    ends = f"--client {cell['client']} --server {cell['server']}"
    return f"resumption connect --story {shlex.quote(cell['scenario'])} {ends}"


def by_version(found: Iterable[ResultsObject]) -> list[tuple[str, Cells]]:
    """Return the cells of each build with itself by its version, the oldest first."""
    runs = {
        results["clients"][0].partition("@")[2]: by_id(results)
        for results in found
        if results["clients"] and results["clients"] == results["servers"]
    }
    return sorted(runs.items(), key=lambda run: release(run[0]))


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


def only(shown: DiffObject, globs: Sequence[str]) -> DiffObject:
    """Keep only observables that match a glob; keep all if there is no glob."""
    kept = [d for d in shown["differences"] if not globs or any(fnmatchcase(d["observable"], glob) for glob in globs)]
    return {**shown, "differences": kept}
