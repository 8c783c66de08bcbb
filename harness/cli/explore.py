"""`resumption explore`: looks for behaviours that nobody wrote down."""

from __future__ import annotations

import os
import re
import sys
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.messages import example
from harness.cli.paths import NamedPath
from harness.cli.runs.declared import declares, declares_breach
from harness.explore.corpus import Folder, held
from harness.explore.explorer import Explorer
from harness.explore.finding import TABLE
from harness.explore.known import known
from harness.explore.oracles import BROKEN, BUILDS, RULES
from harness.explore.seeds import given as stories_of
from harness.explore.seeds import shipped, tells_as
from harness.matrix.expectation import Builds
from harness.model.errors import EndpointError, UsageError
from harness.results.writer import writable
from harness.runtime.process import Child, how_it_ended
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.explore.oracles import Suspicion
    from harness.matrix.expectation import Differs
    from harness.story.story import Story

FOUND = 1
MOST_PROCESSES = 1000
LATE = 600.0
"""Seconds that a shard has to end after this process: it may be at work on a finding."""
STACK = "libssl"
"""The stack of a BUILD that is a version."""
SEED = "Makes other stories; processes that share DIR have different ones. Default: 1."
TO = "Keep corpus, state and findings in DIR, and go on with what is there. Default: explored-BUILD-BUILD."
NONE = Path("none")
"""In place of a FILE: without what is shipped."""
FROM = (
    "Begin also with the stories of FILE: a story, a folder of stories, or a run's results.json; may be repeated. "
    f"`{NONE}`: without those of the scenarios."
)
REPLAY = "Run the stories of the scenarios and of --from once, and make no new ones."
PROCESSES = "Explore in N processes, with seeds from --seed on. Default: one for each processor."
PART = "Play only part I of N of the stories to begin with, in this process alone; for shards on several machines."
KNOWN = (
    "Also take FILE, in the form of harness/explore/known.toml, for known; may be repeated. "
    f"`{NONE}`: without what is shipped or declared."
)


