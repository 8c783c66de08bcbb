"""The options `--reproduce`, `--minimize` and `--story-out`: minimise a story, write it and its reproducers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from harness.case.case import case_object
from harness.case.minimize import Minimal, essence, minimized
from harness.cli.paths import NamedPath
from harness.model.errors import UsageError
from harness.report.expecting import Expectation, asked
from harness.results.writer import keep, new_file, unused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.case.case import CaseResult
    from harness.reproduce.reproduction import Reproduction
    from harness.runtime.runtime import Runtime
    from harness.story.story import Story

F = TypeVar("F", bound="Callable[..., Any]")

REPRODUCE = "Write self-contained reproducers to DIR."
MINIMIZE = "Drop every option and step that does not affect the result; needs --reproduce or --story-out."
UNLIKE = "With --minimize: keep what another build, such as 3.6.5 or libssl@3.6.5, does at both ends."
STORY_OUT = "Write the story to FILE, which --story reads."
CHECKED = (("outcome",), ("mechanism",), ("alert", "number"), ("tickets",), ("session", "has_ticket"))
"""What the programs compare of a connection (harness.reproduce.story.COMPARED), by its path in the JSON."""
NOT_CHECKED = "; the programs do not check this"
STORY = "story.json"
"""The story in a folder of reproducers or of evidence."""


def reproducing_options(command: F) -> F:
    """Add the options to a command."""
    folder = NamedPath(path_type=Path, file_okay=False)
    file = NamedPath(path_type=Path, dir_okay=False)
    command = click.option("--story-out", type=file, metavar="FILE", help=STORY_OUT)(command)
    reproduce = click.option("--reproduce", type=folder, metavar="DIR", help=REPRODUCE)
    command = click.option("--unlike", metavar="BUILD", help=UNLIKE)(command)
    return reproduce(click.option("--minimize", is_flag=True, help=MINIMIZE)(command))


@dataclass(frozen=True)
class Reproducing:
    """The story that is reported, minimised if requested, and its reproducers."""

    story: Story
    result: CaseResult
    left_out: tuple[str, ...] | None
    """What was dropped, in words; None without ``--minimize``."""
    made: Reproduction | None
    folder: Path | None

    def write(self) -> list[str]:
        """Write the folder if one was requested; return the lines to print."""
        lines = [] if self.left_out is None else [f"left out: {', '.join(self.left_out) or 'nothing'}"]
        if self.made and self.folder:
            from harness.reproduce.reproduction import SCRIPTS  # noqa: PLC0415 - see `reproducing`

            keep(self.folder, {**self.made.files, STORY: self.story.text()}, SCRIPTS)
            lines += [*self.made.summary(), f"written to {self.folder}; begin with README.md"]
        return lines


def checked(given: Mapping[str, Any]) -> None:
    """UsageError if the options cannot be combined, or the folder cannot hold the reproducers."""
    if given["minimize"] and not (given["reproduce"] or given["story_out"]):
        raise UsageError(
            "--minimize needs --reproduce DIR or --story-out FILE: it drops what does not affect the result from them"
        )
    if given["unlike"] and not given["minimize"]:
        raise UsageError("--unlike needs --minimize: it says which other build must go on to do what it does")
    if given["reproduce"]:
        unused(given["reproduce"])
    if given["story_out"]:
        new_file(given["story_out"])


def reproducing(
    given: Mapping[str, Any],
    runtime: Runtime,
    story: Story,
    again: Callable[[Story], CaseResult],
    judge: Callable[[Story, CaseResult], str | None],
    elsewhere: Callable[[Story], CaseResult] | None = None,
) -> Reproducing:
    """Run the story; minimise it and make its reproducers if requested. ``elsewhere`` runs it on the build of --unlike.

    UsageError if that build shows the same.
    """
    found = Minimal(story, again(story), ())
    if given["minimize"]:
        if elsewhere and _shown(story, found.result) == _shown(story, elsewhere(story)):
            raise UsageError(f"--unlike {given['unlike']} shows the same; name a build that differs, or leave it out")
        found = minimized(
            story,
            found.result,
            again,
            lambda one, seen: [*held(one, seen), *(map(str, _shown(one, elsewhere(one))) if elsewhere else ())],
        )
    left_out = found.left_out if given["minimize"] else None
    made = None
    if given["reproduce"]:
        from harness.reproduce.reproduction import reproduction  # noqa: PLC0415 - a third of the time that `connect` takes to load

        wrong = judge(found.story, found.result) or ""
        made = reproduction(
            found.result.connections,
            runtime.pki.pem_files,
            expected=[_said(Expectation.parse(text), found.result) for text in found.story.expect],
            asked=asked(found.story.expect, len(found.result.connections)),
            wrong=wrong,
            left_out=found.left_out,
        )
    return Reproducing(found.story, found.result, left_out, made, given["reproduce"])


def _said(expectation: Expectation, result: CaseResult) -> str:
    """What was expected, and whether the programs look at it."""
    from harness.reproduce.asked import SEEN  # noqa: PLC0415 - as above

    named = {each.keys for each in expectation.observables.values()}
    note = (
        "" if named <= {*CHECKED} else "; reproduce.c alone checks this" if named <= {*CHECKED, *SEEN} else NOT_CHECKED
    )
    return expectation.sentence(len(result.connections)) + note


def _shown(story: Story, result: CaseResult) -> list[object]:
    """What must stay: the last connection's outcome and its like, and what each expectation observes."""
    return [essence(result), *held(story, result)]


def held(story: Story, result: CaseResult) -> list[str]:
    """Return what each expectation of a story observes, and whether it holds."""
    wanted = [Expectation.parse(text) for text in story.expect]
    if not wanted:
        return []
    case = case_object(story, labels=("", ""), result=result)
    return [f"{each.holds(case)}: {each.values(case)}" for each in wanted]
