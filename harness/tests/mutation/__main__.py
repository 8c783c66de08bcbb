"""Runs every mutant of the scenarios and names those that still pass.

    python -m harness.tests.mutation [--workers N] [--list] [FILE ...]

A mutant that still passes must be named in harmless.toml, with the reason: as `equal` if it cannot behave in another
way than its test, as `slow` if a slow machine may kill it, or as `harmless`. The score is the part of the mutants that
are not equal that is killed; it stands in a table for each file and for all of them. Exit code 1 for a survivor that
is not named, for a name that is not a survivor, for a scenario that does not pass as it is, for a file that cannot be
swept, and for a score below 90 %.

Mutants run on this machine's OpenSSL and on 3.5, and 1.1.1w is a second stack of scenarios that switch to one:
`resumption builds fetch --provider debian 1.1.1w 3.5` gets both. `resumption libraries fetch tlslite` gets the peer
that breaks the rules, and .ci/programs the programs that are ends of scenarios.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from harness.model.tls import Role
from harness.stacks.programs.known import known_programs
from harness.tests.mutation.mutants import mutated

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from harness.tests.mutation.mutants import Mutant

ROOT = Path(__file__).parents[3]
SCENARIOS = ROOT / "scenarios"
HARMLESS = Path(__file__).with_name("harmless.toml")
LEAST = 0.9
"""The score below which a sweep fails."""
STACKS = ("libssl", "openssl", "pyopenssl", "libssl@1.1.1w", "libssl@3.5")
"""The first and the last of libssl run the mutants; each is a second stack of scenarios that switch to one."""


class BrokenSweepError(Exception):
    """Pytest ended without results."""


@dataclass(frozen=True)
class Named:
    """The survivors that harmless.toml names, each with the reason."""

    equal: Mapping[str, str] = field(default_factory=dict)
    """Those that cannot behave in another way than their tests; they are not in the score."""
    harmless: Mapping[str, str] = field(default_factory=dict)
    slow: Mapping[str, str] = field(default_factory=dict)
    """Harmless ones that a slow machine may kill: what they leave out orders or bounds what happens."""

    @property
    def reasons(self) -> dict[str, str]:
        """The reason of each, of any kind."""
        return {**self.equal, **self.harmless, **self.slow}


@dataclass
class Sweep:
    """What a sweep found."""

    killed: list[Mutant] = field(default_factory=list)
    survived: list[Mutant] = field(default_factory=list)
    not_run: list[Mutant] = field(default_factory=list)
    equal: list[Mutant] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Scenarios that do not pass as they are."""
    unswept: dict[str, str] = field(default_factory=dict)
    """Files without results, each with what pytest printed."""

    def add(self, other: Sweep) -> None:
        """Take over what another sweep found."""
        for kind in ("killed", "survived", "not_run", "equal", "broken"):
            getattr(self, kind).extend(getattr(other, kind))
        self.unswept |= other.unswept

    def of(self, file: str) -> Sweep:
        """What was found of one file."""

        def mine(mutants: list[Mutant]) -> list[Mutant]:
            return [mutant for mutant in mutants if mutant.file == file]

        return Sweep(mine(self.killed), mine(self.survived), mine(self.not_run), mine(self.equal))

    def counted(self, named: Named) -> int:
        """How many mutants are in the score: those that were run and that nobody names as equal."""
        return len(self.killed) + sum(mutant.id not in named.equal for mutant in self.survived)

    def score(self, named: Named) -> float:
        """The part of the mutants in the score that was killed."""
        counted = self.counted(named)
        return len(self.killed) / counted if counted else 1.0

    def problems(self, named: Named) -> list[str]:
        """What is wrong, one line each, with what to do next."""
        reasons = named.reasons
        survivors = {mutant.id for mutant in self.survived}
        stale = {*reasons} - survivors - ({*named.slow} & {mutant.id for mutant in self.killed})
        others = {mutant.id: "is killed" for mutant in self.killed}
        others |= {mutant.id: "was not run" for mutant in self.not_run}
        others |= {mutant.id: f"is left out: {mutant.equal}" for mutant in self.equal}
        return [
            *(
                f"cannot be swept: {name}; pytest ended without results, see what it printed:\n{printed}"
                for name, printed in self.unswept.items()
            ),
            *(f"does not pass as it is: {name}; mend it first" for name in self.broken),
            *(f"was not run: {mutant.id}; no cell of it is possible on {', '.join(STACKS)}" for mutant in self.not_run),
            *(
                f"still passes: {name}; make the asserts stricter, or name it in harmless.toml with the reason"
                for name in sorted(survivors - {*reasons})
            ),
            *(
                f"harmless.toml names {name}, which {others.get(name, 'does not exist')}; remove it there"
                for name in sorted(stale)
                if name.partition("::")[0] not in self.unswept
            ),
            *(
                f"harmless.toml names {name} twice"
                for name, kinds in sorted(Counter([*named.equal, *named.harmless, *named.slow]).items())
                if kinds > 1
            ),
            *(f"harmless.toml gives no reason for {name}" for name, why in reasons.items() if not why.strip()),
            *([f"the score is below {LEAST:.0%}"] if self.score(named) < LEAST else []),
        ]


