"""Each known behaviour is reproduced, minimized and bisected like a finding, on the builds beside its range.

The program in C agrees with the build for which it was written, and not with the other one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from harness.builds.store import BuildStore
from harness.builds.versions import build_version
from harness.cli import main
from harness.cli.cases.tests.test_cli_bisect import fetched
from harness.explore.finding import REPORT, STORY, Finding, write
from harness.explore.generate import standing
from harness.explore.known import known, masks
from harness.explore.oracles import suspicions
from harness.explore.play import UNSUPPORTED, play
from harness.reproduce.tests.compiled import Compiler
from harness.reproduce.tests.reproducer_folders import last_line
from harness.stacks.machine import Machine
from harness.story.reading import read_story

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from harness.explore.known import Known
    from harness.model.build import Build
    from harness.runtime.runtime import Runtime

pytestmark = pytest.mark.network

OLDEST = "1.1.1"
"""The first release that reproducers are for."""
BEFORE_TLS13, NEWEST = "1.1.0l", "4.0.3"
PROGRAM = "reproduce.c"
CANNOT = 125
NOT_IN_C = {
    "an empty datagram ends a connection of DTLS with decode_error": "the alert of connection 1 at an empty datagram"
}
"""What no program in C shows, with the reason that the report of a finding gives."""
REFUSED = {
    "a session with kex_group cannot be read": "cannot run: (found = d2i_SSL_SESSION",
}
"""What the program cannot do on the build that refuses it, which it says (exit code 125)."""


def beside(entry: Known) -> tuple[str, str] | None:
    """The two neighbours of the catalogue that the first edge of an entry's ranges parts; None if it parts none."""
    versions = {one.version for one in BuildStore().known if "libssl" in one.stacks}
    usable = sorted((v for v in versions if build_version(v) >= build_version(OLDEST)), key=build_version)
    edges = (pair for pair in pairwise(usable) if len({entry.has(f"libssl@{version}") for version in pair}) > 1)
    return next(edges, None)


@dataclass(frozen=True)
class Borrowing(Compiler):
    """A compiler for a build of a wheel, which has no headers: with those of another build of its line."""

    headers: Build

    @property
    def includes(self) -> list[Path]:
        """The folders of the other build's headers."""
        return Compiler(self.headers).includes

    @property
    def libraries(self) -> tuple[str, ...]:
        """The build's own libraries, whatever their names are."""
        paths = [path for path in (self.build.libssl, self.build.libcrypto) if path is not None]
        return (*(str(path) for path in paths), "-Wl,--allow-shlib-undefined")


def compiler_for(build: Build, machine: Machine) -> Compiler:
    """A compiler with headers of the build's own minor release, or of the last one before it that has some here."""
    line = build_version(build.version).release
    usable = [
        (build_version(one.version).release[:2], one)
        for one in (machine.one(f"libssl@{version}").build for version in machine.fetched("libssl"))
        if Compiler(one).unavailable is None
    ]
    fitting = [(minor, one) for minor, one in usable if minor[0] == line[0] and minor <= line[:2]]
    if not fitting:
        pytest.skip(
            f"no headers of OpenSSL {build.version} are here; run: resumption builds fetch --provider debian 3.0"
        )
    return Borrowing(build, max(fitting, key=lambda each: each[0])[1])


SHOWN_BEFORE_TLS13 = {
    "a server does not compare the server name of a session",
    "a client offers a session whose suite it can no longer use",
}
"""Of the entries about every build, those whose story the older build runs, and shows too."""


def connects(story: Path, version: str, *more: str) -> int:
    end = f"libssl@{version}"
    return main(["connect", "--story", str(story), "--client", end, "--server", end, "--quiet", *more])


def said(entry: Known, done: subprocess.CompletedProcess[str], build: Build) -> tuple[int, str]:
    """The exit code and the verdict of a program; of one that a build is known to refuse, what it would be."""
    if done.returncode == CANNOT and REFUSED.get(entry.name, "-") in done.stderr:
        return (0, "as observed") if entry.has(f"libssl@{build.version}") else (1, "NOT")
    return done.returncode, last_line(done) if done.returncode == 0 else last_line(done)[:3]


@pytest.mark.parametrize("entry", known(), ids=lambda entry: entry.name)
def test_a_known_behaviour_goes_through_all_that_a_finding_does(
    entry: Known,
    runtime: Runtime,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> None:
    parted = beside(entry)
    fetched(capsys, *(parted or (BEFORE_TLS13, NEWEST)))
    machine = Machine(runtime)
    request.addfinalizer(machine.close)
    stacks = [machine.one(f"libssl@{version}") for version in parted or (NEWEST,)]
    bad = stacks[-1].build
    assert entry.example is not None
    story = standing(entry.example)
    played = [play(story, stack, runtime) for stack in stacks]
    if any(one.ended == UNSUPPORTED for one in played):  # contexts with clocks are in processes of their own
        story = entry.example
        played = [play(story, stack, runtime) for stack in stacks]
    seen = suspicions(played)
    found = Finding(story, next(one for one in seen if masks([entry], one, story)), tuple(stacks), entry.name)
    folder = tmp_path / "finding"
    folder.mkdir()
    write(folder, found, runtime)

    assert connects(folder / STORY, bad.version) == 1

    smaller = tmp_path / "smaller.json"
    other = ["--unlike", stacks[0].label] if parted else []
    assert connects(folder / STORY, bad.version, "--minimize", *other, "--story-out", str(smaller)) == 1
    assert len(read_story(smaller).steps) <= len(story.steps)
    assert connects(smaller, bad.version) == 1

    program = folder / PROGRAM
    if entry.name in NOT_IN_C:
        assert f"- no {PROGRAM}: {NOT_IN_C[entry.name]}" in (folder / REPORT).read_text(encoding="utf-8")
        return
    own = compiler_for(bad, machine).compile(program, name="own")
    done = compiler_for(bad, machine).run(own, str(folder))
    assert said(entry, done, bad) == (0, "as observed"), done.stdout + done.stderr

    if parted is None:
        code = main(["bisect", "--good", BEFORE_TLS13, "--bad", NEWEST, "--story", str(folder / STORY)])
        assert code == (1 if entry.name in SHOWN_BEFORE_TLS13 else 125)
        return
    good = stacks[0].build
    assert connects(folder / STORY, good.version) == connects(smaller, good.version) == 0
    tools = compiler_for(good, machine)
    done = tools.run(tools.compile(program, name="other"), str(folder))
    assert said(entry, done, good) == (1, "NOT"), done.stdout + done.stderr
    capsys.readouterr()
    assert main(["bisect", "--good", good.version, "--bad", bad.version, "--story", str(folder / STORY)]) == 0
    assert capsys.readouterr().out.startswith(f"first bad  {bad.version}\nlast good  {good.version}\n")
