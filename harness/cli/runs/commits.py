"""Finds the commit between two releases of OpenSSL that changed a behaviour, by `git bisect run` of a reproducer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.builds.programs import CommandError, command, followed, in_group
from harness.case.case import run
from harness.model.errors import HarnessError, UsageError
from harness.report.json.brief import named_story
from harness.reproduce.reproduction import SCRIPTS, reproduction
from harness.results.writer import keep
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine
from harness.story.reading import story_of_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from harness.report.diff.causes import Cause
    from harness.report.json.shapes import CellObject

CHECKED = ("outcome", "mechanism", "alert", "tickets", "session.has_ticket")
"""The observables that the programs of a reproducer compare."""
BISECTION = "bisect.sh"
QUICK, LONG = 60, 7 * 24 * 3600
"""Seconds for git alone, and for building commits."""
GOOD, BAD = 0, 1
"""Exit codes of a reproducer's bisect.sh on the older and on the newer release."""
TAGS = ("openssl-[0-9]*", "OpenSSL_[0-9]*")
"""The tags of releases, as globs of git."""
LETTERS = re.compile(r"(?P<numbers>[01]\.\d+\.\d+)(?P<letters>[a-z]*)")


@dataclass(frozen=True)
class Clone:
    """A clone of OpenSSL, which is left as it is: the search uses a work tree of its own."""

    folder: Path

    @classmethod
    def of(cls, folder: Path) -> Clone:
        """Return the clone in a folder; UsageError if there is none, or one without a release, or no git."""
        clone = cls(folder)
        if not folder.is_dir():
            raise UsageError(f"--commits: there is no folder {folder}; name a clone of OpenSSL")
        try:
            clone.git("rev-parse", "--git-dir")
        except CommandError as error:
            raise UsageError(f"--commits: {folder} is not a clone of OpenSSL: {error}") from error
        if not clone.git("tag", "--list", *TAGS):
            raise UsageError(
                f"--commits: {folder} has no tag of an OpenSSL release; name a clone of OpenSSL, or get its tags with "
                "`git fetch --tags`"
            )
        return clone

    def git(self, *arguments: str, at: Path | None = None) -> str:
        """Run git in the clone, or in a work tree of it, and return its output; CommandError if it fails."""
        return command(["git", *arguments], QUICK, folder=at or self.folder).strip()

    def tag(self, version: str) -> str:
        """Return the tag of a release; UsageError if the clone does not have it."""
        name = tag_of(version)
        try:
            self.git("rev-parse", "--quiet", "--verify", f"refs/tags/{name}^{{commit}}")
        except CommandError as error:
            raise UsageError(f"--commits: {self.folder} has no tag {name}; get it with `git fetch --tags`") from error
        return name


def tag_of(version: str) -> str:
    """Return the tag of a release in OpenSSL's repository: ``openssl-3.5.9``, ``OpenSSL_1_1_1w``."""
    old = LETTERS.fullmatch(version)
    return f"OpenSSL_{old['numbers'].replace('.', '_')}{old['letters']}" if old else f"openssl-{version}"


def reproducible(found: Sequence[Cause]) -> Cause | None:
    """Return the first cause that a reproducer can check; None if there is none."""
    return next((cause for cause in found if cause.between and cause.observable in CHECKED), None)


def write_reproducer(cell: CellObject, label: str, folder: Path) -> Path:
    """Run the story of a cell on a ``stack@build``, write its reproducer to a folder, and return its bisect.sh.

    UsageError if the cell has no story, or no program can express it.
    """
    case = cell["case"]
    written = named_story(case, cell["scenario"]) if case else None
    if not written:
        raise UsageError(f"--commits: {cell['scenario']}[{cell['cell']}] has no story, so there is no reproducer of it")
    story = story_of_json(written, cell["scenario"])
    with Runtime() as runtime:
        machine = Machine(runtime)
        try:
            client, server = machine.one(cell["client"]), machine.one(cell["server"])
            made = reproduction(
                run(story, client, server, runtime, machine.one).connections, runtime.pki.pem_files, wrong=label
            )
        finally:
            machine.close()
    if BISECTION not in made.files:
        raise UsageError("\n".join([f"--commits: {cell['scenario']}[{cell['cell']}]", *made.summary()]))
    keep(folder, made.files, SCRIPTS)
    return folder / BISECTION


def first_commit(clone: Clone, releases: tuple[str, str], script: Path, place: Path, say: Callable[[str], None]) -> str:
    """Return the first commit that behaves as the newer of two releases, with its date and title.

    ``script`` exits with 0 on a commit that behaves as the older release, with 1 on one that behaves as the newer, and
    with 125 on one that cannot be built. ``place`` is a new folder, for a work tree of the clone. Both releases are
    built first. HarnessError if one does not behave as was seen, or if git finds no single commit.
    """
    older, newer = map(clone.tag, releases)
    clone.git("worktree", "add", "--quiet", "--detach", str(place), newer)
    try:
        for tag, wanted in ((newer, BAD), (older, GOOD)):
            say(f"building {tag}")
            clone.git("checkout", "--quiet", "--detach", tag, at=place)
            if (seen := _exit_code(script, place, say)) != wanted:
                raise HarnessError(_unlike(tag, seen))
        clone.git("bisect", "start", newer, older, at=place)
        try:
            followed(["git", "bisect", "run", str(script)], LONG, place, say)
        except CommandError as error:
            raise HarnessError(f"git found no single commit between {older} and {newer}: {error}") from error
        return clone.git("log", "-1", "--format=%H %cs %s", "refs/bisect/bad", at=place)
    finally:
        clone.git("worktree", "remove", "--force", str(place))


def commit_of(clone: Clone, cause: Cause, cell: CellObject, say: Callable[[str], None]) -> str:
    """Return the commit that a cause comes from; ``cell`` is its first cell on the newer build.

    UsageError for a release without a tag and for a cell without a reproducer; HarnessError as for `first_commit`.
    """
    for version in cause.between:
        clone.tag(version)
    with Runtime() as runtime, in_group(runtime.warden.group):
        folder = runtime.warden.folder / "reproducer"
        script = write_reproducer(cell, f"{cause.observable} is {cause.after}", folder)
        older, newer = cause.between
        return first_commit(clone, (older, newer), script, runtime.warden.folder / "openssl", say)


def _exit_code(script: Path, place: Path, say: Callable[[str], None]) -> int:
    try:
        followed([str(script)], LONG, place, say)
    except CommandError as error:
        return -1 if error.code is None else error.code
    return 0


def _unlike(tag: str, seen: int) -> str:
    if seen in {GOOD, BAD}:
        return (
            f"the reproducer finds the same on {tag}, built from source, as on the other release: the change comes "
            "from how a build was made, such as its options; set CONFIGURE to the arguments of ./config"
        )
    return f"{tag} does not build, or its reproducer does not run (exit code {seen}); see its output above"
