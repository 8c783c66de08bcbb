"""`resumption cell`: reruns one cell of a run and shows everything about it."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.messages import example
from harness.cli.paths import NamedPath
from harness.cli.runs.run import run_pytest, scenarios
from harness.matrix.cells import parse_id
from harness.model.errors import UsageError
from harness.report.json.brief import named_story
from harness.results.reader import kept_run
from harness.results.retention import dated
from harness.results.writer import default_folder, new_file, write_new
from harness.story.reading import story_of_json

if TYPE_CHECKING:
    from harness.story.story import Story

NODE = re.compile(r"(?P<file>[^\[]+?\.py)::(?P<test>[^\[]+)\[(?P<cell>.+)\]", re.DOTALL)
"""FILE::TEST[CELL]."""
SECOND = re.compile(r"-then(?:\.server)?=(\w+@\d[\w.+]*(?:-(?:alpha|beta|dev|pre|fips)\w*)?)")
"""A second client or server in the id of a cell."""
SHOWN = 5
"""How many ids an error names."""


@click.command(epilog=example("cell 'openssl@3.5.0--libssl@3.5.0-TLSv1.3' --results results"))
@click.argument("cell", metavar="ID")
@click.option(
    "--results",
    metavar="DIR",
    type=NamedPath(path_type=Path),
    help="The run to look ID up in (default: the newest one in the default folder).",
)
@click.option(
    "--story-out",
    metavar="FILE",
    type=NamedPath(path_type=Path, dir_okay=False),
    help="Only write the story of the cell to FILE, which `resumption connect --story` runs.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[PYTEST ARGUMENT]...")
def cell(*, cell: str, results: Path | None, story_out: Path | None, arguments: tuple[str, ...]) -> None:
    """Rerun one cell of a run and show everything about it, even if it passes.

    ID is the cell's id as a failure shows it: 'scenarios/x.py::test_y[openssl@3.5.0--libssl@3.5.0-TLSv1.3]'. The part
    in brackets is enough if only one test of the run has it. The scenario file and the builds must still be available.
    """
    if story_out:
        new_file(story_out)
        write_new(story_out, story(cell, results).text())
        return
    file, test, name = node(cell, results)
    try:
        client, server, _ = parse_id(name)
    except ValueError as error:
        raise UsageError(f"{error}; it begins with CLIENT--SERVER-TLSv1.3 or CLIENT--SERVER-TLSv1.2") from error
    seconds = SECOND.findall(name)
    given = [f"--resumption-client={label}" for label in dict.fromkeys([client, *seconds])]
    given += [f"--resumption-server={label}" for label in dict.fromkeys([server, *seconds])]
    os.environ.setdefault("RESUMPTION_TRACE", "1")
    show = ["--resumption-show", "--resumption-reproduce", f"--resumption-cell={test}[{name}]", "-n0", "-rA"]
    run_pytest([*given, *show, *where(file), *arguments])


def story(text: str, results: Path | None) -> Story:
    """Return the story of a cell of a run; UsageError if the run has none for it."""
    run = results or newest_run()
    file, test, name = node(text, run)
    cells = kept_run(run).results["cells"]
    found = next(one for one in cells if one["scenario"] == f"{file}::{test}" and one["cell"] == name)
    written = named_story(found["case"], f"{found['scenario']}[{found['cell']}]") if found["case"] else None
    if not written:
        raise UsageError(f"{text!r} in {run} has no story: it made no connection, or an older version ran it")
    return story_of_json(written, str(run))


def node(text: str, results: Path | None) -> tuple[str, str, str]:
    """Return the file, test and cell that an ID means; UsageError names similar ones if there is no match."""
    found = NODE.fullmatch(text)
    if found and results is None:
        return found["file"], found["test"], found["cell"]
    run = results or newest_run()
    known = [f"{one['scenario']}[{one['cell']}]" for one in kept_run(run).results["cells"]]
    chosen = [one for one in known if text in {one, one.partition("[")[2].removesuffix("]")}]
    if not chosen:
        near = difflib.get_close_matches(text, known, 1, 0)
        raise UsageError(
            f"no cell {text!r} in {run}" + (f"; did you mean {near[0]!r}?" if near else ", which has no cells")
        )
    if len(chosen) > 1:
        more = f" and {len(chosen) - SHOWN} more" if len(chosen) > SHOWN else ""
        raise UsageError(
            f"{len(chosen)} tests have a cell {text!r}; name one: {', '.join(map(repr, chosen[:SHOWN]))}{more}"
        )
    found = NODE.fullmatch(chosen[0])
    if found is None:
        raise UsageError(f"{chosen[0]!r} in {run} is not FILE::TEST[CELL]; run `resumption run --results DIR` again")
    return found["file"], found["test"], found["cell"]


def newest_run() -> Path:
    """Return the newest run in the default folder, of those that no user renamed; UsageError if there is none."""
    place = default_folder().parent
    runs = sorted(path for path in place.glob("*") if dated(path))
    if not runs:
        raise UsageError(f"no run found in {place}; name a run's folder with --results, or give FILE::TEST[CELL]")
    return runs[-1]


def where(file: str) -> list[str]:
    """Return pytest's arguments for a scenario file in the current folder or among the harness's own scenarios."""
    if Path(file).is_file():
        return [file]
    *options, folder = scenarios(Path.cwd())
    path = Path(folder).parent / file
    if path.is_file():
        return [*options, str(path)]
    there = [f"scenarios/{one.relative_to(folder)}" for one in Path(folder).rglob("*.py")]
    near = difflib.get_close_matches(file, there, 1)
    hint = f"did you mean {near[0]}?" if near else "run the command in the folder that the path starts from"
    raise UsageError(f"there is no {file} in {Path.cwd()} or among the scenarios of the harness; {hint}")
