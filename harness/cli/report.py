"""`resumption report`: writes the page, the summary and the JUnit XML of a run that is over; it runs nothing."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from harness.model.errors import UsageError
from harness.report.run.earlier import compare
from harness.report.run.junit_xml import junit_xml
from harness.report.run.markdown import markdown
from harness.report.run.page.page import page
from harness.report.run.run_summary import totals
from harness.results.folder import kept_of
from harness.results.reader import kept_run

PAGE, SUMMARY, JUNIT = "index.html", "report.md", "junit.xml"
PATH = click.Path(path_type=Path)


@click.command()
@click.argument("results", metavar="RESULTS", type=PATH)
@click.option("-o", "--output", metavar="DIR", type=PATH, help="Where to write it (default: RESULTS/report).")
@click.option("--against", metavar="OLD", type=PATH, help="Results of an earlier run, to compare with.")
def report(*, results: Path, output: Path | None, against: Path | None) -> None:
    """Write a page to look at, a summary for CI and JUnit XML, from the results of a run.

    RESULTS is the folder that `resumption run` named in its last line; that of a run that was killed will do. The page
    is one file, index.html, that needs no network; report.md is Markdown, junit.xml has each reason in its failure.
    """
    run = kept_run(results)
    old = kept_run(against) if against else None
    comparison = compare(old.results, run.results) if old else None
    folder = output or run.folder / "report"
    made = {
        PAGE: page(
            run.results,
            kept_of(run, folder),
            version=_version(),
            unfinished=run.unfinished,
            comparison=comparison,
            earlier_unfinished=old.unfinished if old else "",
        ),
        SUMMARY: markdown(run.results, unfinished=run.unfinished, comparison=comparison),
        JUNIT: junit_xml(run.results),
    }
    _write(folder, made)
    click.echo(totals(run.results["cells"]) + (f"; {run.unfinished}" if run.unfinished else ""))
    for name in made:
        click.echo(folder / name)


def _version() -> str:
    try:
        return version("resumption-harness")
    except PackageNotFoundError:
        return "of a checkout that is not installed"


def _write(folder: Path, made: dict[str, str]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            (folder / name).write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        raise UsageError(
            f"nothing can be written to {folder} ({error.strerror}); name another folder with -o"
        ) from error
