"""`resumption diff`: runs the same cells on builds and shows by cause what changes from each to the next."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.agent.vocabulary import release
from harness.cli.console import console
from harness.cli.help import example
from harness.cli.runs.declared import declared
from harness.cli.runs.inner_run import results_of
from harness.cli.runs.run import paths, scenarios
from harness.model.errors import UsageError
from harness.report.diff.causes import causes, over_builds
from harness.report.diff.causes_text import causes_text
from harness.report.diff.run_difference import by_id, run_difference
from harness.report.run.causes_page import causes_page
from harness.results.run_cache import RunCache, build_key, code_key, run_cache
from harness.results.writer import new_file, write_new
from harness.runtime.runtime import Runtime
from harness.stacks.foreign import NAME
from harness.stacks.machine import STACKS as BUILT_IN
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.report.diff.causes import Cause
    from harness.report.json.shapes import CellObject, DiffObject, ResultsObject
    from harness.stacks.base import Stack

    Cells = Mapping[tuple[str, str], CellObject]
    """The cells of a run by scenario and by id without builds."""

STACKS = ("libssl", "openssl")
"""The stacks that use the build directly, without another library around it."""
DIFFERENT = 1
MOST_AGAIN = 100
"""Cells that run once more; where more are lost, it is the machine that is broken."""


ON = "Show only observables that match, such as 'session.*'; may be repeated."


BUILD = re.compile(r"\d[\w.]*(?:-\w+)?|\w+@[\w.+-]+")
"""A version, or stack@version."""


def is_build(argument: str) -> bool:
    """Whether it is a version, stack@version or a stack's name, and not a path; pytest's arguments follow those."""
    named = argument in BUILT_IN or (NAME.fullmatch(argument) and not Path(argument).exists())
    return bool(named or BUILD.fullmatch(argument))


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
@click.option("--json", "as_json", is_flag=True, help="Print JSON objects (docs/json.md) and nothing else, one a line.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="BUILD BUILD [BUILD]... [PYTEST ARGUMENTS]...")
def diff(  # noqa: PLR0913 - one for each option
    *,
    expression: str | None,
    on: tuple[str, ...],
    verbose: bool,
    fresh: bool,
    across: bool,
    page: Path | None,
    as_json: bool,
    arguments: tuple[str, ...],
) -> None:
    """Run the same cells on two or more builds, each against itself, and show what changes from each to the next.

    BUILD is a version, such as 1.1.1w, stack@version, or a stack on this machine's own build. Without a stack, libssl
    and openssl are compared if all builds have them. What changes in the same cells is one cause, headed by what
    matters most: outcome, mechanism, alert, tickets, counters, session, wire. Each says which scenario declares it,
    and how every build that has results here behaves. With --across, builds also meet each other. Results are kept by
    build, scenarios and code, and used again; a build that is named twice runs twice.
    Random values are masked, so a build does not differ from itself. Cells that the harness
    lost, such as by a time-out, run once more; those that it loses again are set aside and never count as a
    difference. Exit code 0: nothing differs; 1: something does; 2: bad usage.
    """
    count = next((place for place, one in enumerate(arguments) if not is_build(one)), len(arguments))
    names, more = arguments[:count], arguments[count:]
    if count < 2:  # noqa: PLR2004 - a difference is between two
        raise UsageError("Missing argument 'BUILD': name two builds or more, such as 1.1.1w 3.5")
    if page:
        new_file(page)
    given = [*(["-k", expression] if expression else []), *more]
    ends, cache, about = chosen(names, given)
    if fresh or len(set(names)) < len(names):
        cache = None
    seen = []
    for number, (labels, key) in enumerate(ends, 1):
        seen.append(results_on(labels, labels, given, (cache, key), f"build {number} of {count}"))
    runs = by_version([*(cache.others([key for _, key in ends]) if cache else ()), *seen])
    pairs = [(one, other, "") for one, other in pairwise(seen)]
    if across:
        for (older, first), (newer, second), itself in zip(ends, ends[1:], seen, strict=False):
            for clients, servers, key in ((older, newer, f"{first}-{second}"), (newer, older, f"{second}-{first}")):
                title = f"client {', '.join(clients)} with server {', '.join(servers)}"
                pairs.append((itself, results_on(clients, servers, given, (cache, key), title), title))
    found = [
        compare(one, other, runs, on, as_json=as_json, about=[title] if title else about, verbose=verbose)
        for one, other, title in pairs
    ]
    if page:
        titled = [(title, *shown) for (_, _, title), shown in zip(pairs, found, strict=True)]
        write_new(page, causes_page(titled, [version for version, _ in runs]))
    if any(shown["differences"] for shown, _ in found):
        click.get_current_context().exit(DIFFERENT)


def results_on(
    clients: Sequence[str], servers: Sequence[str], given: Sequence[str], kept: tuple[RunCache | None, str], title: str
) -> ResultsObject:
    """Return the results of clients with servers: those that are kept, or those of a run, which are kept then."""
    cache, key = kept
    both = ", ".join(dict.fromkeys([*clients, *servers]))
    results = cache.get(key) if cache else None
    if results is not None:
        click.echo(f"{title}: results of {both} are kept", err=True)
        return results
    click.echo(f"{title}: running the cells of {both}", err=True)
    results = without_lost(results_of(clients, servers, given), clients, servers, given)
    if cache and not any(cell.get("lost") for cell in results["cells"]):
        cache.put(key, results)
    return results


def compare(
    before: ResultsObject,
    after: ResultsObject,
    runs: Sequence[tuple[str, Cells]],
    on: tuple[str, ...],
    *,
    as_json: bool,
    about: Sequence[str],
    verbose: bool,
) -> tuple[DiffObject, list[Cause]]:
    """Print what differs between two runs, by cause, and return both."""
    click.echo(f"comparing {len(before['cells'])} cells with {len(after['cells'])}", err=True)
    found = run_difference(before, after)
    shown = only(found, on)
    if found["differences"] and not shown["differences"]:
        others = ", ".join(sorted({d["observable"] for d in found["differences"]}))
        click.echo(f"note: no observable that differs matches --on; these differ: {others}", err=True)
    known = {key: cell["cell"] for key, cell in by_id(after).items()}
    explained = [
        replace(
            over_builds(cause, runs),
            declared=declared(cause, shown["before"], shown["after"]),
            command=f"resumption cell {shlex.quote(f'{cause.cells[0][0]}[{known[cause.cells[0]]}]')}",
        )
        for cause in causes(shown["differences"])
    ]
    if as_json:
        click.echo(json.dumps({**shown, "causes": [cause.to_json() for cause in explained]}))
    else:
        console().print(causes_text(shown, explained, about, whole=verbose), soft_wrap=not verbose)
    return shown, explained


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
    lost = [f"{cell['scenario']}[{cell['cell']}]" for cell in results["cells"] if cell.get("lost")]
    if not lost:
        return results
    if len(lost) > MOST_AGAIN:
        click.echo(f"{len(lost)} cells are lost, too many to run again; they are set aside", err=True)
        return results
    click.echo(f"running {len(lost)} cells again that are lost", err=True)
    again = results_of(clients, servers, [*arguments, "-n0", *(f"--resumption-cell={name}" for name in lost)])
    found = {(cell["scenario"], cell["cell"]): cell for cell in again["cells"]}
    return {**results, "cells": [found.get((cell["scenario"], cell["cell"]), cell) for cell in results["cells"]]}


def chosen(
    names: Sequence[str], given: Sequence[str]
) -> tuple[list[tuple[list[str], str]], RunCache | None, list[str]]:
    """Return the ``stack@build`` of each build for each stack that all have, with the key of its run; and the cache.

    The lines say where each build comes from. UsageError if no stack has all builds.
    """
    with Runtime() as runtime:
        machine = Machine(runtime)
        try:
            found = [endpoints(machine, name) for name in names]
        finally:
            machine.close()
    common = [stack for stack in found[0] if all(stack in ends for ends in found)]
    if not common:
        had = "; ".join(f"{name} has {', '.join(ends)}" for name, ends in zip(names, found, strict=True))
        raise UsageError(f"no stack has both builds: {had}; name builds that share a stack")
    ends = [[one[stack] for stack in common] for one in found]
    about = [f"{', '.join(s.label for s in one)}: {one[0].build.origin}" for one in ends] if len(set(names)) > 1 else []
    places = [Path(path.partition("::")[0]) for path in (paths(given) or scenarios(Path.cwd())[-1:])]
    cache = RunCache(run_cache(), code_key(given, places))
    keyed = [([s.label for s in one], build_key([s.label for s in one], [s.build for s in one])) for one in ends]
    return keyed, cache, about


def endpoints(machine: Machine, build: str) -> dict[str, Stack]:
    """Return the stacks that BUILD selects, by name; UsageError lists the builds if it selects none."""
    if not build[:1].isdigit():
        one = machine.one(build)
        return {one.name: one}
    found, errors = {}, []
    for stack in STACKS:
        try:
            found[stack] = machine.one(f"{stack}@{build}")
        except UsageError as error:
            errors.append(error)
    if not found:
        raise errors[0]
    return found


def only(shown: DiffObject, globs: Sequence[str]) -> DiffObject:
    """Keep only observables that match a glob; keep all if there is no glob."""
    kept = [d for d in shown["differences"] if not globs or any(fnmatchcase(d["observable"], glob) for glob in globs)]
    return {**shown, "differences": kept}