def sweep(files: Sequence[Path], workers: str) -> Sweep:
    """Run all mutants of some files, and the scenarios themselves, in one run of pytest.

    If pytest leaves no results, each file is swept by itself, so that one does not hide the others.
    """
    try:
        return sweep_together(files, workers)
    except BrokenSweepError as error:
        if len(files) == 1:
            return Sweep(unswept={files[0].name: str(error)})
    found = Sweep()
    for path in files:
        found.add(sweep([path], workers))
    return found


def sweep_together(files: Sequence[Path], workers: str) -> Sweep:
    """Run all mutants of some files in one run of pytest; BrokenSweepError if it leaves no results."""
    found = Sweep()
    mutants: list[Mutant] = []
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        for path in files:
            made = mutated(path)
            (Path(folder) / path.name).write_text(made.source, encoding="utf-8")
            found.equal += [mutant for mutant in made.mutants if mutant.equal]
            mutants += [mutant for mutant in made.mutants if not mutant.equal]
        verdicts = run(Path(folder), workers)
    for mutant in mutants:
        seen = verdicts.pop(f"{mutant.file}::{mutant.name}", set()) - {"unsupported"}
        kind = found.not_run if not seen else found.survived if seen == {"passed"} else found.killed
        kind.append(mutant)
    found.broken = sorted(name for name, seen in verdicts.items() if not seen <= {"passed", "unsupported"})
    return found


def run(folder: Path, workers: str) -> dict[str, set[str]]:
    """The verdicts of the cells of each test of a folder."""
    (folder / "pytest.ini").write_text(
        "[pytest]\npython_files = *.py\naddopts = --import-mode=importlib --tb=line -q\n"
    )
    results = folder / "results"
    options = [f"--resumption-{role}={name}" for role in Role for name in (*STACKS, *known_programs(role))]
    command = [sys.executable, "-m", "pytest", str(folder), "-p", "no:cacheprovider", f"-n{workers}", *options]
    wanted = [f"--resumption-results={results}", "-p", "harness.tests.mutation.choose"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*command, *wanted], cwd=folder, env=environment, check=False, capture_output=True, text=True)
    if not (results / "results.json").exists():
        raise BrokenSweepError(f"exit code {done.returncode} of pytest\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    verdicts: dict[str, set[str]] = {}
    for cell in json.loads((results / "results.json").read_bytes())["cells"]:
        verdicts.setdefault(cell["scenario"], set()).add(cell["verdict"])
    return verdicts


def named(files: Collection[str]) -> Named:
    """The survivors of some files that harmless.toml names."""
    kinds = tomllib.loads(HARMLESS.read_text(encoding="utf-8"))
    found = {
        kind: {
            mutant: group["reason"]
            for group in groups
            for mutant in group["mutants"]
            if mutant.partition("::")[0] in files
        }
        for kind, groups in kinds.items()
    }
    return Named(**found)


def table(found: Sweep, survivors: Named, files: Sequence[Path]) -> list[str]:
    """The scores: one line for each file that has a mutant, and one for all of them."""
    lines = [f"{'file':<32} {'killed':>6} {'of':>5} {'score':>7} {'harmless':>8} {'equal':>5}"]
    parts = {path.name: found.of(path.name) for path in files} | {"all": found}
    for name, part in parts.items():
        equal = [mutant for mutant in part.survived if mutant.id in survivors.equal]
        harmless = [mutant for mutant in part.survived if mutant.id in {*survivors.harmless, *survivors.slow}]
        killed, counted = len(part.killed), part.counted(survivors)
        if counted or equal or part.equal:
            lines.append(
                f"{name:<32} {killed:>6} {counted:>5} {part.score(survivors):>7.1%} {len(harmless):>8} "
                f"{len(equal) + len(part.equal):>5}"
            )
    return lines


def main(arguments: Sequence[str]) -> int:
    """Sweep and print; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m harness.tests.mutation", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="Scenario files; all of them by default.")
    parser.add_argument("--workers", default="auto", metavar="N", help="Processes of pytest-xdist.")
    parser.add_argument("--list", action="store_true", help="List the mutants and run none.")
    given = parser.parse_args(arguments)
    files = given.files or sorted(SCENARIOS.glob("*.py"))
    if given.list:
        for mutant in [mutant for path in files for mutant in mutated(path).mutants]:
            print(f"{mutant.id}{f' ({mutant.equal})' if mutant.equal else ''}")
        return 0
    survivors = named({path.name for path in files})
    found = sweep(files, given.workers)
    problems = found.problems(survivors)
    for line in problems:
        print(line)
    print(*table(found, survivors, files), sep="\n")
    counted = found.counted(survivors)
    run = len(found.killed) + len(found.survived)
    print(
        f"{run} mutants were run: {len(found.killed)} killed, {len(found.survived)} survive, {run - counted} of them "
        f"equal by construction ({len(found.equal)} more were not run)"
    )
    print(f"score {found.score(survivors):.1%}: {len(found.killed)} killed of {counted} that are not equal")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
