"""`resumption explore`: looks for behaviours that nobody wrote down."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.help import example
from harness.cli.runs.declared import declares, declares_breach
from harness.explore.corpus import Folder
from harness.explore.explorer import Explorer
from harness.explore.finding import TABLE
from harness.explore.known import known
from harness.explore.oracles import BROKEN, BUILDS, RULES
from harness.explore.seeds import given as stories_of
from harness.explore.seeds import shipped
from harness.model.errors import UsageError
from harness.results.writer import writable
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from harness.explore.oracles import Suspicion
    from harness.story.story import Story

FOUND = 1
STACK = "libssl"
"""The stack of a BUILD that is a version."""
TO = "Keep corpus, state and findings in DIR, and go on with what is there. Default: explored-BUILD-BUILD."
FROM = "Begin also with the stories of FILE: a story, a folder of stories, or a run's results.json; may be repeated."
REPLAY = "Run the stories of the scenarios and of --from once, and make no new ones."
KNOWN = "Also take FILE, in the form of harness/explore/known.toml, for known; may be repeated."


@click.command(epilog=example("explore 3.5.6 3.5.7 --seconds 600"))
@click.argument("builds", nargs=-1, required=True, metavar="BUILD...")
@click.option(
    "--seconds", type=click.IntRange(min=1), default=60, metavar="N", help="How long to explore. Default: 60."
)
@click.option("--seed", type=int, default=1, metavar="N", help="Makes other stories; shards share DIR. Default: 1.")
@click.option("--from", "files", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help=FROM)
@click.option("--to", "folder", type=click.Path(path_type=Path), metavar="DIR", help=TO)
@click.option("--replay", is_flag=True, help=REPLAY)
@click.option("--known", "more", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help=KNOWN)
@click.option("--scenario", is_flag=True, help="Also write a scenario into each finding, with blanks to fill in.")
def explore(**given: Any) -> None:
    """Run thousands of stories on each BUILD, and follow up what builds do differently or break (docs/explore.md).

    BUILD is a version, such as 1.1.1w, or stack@version. Each build meets itself. Clocks stand still but for the steps
    that move them. A finding is repeated, made as small as possible, and written to DIR/findings with its story,
    reproducers and the draft of a report; what is known goes to DIR/known, what does not repeat to DIR/flaky. A killed
    exploration goes on where it was.

    Exit code 0: nothing new. 1: a finding that is not known. 2: bad usage.
    """
    builds: tuple[str, ...] = given["builds"]
    place = given["folder"] or Path("-".join(["explored", *(re.sub(r"[^\w.]+", "-", build) for build in builds)]))
    entries = [*known(), *(entry for path in given["more"] for entry in known(path))]
    own, seeds = [story for path in given["files"] for story in stories_of(path)], shipped()
    writable(place)
    with Runtime() as runtime:
        machine = Machine(runtime)
        try:
            stacks = [machine.one(build if not build[:1].isdigit() else f"{STACK}@{build}") for build in builds]
            labels = [stack.label for stack in stacks]
            if len(set(labels)) < len(labels):
                raise UsageError(f"{', '.join(labels)}: name each build once")
            explorer = Explorer(
                runtime,
                stacks,
                Folder(place, labels, given["seed"]),
                seeds,
                entries,
                own=own,
                declared=declared,
                report=lambda line: click.echo(line, err=True),
                with_scenario=given["scenario"],
            )
            try:
                if given["replay"]:
                    explorer.replay([*own, *seeds])
                else:
                    explorer.run(given["seconds"])
            finally:
                explorer.close()
        finally:
            machine.close()
    click.echo(explorer.line().partition(";")[0])
    for found in explorer.found:
        click.echo(f"new  {found}: {(found / TABLE).read_text(encoding='utf-8').splitlines()[0]}")
    if explorer.found:
        click.get_current_context().exit(FOUND)


def declared(story: Story, suspicion: Suspicion) -> str:
    """Return the scenario that declares a broken rule, or a difference in the scenario that a story comes from."""
    values = list(suspicion.values)
    if suspicion.oracle == RULES:
        return declares_breach(suspicion.what, [label for label, value in values if value == BROKEN])
    file = story.about.partition("::")[0]
    if suspicion.oracle != BUILDS or not file.endswith(".py"):
        return ""
    found = [declares(file, one, other, a, b) for (a, one), (b, other) in pairwise(values) if one != other]
    return found[0] if found and all(found) else ""
