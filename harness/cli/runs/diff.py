"""`resumption diff`: runs the same cells on builds and shows by cause what changes from each to the next."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.case.desk_case import story_results
from harness.cli.console import console
from harness.cli.messages import example
from harness.cli.paths import NamedPath
from harness.cli.runs.build_ends import cache_of, ends_of, is_build
from harness.cli.runs.commits import CHECKED, Clone, commit_of, reproducible
from harness.cli.runs.declared import declared, declared_together
from harness.cli.runs.elsewhere import by_version, elsewhere, story_elsewhere
from harness.cli.runs.units import of_builds, of_units
from harness.matrix.pairing import Pairing
from harness.model.errors import UsageError
from harness.report.diff.causes import causes, over_builds
from harness.report.diff.causes_text import MOST, causes_text
from harness.report.diff.meeting import meeting_difference, met
from harness.report.diff.observed import refuse_unknown
from harness.report.diff.options import explaining
from harness.report.diff.run_difference import by_id, run_difference
from harness.report.run.causes_page import causes_page
from harness.results.run_cache import name_of
from harness.results.writer import new_file, write_new
from harness.story.reading import read_story

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.cli.runs.build_ends import BuildEnds
    from harness.cli.runs.elsewhere import Cells, Runs
    from harness.report.diff.causes import Cause
    from harness.report.json.shapes import CellObject, DiffObject, ResultsObject

DIFFERENT = 1


ON = "Show only observables that match, such as 'session.*'; may be repeated."


@dataclass(frozen=True)
class Pair:
    """Two runs that are compared, and what is said of them."""

    before: ResultsObject
    after: ResultsObject
    about: tuple[BuildEnds, ...] = ()
    """Both builds; none if they are one."""
    mixed: ResultsObject | None = None
    """The cells in which both builds meet, if these are compared with each build alone."""

    @property
    def title(self) -> str:
        """What is compared; empty if it is two builds with themselves."""
        return f"where {' and '.join(end.version for end in self.about)} meet, unlike each alone" if self.mixed else ""


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
    type=NamedPath(path_type=Path, dir_okay=False),
    help="Run the story in FILE (docs/stories.md) on each build, and no scenarios.",
)
@click.option("--verbose", "-v", is_flag=True, help="Show every cause, and the table of all differences.")
@click.option("--fresh", is_flag=True, help="Run every build again, and do not use results that are kept.")
@click.option(
    "--across",
    is_flag=True,
    help="Also let each build meet the next one, and show what is so in neither of them alone.",
)
@click.option(
    "--page",
    metavar="FILE",
    type=NamedPath(path_type=Path, dir_okay=False),
    help="Also write FILE, a Markdown page of all causes with their value on every build that has results here.",
)
@click.option(
    "--commits",
    metavar="CLONE",
    type=NamedPath(path_type=Path, file_okay=False),
    help="Go on to the commit of the first cause that a reproducer can check, in a clone of OpenSSL (docs/builds.md).",
)
@click.option(
    "--no-table", is_flag=True, help="Do not run the first cell of each cause on the other builds that are here."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON objects (docs/json.md) and nothing else, one a line.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="BUILD BUILD [BUILD]... [PYTEST ARGUMENTS]...")
def diff(**given: Any) -> None:
    """Run the same cells on two or more builds, each against itself, and show what changes from each to the next.

    BUILD is a version, such as 1.1.1w, stack@version, or a stack on this machine's own build. Without a stack, libssl
    and openssl are compared if all builds have them. What changes in the same cells is one cause, headed by what
    matters most: outcome, mechanism, alert, tickets, counters, session, wire. Each says which scenario declares it,
    and how every build that is here behaves: its first cell runs on all of them. With --across, each build also meets
    the next one, as client, as server and where a session goes over, and what is so in neither of them alone is shown.
    Cells are kept by build, scenarios and code, and used again, even if the command is killed; a build that is
    named twice runs twice.

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
    compared = [Compared.of(pair, given["on"]) for pair in pairs]
    if not given["no_table"]:
        runs = over_all(compared, runs, more, given)
    found = [show(one, runs, clone, given) for one in compared]
    if given["page"]:
        write_new(given["page"], causes_page(found, [version for version, _ in runs]))
    if any(shown["differences"] for _, shown, _ in found):
        click.get_current_context().exit(DIFFERENT)


def over_all(compared: Sequence[Compared], runs: Runs, more: Sequence[str], given: Mapping[str, Any]) -> Runs:
    """Return the runs with the first cell of each cause that is shown on all other builds that are here."""
    ends = [(one, one.pair.about[-1]) for one in compared if one.pair.about and one.causes and not one.pair.mixed]
    if given["story_file"]:
        for _one, end in ends[-1:]:
            runs = story_elsewhere(read_story(given["story_file"]), str(given["story_file"]), end, runs)
        return runs
    whole = given["verbose"] or given["as_json"] or given["page"]
    wanted = [
        (one.known[cause.cells[0]], end) for one, end in ends for cause in (one.causes if whole else one.causes[:MOST])
    ]
    return elsewhere(wanted, runs, more)


