"""Runs the first cell of each cause on every other build that is here, for its table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.agent.vocabulary import release
from harness.builds.store import BuildStore
from harness.builds.system import build_for
from harness.case.desk_case import story_results
from harness.cli.runs.build_ends import cache_of, ends_at
from harness.cli.runs.run import paths, scenarios
from harness.cli.runs.units import of_builds
from harness.model.build import Build
from harness.model.errors import UsageError
from harness.report.diff.run_difference import by_id
from harness.results.run_cache import name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.cli.runs.build_ends import BuildEnds
    from harness.report.json.shapes import CellObject, ResultsObject
    from harness.story.story import Story

    Cells = Mapping[tuple[str, str], CellObject]
    Runs = Sequence[tuple[str, Cells]]
    """The cells of each build with itself by its version, the oldest first."""


def by_version(found: Iterable[ResultsObject], more: Runs = ()) -> list[tuple[str, Cells]]:
    """Return the cells of each build with itself by its version, the oldest first, with ``more`` such cells."""
    runs: dict[str, dict[tuple[str, str], CellObject]] = {}
    for results in found:
        versions = {label.partition("@")[2] for label in (*results["clients"], *results["servers"])}
        if results["clients"] == results["servers"] and len(versions) == 1:
            runs.setdefault(results["clients"][0].partition("@")[2], {}).update(by_id(results))
    for version, cells in more:
        runs.setdefault(version, {}).update(cells)
    return sorted(runs.items(), key=lambda run: release(run[0]))


def here(stacks: Iterable[str]) -> list[str]:
    """Return the versions that each of these stacks has here, fetched or on the machine itself."""
    store = BuildStore()
    found = []
    for stack in stacks:
        own = build_for(stack)
        found.append({*store.serving(stack), *([own.version] if isinstance(own, Build) else [])})
    return sorted(set.intersection(*found), key=release) if found else []


def elsewhere(wanted: Iterable[tuple[CellObject, BuildEnds]], runs: Runs, chosen: Sequence[str]) -> Runs:
    """Return the runs with some cells on every other build that is here and has their stacks.

    Each is a cell of a build with itself; one of a program stays as it is. ``chosen`` are the arguments of the run.
    """
    by_stacks: dict[tuple[str, ...], dict[str, str]] = {}
    for cell, end in wanted:
        labels = {cell["client"], cell["server"]}
        if labels <= {*end.labels}:
            stacks = tuple(sorted(label.partition("@")[0] for label in labels))
            by_stacks.setdefault(stacks, {})[name_of(cell)] = f"@{end.version}"
    for stacks, names in by_stacks.items():
        versions = [version for version in here(stacks) if version not in dict(runs)]
        tests = [*chosen] if paths(chosen) else _own(dict.fromkeys(name.partition("[")[0] for name in names))
        cells = [name.replace(own, f"@{version}") for name, own in names.items() for version in versions]
        arguments = [*tests, *(f"--resumption-cell={name}" for name in dict.fromkeys(cells))]
        title = f"{len(names)} cells on {len(versions)} more builds that are here"
        try:
            more = of_builds(ends_at(stacks, versions), arguments, cache_of(arguments), title=title) if versions else []
        except UsageError as error:
            click.echo(f"note: no table over the builds that are here: {error}", err=True)
        else:
            runs = by_version(more, runs)
    return runs


def story_elsewhere(story: Story, name: str, end: BuildEnds, runs: Runs) -> Runs:
    """Return the runs of a story with those on every other build that has the stacks of ``end``."""
    stacks = [label.partition("@")[0] for label in end.labels]
    versions = [version for version in here(stacks) if version not in dict(runs)]
    if versions:
        click.echo(f"running the story on {len(versions)} more builds that are here", err=True)
    labels = [[f"{stack}@{version}" for stack in stacks] for version in versions]
    return by_version([story_results(story, name, ends) for ends in labels], runs)


def _own(tests: Iterable[str]) -> list[str]:
    """Pytest's arguments for tests of the harness's own scenarios."""
    *options, folder = scenarios(Path.cwd())
    return [*options, *(str(Path(folder).parent / test) for test in tests)]
