"""`resumption report`: writes the page, the summary and the JUnit XML of one run, or of several merged runs."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli import FULL
from harness.cli.messages import example
from harness.cli.paths import NamedPath
from harness.model.errors import UsageError
from harness.report.json.packed import lines
from harness.report.run.earlier import compare
from harness.report.run.junit_xml import junit_xml
from harness.report.run.markdown import markdown
from harness.report.run.merge import Merged, merge
from harness.report.run.page.page import page
from harness.report.run.run_summary import totals
from harness.report.text.lines import printable
from harness.results.folder import kept_of
from harness.results.reader import WHOLE, kept_run
from harness.results.uncollected import uncollected
from harness.runtime.files import ANYONE, write_whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.results.reader import KeptRun

PAGE, SUMMARY, JUNIT, BEHAVIOURS = "index.html", "report.md", "junit.xml", "behaviours.html"
PATH = NamedPath(path_type=Path)


@click.command(epilog=example("report results --against last-week"))
@click.argument("results", metavar="RESULTS...", type=PATH, nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=PATH,
    help="Write to DIR (default: RESULTS/report; required for more than one RESULTS).",
)
@click.option(
    "--behaviours", is_flag=True, help="Also write behaviours.html, what the builds of the run do differently."
)
@click.option("--against", metavar="OLD", type=PATH, help="Compare with the results of an earlier run.")
@uncollected()
def report(*, results: tuple[Path, ...], output: Path | None, against: Path | None, behaviours: bool) -> None:
    """Write an HTML page, a Markdown summary and JUnit XML from the results of a run.

    RESULTS is the folder that `resumption run` names at its end; a killed run works too. The page is one file,
    index.html, that needs no network; report.md is the summary; junit.xml has the reason of each failure.

    Several RESULTS, such as the shards of a run, are merged into one. DIR then also has the merged results.json.
    Notes name missing shards, different builds or code, and cells with two verdicts.

    --behaviours is for a run of several builds, each with itself (`--matrix same`): the map of behaviours by version.
    """
    runs = {str(place): kept_run(place) for place in results}
    if len({run.folder.resolve() for run in runs.values()}) < len(results):
        raise UsageError("the same RESULTS is named twice; name each folder once")
    run, *others = runs.values()
    if others and output is None:
        raise UsageError("several RESULTS need a folder for the merged report; name one with -o DIR")
    old = kept_run(against) if against else None
    folder = output or run.folder / "report"
    merged = merge({name: one.results for name, one in runs.items()}) if others else Merged(run.results, {}, ())
    whole, notes, unfinished = merged.results, merged.notes, _unfinished(runs)
    comparison = compare(old.results, whole) if old else None
    kept = {
        key: found
        for name, one in runs.items()
        for key, found in kept_of(one, folder).items()
        if merged.origin.get(key, name) == name
    }
    made = {
        PAGE: page(
            whole,
            kept,
            version=_version(),
            unfinished=unfinished,
            notes=notes,
            comparison=comparison,
            earlier_unfinished=old.unfinished if old else "",
        ),
        SUMMARY: markdown(whole, unfinished=unfinished, notes=notes, comparison=comparison),
        JUNIT: junit_xml(whole),
    }
    if behaviours:
        from harness.cli.runs.behaviours import page_of  # noqa: PLC0415 - it loads every scenario

        made[BEHAVIOURS] = page_of([whole])
    if others:
        made[WHOLE] = "".join(lines(whole))
    _write(folder, made)
    click.echo(totals(whole["cells"]) + (f"; {unfinished}" if unfinished else ""))
    for note in notes:
        click.echo(f"note: {note}")
    for name in made:
        click.echo(printable(str(folder / name)))


def _unfinished(runs: Mapping[str, KeptRun]) -> str:
    """Return which runs are incomplete, and why."""
    named = [(name, run.unfinished) for name, run in runs.items() if run.unfinished]
    return "; ".join(f"{name}: {why}" if len(runs) > 1 else why for name, why in named)


def _version() -> str:
    try:
        return version("resumption-harness")
    except PackageNotFoundError:
        return "of a checkout that is not installed"


def _write(folder: Path, made: dict[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            write_whole(folder / name, text, ANYONE)
    except OSError as error:
        if error.errno in FULL:
            raise
        raise UsageError(
            f"{error.filename or folder} cannot be written ({error.strerror}); name another folder with -o"
        ) from error