def of_scenarios(names: Sequence[str], more: Sequence[str], given: Mapping[str, Any]) -> tuple[list[Pair], Runs]:
    """Run the scenarios on each build, or take the results that are kept; return what to compare, and all runs."""
    chosen = [*(["-k", given["expression"]] if given["expression"] else []), *more]
    ends = ends_of(names)
    cache = None if len(set(names)) < len(names) else cache_of(chosen)
    seen = of_builds(ends, chosen, cache, fresh=given["fresh"], maybe_none=given["across"])
    pairs = neighbours(ends, seen)
    if given["across"]:
        for pair in [one for one in pairs if one.about]:
            older, newer = pair.about
            both = [*chosen, f"--resumption-matrix={Pairing.ACROSS}"]
            title = f"the cells in which {older.version} and {newer.version} meet"
            (mixed,) = of_units([older.meeting(newer)], both, cache, fresh=given["fresh"], title=title, maybe_none=True)
            pairs.append(replace(pair, mixed=mixed))
        if not any(found["cells"] for found in (*seen, *(pair.mixed for pair in pairs if pair.mixed))):
            raise UsageError(f"pytest found no scenario to run with {' '.join([*names, *chosen])}")
    known = [end.with_servers(end).key for end in ends]
    return pairs, by_version([*(cache.others(known) if cache else ()), *seen])


def of_story(names: Sequence[str], more: Sequence[str], given: Mapping[str, Any]) -> tuple[list[Pair], Runs]:
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


@dataclass(frozen=True)
class Compared:
    """What differs between two runs."""

    pair: Pair
    shown: DiffObject
    causes: list[Cause]
    known: Cells
    """The cells of the later run."""

    @classmethod
    def of(cls, pair: Pair, globs: Sequence[str]) -> Compared:
        """Compare two runs; where globs name observables, only those are shown."""
        mixed = pair.mixed
        with_what = f"those in which they meet, {len(mixed['cells'])}" if mixed else str(len(pair.after["cells"]))
        click.echo(f"comparing {len(pair.before['cells'])} cells with {with_what}", err=True)
        both = pair.before, pair.after
        found = meeting_difference(mixed, *both) if mixed else run_difference(*both)
        shown = only(found, globs)
        differing = {d["observable"] for d in found["differences"]}
        refuse_unknown(globs, both[0]["cells"], differing)
        if differing and not shown["differences"]:
            others = ", ".join(sorted(differing))
            click.echo(f"note: no observable that differs matches --on; these differ: {others}", err=True)
        known = {(one["scenario"], one["cell"]): one for one in mixed["cells"]} if mixed else by_id(pair.after)
        return cls(pair, shown, causes(shown["differences"]), known)

    def explained(self, runs: Runs) -> list[Cause]:
        """Return the causes with their value on each build, where they are declared, and a command for each."""
        about, known = self.pair.about, self.known
        if self.pair.mixed:
            return [self._met(cause, self.pair.mixed) for cause in self.causes]
        until = about[-1].version if about else ""
        options = [(end.version, end.options) for end in about]
        return [
            replace(
                over_builds(cause, runs, until),
                declared=declared(cause, self.shown["before"], self.shown["after"]),
                options=explaining(cause.names, *options) if options else "",
                command=again(known[cause.cells[0]]),
            )
            for cause in self.causes
        ]

    def _met(self, cause: Cause, mixed: ResultsObject) -> Cause:
        """Return a cause that stands only where both builds meet, with the values of each alone."""
        older, newer = self.pair.about
        found = met(cause, mixed, self.pair.before, self.pair.after)
        known = declared_together(cause, found.declared, older.labels, newer.labels)
        return replace(found.cause, declared=known, command=again(self.known[cause.cells[0]]))


def show(
    one: Compared, runs: Runs, clone: Clone | None, given: Mapping[str, Any]
) -> tuple[str, DiffObject, list[Cause]]:
    """Print what differs between two runs, by cause, and return it with its title."""
    explained, about, title = one.explained(runs), one.pair.about, one.pair.title
    if clone and not one.pair.mixed:
        explained = with_commit(explained, one.known, clone)
    if given["as_json"]:
        built = [end.to_json() for end in about]
        click.echo(json.dumps({**one.shown, "builds": built, "causes": [cause.to_json() for cause in explained]}))
    else:
        head = [title] if title else [*map(str, about)]
        verbose = given["verbose"]
        console().print(causes_text(one.shown, explained, head, whole=verbose), soft_wrap=not verbose)
    return title, one.shown, explained


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


def only(shown: DiffObject, globs: Sequence[str]) -> DiffObject:
    """Keep only observables that match a glob; keep all if there is no glob."""
    kept = [d for d in shown["differences"] if not globs or any(fnmatchcase(d["observable"], glob) for glob in globs)]
    return {**shown, "differences": kept}
