"""`resumption behaviours`: the map of behaviours by version, over the builds that are here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.builds.store import BuildStore
from harness.builds.versions import newest_first
from harness.cli.messages import example
from harness.cli.paths import NamedPath
from harness.cli.runs.build_ends import cache_of, ends_of, is_build
from harness.cli.runs.declared import declared, declaring
from harness.cli.runs.run import paths, scenarios
from harness.cli.runs.units import of_builds
from harness.model.errors import UsageError
from harness.report.diff.behaviours import behaviours as differing
from harness.report.diff.behaviours import builds_apart
from harness.report.diff.options import explaining
from harness.report.run.behaviours_page import behaviours_html, behaviours_markdown
from harness.results.reader import kept_run
from harness.results.writer import writable
from harness.runtime.files import ANYONE, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.cli.runs.build_ends import BuildEnds
    from harness.report.diff.behaviours import Behaviour
    from harness.report.diff.causes import Cause
    from harness.report.json.shapes import ResultsObject

STACK = "libssl"
"""The reference: every build of the catalogue has it, and it shows every observable."""
MARKDOWN, PAGE = "behaviours.md", "behaviours.html"
MADE_BY = "`resumption behaviours --write docs` makes this page; `resumption builds fetch all` fetches every build."
SCHEMA = 1


@click.command(
    context_settings={"ignore_unknown_options": True}, epilog=example("behaviours 1.1.1w 3.0 3.5 --write map")
)
@click.option(
    "--results",
    "folders",
    multiple=True,
    metavar="DIR",
    type=NamedPath(path_type=Path),
    help="Take the results of a run that is over, and run nothing; may be repeated.",
)
@click.option(
    "--write",
    "folder",
    metavar="DIR",
    type=NamedPath(file_okay=False, path_type=Path),
    help=f"Also write {MARKDOWN} and {PAGE} to this folder.",
)
@click.option("--fresh", is_flag=True, help="Run every build, and take and keep no results.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object (docs/json.md) and nothing else.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[BUILD]... [PYTEST ARGUMENTS]...")
def behaviours(
    folders: tuple[Path, ...], folder: Path | None, arguments: tuple[str, ...], *, fresh: bool, as_json: bool
) -> None:
    """Show what OpenSSL's resumption does differently from version to version, as Markdown: the map of behaviours.

    Each BUILD meets itself; without one, every cached libssl. The scenarios run whose expectations depend on the build;
    PYTEST ARGUMENTS such as a file name others. Results are kept by build, scenarios and code, as those of `diff`, and
    used again. With --results, the map is that of runs that are over, such as a run with `--matrix same`.
    """
    count = next((place for place, one in enumerate(arguments) if not is_build(one)), len(arguments))
    names, more = arguments[:count], arguments[count:]
    if folders and arguments:
        raise UsageError(f"--results takes runs that are over, and {arguments[0]} is for a new one; remove one of them")
    if folder is not None:
        writable(folder)
    found = [kept_run(place).results for place in folders] if folders else _run(names, more, fresh=fresh)
    made, about = _map(found)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / MARKDOWN, behaviours_markdown(made, about, MADE_BY), ANYONE)
        write_whole(folder / PAGE, behaviours_html(made, about), ANYONE)
    if as_json:
        click.echo(json.dumps({"schema": SCHEMA, "builds": about, "behaviours": [one.to_json() for one in made]}))
    else:
        click.echo(behaviours_markdown(made, about), nl=False)


def page_of(found: Sequence[ResultsObject]) -> str:
    """Return the map of finished runs as a page of HTML; UsageError if they have fewer than two builds."""
    return behaviours_html(*_map(found))


def _map(found: Sequence[ResultsObject]) -> tuple[list[Behaviour], list[str]]:
    """Return what differs between the builds of runs, with what is known of it, and a line about each build."""
    runs = builds_apart(found)
    if len(runs) < 2:  # noqa: PLR2004 - a map is of several builds
        raise UsageError("a map needs the results of two builds or more, each with itself; name two builds")
    ends = {end.version: end for end in _known([version for version, _ in runs])}
    made = [one.explained(lambda older, newer, cause: _said(older, newer, cause, ends)) for one in differing(runs)]
    return made, [str(ends.get(version, f"{version}: not here")) for version, _ in runs]


def _run(names: Sequence[str], more: Sequence[str], *, fresh: bool) -> list[ResultsObject]:
    """Run the scenarios of the map, or those that the user names, with each build at both ends.

    What is kept of a build with these scenarios and this code is taken instead, unless all is to be ``fresh``.
    """
    wanted = names or newest_first(BuildStore().serving(STACK))
    if not wanted:
        raise UsageError("no build is in the cache; fetch some, as with `resumption builds fetch 1.1.1w 3.0 3.5`")
    ends = ends_of([name if "@" in name else f"{STACK}@{name}" for name in wanted])
    chosen = [*([] if paths(more) else _selection()), *more]
    return of_builds(ends, chosen, cache_of(chosen), fresh=fresh)


def _selection() -> list[str]:
    """Every test that says that builds differ."""
    *options, folder = scenarios(Path.cwd())
    return [*options, *(str(Path(folder).parent / test) for test in declaring())]


def _known(versions: Sequence[str]) -> list[BuildEnds]:
    """Where the builds come from, of those that are still here."""
    here = BuildStore().serving(STACK)
    named = [f"{STACK}@{version}" for version in versions if version in here]
    return ends_of(named) if named else []


def _said(older: str, newer: str, cause: Cause, ends: Mapping[str, BuildEnds]) -> str:
    """Where a change is declared, or which option of the builds it comes from; empty if neither is known."""
    both = [(version, ends[version].options if version in ends else None) for version in (older, newer)]
    option = explaining(cause.names, *both)
    return declared(cause, [f"{STACK}@{older}"], [f"{STACK}@{newer}"]) or option
