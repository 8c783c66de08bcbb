"""`resumption diff`: runs the same cells on two builds and shows every observable that differs."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import click

from harness.cli.console import console
from harness.cli.help import example
from harness.cli.runs.inner_run import results_of
from harness.model.errors import UsageError
from harness.report.diff.difference_text import difference_text
from harness.report.diff.run_difference import run_difference
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.report.json.shapes import DiffObject, ResultsObject

STACKS = ("libssl", "openssl")
"""The stacks that use the build directly, without another library around it."""
DIFFERENT = 1
MOST_AGAIN = 100
"""Cells that run once more; where more are lost, it is the machine that is broken."""


ON = "Show only observables that match, such as 'session.*'; may be repeated."


@click.command(
    context_settings={"ignore_unknown_options": True}, epilog=example("diff 1.1.1w 3.5 -k tls13 --on 'session.*'")
)
@click.argument("before", metavar="BUILD")
@click.argument("after", metavar="BUILD")
@click.option("-k", "expression", metavar="EXPRESSION", help="Run only scenarios that match, as with pytest's -k.")
@click.option(
    "--on",
    multiple=True,
    metavar="GLOB",
    help=ON,
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (docs/json.md) and nothing else.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[PYTEST ARGUMENTS]...")
def diff(
    *, before: str, after: str, expression: str | None, on: tuple[str, ...], as_json: bool, arguments: tuple[str, ...]
) -> None:
    """Run the same cells on two builds, each against itself, and show every observable that differs.

    BUILD is a version, such as 1.1.1w, or stack@version. Without a stack, libssl and openssl are compared if
    both builds have them. Random values are masked, so a build does not differ from itself. Cells that the harness
    lost, such as by a time-out, run once more; those that it loses again are set aside and never count as a
    difference. Exit code 0: nothing differs; 1: something does; 2: bad usage.
    """
    first, second = chosen(before, after)
    given = [*(["-k", expression] if expression else []), *arguments]
    seen = []
    for number, build in enumerate((first, second), 1):
        click.echo(f"build {number} of 2: running the cells of {', '.join(build)}", err=True)
        seen.append(without_lost(results_of(build, build, given), build, given))
    click.echo(f"comparing {len(seen[0]['cells'])} cells with {len(seen[1]['cells'])}", err=True)
    found = run_difference(seen[0], seen[1])
    shown = only(found, on)
    if found["differences"] and not shown["differences"]:
        others = ", ".join(sorted({d["observable"] for d in found["differences"]}))
        click.echo(f"note: no observable that differs matches --on; these differ: {others}", err=True)
    if as_json:
        click.echo(json.dumps(shown, indent=1))
    else:
        console().print(difference_text(shown))
    if shown["differences"]:
        click.get_current_context().exit(DIFFERENT)


def without_lost(results: ResultsObject, build: Sequence[str], arguments: Sequence[str]) -> ResultsObject:
    """Run the cells that the harness lost once more, alone; those that it loses again stay lost."""
    lost = [f"{cell['scenario']}[{cell['cell']}]" for cell in results["cells"] if cell.get("lost")]
    if not lost:
        return results
    if len(lost) > MOST_AGAIN:
        click.echo(f"{len(lost)} cells are lost, too many to run again; they are set aside", err=True)
        return results
    click.echo(f"running {len(lost)} cells again that are lost", err=True)
    again = results_of(build, build, [*arguments, "-n0", *(f"--resumption-cell={name}" for name in lost)])
    found = {(cell["scenario"], cell["cell"]): cell for cell in again["cells"]}
    return {**results, "cells": [found.get((cell["scenario"], cell["cell"]), cell) for cell in results["cells"]]}


def chosen(before: str, after: str) -> tuple[list[str], list[str]]:
    """Return the ``stack@build`` of both builds for each stack that both have; UsageError if there is no such stack."""
    with Runtime() as runtime:
        machine = Machine(runtime)
        try:
            first, second = (endpoints(machine, build) for build in (before, after))
        finally:
            machine.close()
    both = [stack for stack in first if stack in second]
    if not both:
        had = "; ".join(f"{build} has {', '.join(found)}" for build, found in ((before, first), (after, second)))
        raise UsageError(f"no stack has both builds: {had}; name two builds that share a stack")
    return [first[stack] for stack in both], [second[stack] for stack in both]


def endpoints(machine: Machine, build: str) -> dict[str, str]:
    """Return the ``stack@build`` that BUILD selects, by stack; UsageError lists the builds if it selects none."""
    if "@" in build:
        one = machine.one(build)
        return {one.name: one.label}
    found, errors = {}, []
    for stack in STACKS:
        try:
            found[stack] = machine.one(f"{stack}@{build}").label
        except UsageError as error:
            errors.append(error)
    if not found:
        raise errors[0]
    return found


def only(shown: DiffObject, globs: Sequence[str]) -> DiffObject:
    """Keep only observables that match a glob; keep all if there is no glob."""
    kept = [d for d in shown["differences"] if not globs or any(fnmatchcase(d["observable"], glob) for glob in globs)]
    return {**shown, "differences": kept}