class Part(click.ParamType):  # type: ignore[type-arg]  # generic in the stubs alone
    """A part of many, from 1."""

    name = "part"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Return the part, from 0, and how many there are."""
        found = re.fullmatch(r"(\d+)/(\d+)", str(value))
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            self.fail(f"{value!r} is not a part; the second of four is 2/4", param, ctx)
        return int(found[1]) - 1, int(found[2])


@click.command(epilog=example("explore 3.5.6 3.5.7 --seconds 600"))
@click.argument("builds", nargs=-1, required=True, metavar="BUILD...")
@click.option(
    "--seconds", type=click.IntRange(min=1), default=60, metavar="N", help="How long to explore. Default: 60."
)
@click.option("--seed", type=int, default=1, metavar="N", help=SEED)
@click.option("-n", "processes", type=click.IntRange(1, MOST_PROCESSES), metavar="N", help=PROCESSES)
@click.option("--part", type=Part(), default="1/1", metavar="I/N", help=PART)
@click.option("--from", "files", multiple=True, type=NamedPath(path_type=Path), metavar="FILE", help=FROM)
@click.option("--to", "folder", type=NamedPath(path_type=Path), metavar="DIR", help=TO)
@click.option("--replay", is_flag=True, help=REPLAY)
@click.option("--known", "more", multiple=True, type=NamedPath(path_type=Path), metavar="FILE", help=KNOWN)
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
    count = given["processes"] or (1 if given["part"][1] > 1 else len(os.sched_getaffinity(0)))
    part = given["part"] if given["part"][1] > 1 else (0, count)
    if count > 1 and given["part"][1] > 1:
        raise UsageError("-n and --part exclude each other: -n gives each process its part")
    place = given["folder"] or Path("-".join(["explored", *(re.sub(r"[^\w.]+", "-", build) for build in builds)]))
    all_new, blank = NONE in given["more"], NONE in given["files"]
    entries = [*([] if all_new else known()), *(entry for path in _named(given["more"]) for entry in known(path))]
    own, seeds = [story for path in _named(given["files"]) for story in stories_of(path)], shipped()
    writable(place)
    with Runtime() as runtime, ExitStack() as ending:
        machine = Machine(runtime)
        try:
            stacks = [machine.one(build if not build[:1].isdigit() else f"{STACK}@{build}") for build in builds]
            labels = [stack.label for stack in stacks]
            if len(set(labels)) < len(labels):
                raise UsageError(f"{', '.join(labels)}: name each build once")
            for seed in range(given["seed"] + 1, given["seed"] + count):
                with held(place, seed):
                    pass  # it is free, and the shard will have it
            ending.enter_context(held(place, given["seed"]))
            folder = Folder(place, labels, given["seed"])
            explorer = Explorer(
                runtime,
                stacks,
                folder,
                seeds,
                entries,
                own=own,
                blank=blank,
                declared=undeclared if all_new else declared,
                report=lambda line: click.echo(line, err=True),
                with_scenario=given["scenario"],
                part=part,
            )
            others = [Shard(runtime, given, place, number, count) for number in range(1, count)]
            try:
                if given["replay"]:
                    explorer.replay([*own, *([] if blank else seeds)])
                else:
                    explorer.run(given["seconds"])
                new = [*map(said, explorer.found), *(line for other in others for line in other.result())]
            finally:
                for other in others:
                    other.close()
                explorer.close()
        finally:
            machine.close()
    click.echo(explorer.line().partition(";")[0])
    for line in new:
        click.echo(line)
    if new:
        click.get_current_context().exit(FOUND)


def _named(paths: Iterable[Path]) -> list[Path]:
    return [path for path in paths if path != NONE]


NEW = "new  "


def said(found: Path) -> str:
    """Return the line of a new finding."""
    return f"{NEW}{found}: {(found / TABLE).read_text(encoding='utf-8').splitlines()[0]}"


class Shard:
    """A process that explores with a seed of its own; it shares the folder, and its progress is read from there."""

    def __init__(self, runtime: Runtime, given: Mapping[str, Any], place: Path, number: int, count: int) -> None:
        self._runtime = runtime
        self._new: list[str] = []
        options = [f"--seconds={given['seconds']}", f"--seed={given['seed'] + number}", f"--to={place}"]
        options += [f"--part={number + 1}/{count}", *(["--replay"] if given["replay"] else [])]
        options += [*(f"--from={file}" for file in given["files"]), *(f"--known={file}" for file in given["more"])]
        options += ["--scenario"] if given["scenario"] else []
        argv = [sys.executable, "-P", "-m", "harness.cli", "explore", *options, *given["builds"]]
        self._child = Child(runtime.loop, runtime.warden, f"shard {number + 1}", argv, on_line=self._line)

    def _line(self, line: bytes) -> None:
        text = line.decode(errors="replace")
        self._new += [text] if text.startswith(NEW) else []

    def result(self) -> list[str]:
        """Wait for its end; return the lines of its new findings. EndpointError if it failed."""
        self._runtime.loop.wait(lambda: self._child.ended.done, f"the end of {self._child.name}", LATE)
        status = self._child.ended.result()
        if status not in {0, FOUND} or (status == FOUND and not self._new):
            raise EndpointError(self._child.name, how_it_ended(status), self._child.output)
        return self._new

    def close(self) -> None:
        """End it; what it found so far is in the folder."""
        self._child.close()


def undeclared(_story: Story, _suspicion: Suspicion) -> str:
    """Return that no scenario declares a suspicion."""
    return ""


def declared(story: Story, suspicion: Suspicion) -> str:
    """Return the scenario that declares a difference, or a broken rule; empty if none does.

    A difference must be declared by the scenario from which the story comes; a rule by one whose story is like this one
    (harness.explore.seeds.tells_as): what has another cause is not declared.
    """
    values = list(suspicion.values)
    if suspicion.oracle == RULES:
        broken = [label for label, value in values if value == BROKEN]

        def is_like(test: str, differs: Differs[bool]) -> bool:
            met = all(Builds(differs.peer or "*").has(label) for label in broken)  # each build meets itself
            return met and differs.tls in {None, story.tls} and tells_as(story, test)

        return declares_breach(suspicion.what, broken, is_like)
    file = story.about.partition("::")[0]
    if suspicion.oracle != BUILDS or not file.endswith(".py"):
        return ""
    found = [declares(file, one, other, a, b) for (a, one), (b, other) in pairwise(values) if one != other]
    return found[0] if found and all(found) else ""
