"""The session machinery of OpenSSL, and the scenarios that show it on five builds: docs/machinery.md is made of it."""

from __future__ import annotations

import csv
import os
import shlex
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.agent.vocabulary import release
from harness.results.reader import kept_run
from harness.stacks.programs.clients import CLIENTS
from harness.stacks.programs.products import PRODUCTS
from harness.tests.project.peers import ROOT, exists

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.model.build import Build

TABLE = Path(__file__).with_name("machinery.csv")
BUILDS = ("1.1.1w", "3.0", "3.5", "3.6", "4.0")
"""As Debian has them: bullseye, bookworm, trixie, sid and experimental."""
HEAD = """\
# OpenSSL's session machinery

`python docs/generate.py` makes this page from `harness/tests/project/machinery.csv`: what OpenSSL's API and its
programs can do with sessions, the scenario that shows it, and the one in which it fails where it must. A test runs each
of these scenarios with libssl of OpenSSL {builds} at both ends, and the programs of each of
them against its libssl. It fails if one passes on no cell of a build that has it, or passes on one that does not.
[What other test suites know](peers.md) has more behaviours, and [the knobs](knobs.md) what each stack can do of it.
"""
DEADLINE = 900
"""Seconds for the scenarios of one build."""


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    area: str
    said: str
    """What can be said."""
    shown: tuple[str, ...]
    """The scenarios that show it, as ``file::test`` without ``test_``."""
    twins: tuple[str, ...]
    """Those that show that it fails, or does not happen, where it must not."""
    since: str
    """The first OpenSSL of the five that has it; empty if each has."""

    def is_in(self, version: str) -> bool:
        """Whether that OpenSSL has it."""
        return not self.since or release(version) >= release(self.since)


def rows() -> list[Row]:
    """Every row, in the order of the table."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [
            Row(
                row["row"],
                row["what can be said"],
                tuple(row["shown by"].split()),
                tuple(row["fails where it must"].split()),
                row["since"],
            )
            for row in csv.DictReader(file, delimiter="|")
        ]


def wrong(row: Row) -> str:
    """What a row claims and the scenarios do not have; empty if nothing is wrong."""
    if not (row.shown and row.twins):
        return f"{row.said}: no scenario, or none in which it fails"
    missing = [name for name in (*row.shown, *row.twins) if "::" not in name or not exists(name)]
    return f"{row.said}: no {', '.join(missing)}" if missing else ""


def page() -> str:
    """docs/machinery.md."""
    lines = HEAD.format(builds=f"{', '.join(BUILDS[:-1])} and {BUILDS[-1]}").splitlines()
    areas: dict[str, list[Row]] = defaultdict(list)
    for row in rows():
        areas[row.area].append(row)
    for area, found in areas.items():
        lines += ["", f"## {area[0].upper()}{area[1:]}", ""]
        lines += ["| what can be said | shown by | fails where it must | builds |", "|---|---|---|---|"]
        lines += [f"| {row.said} | {_shown(row.shown)} | {_shown(row.twins)} | {_since(row.since)} |" for row in found]
    return "\n".join(lines) + "\n"


def _shown(names: Iterable[str]) -> str:
    return ", ".join(f"`{name.replace('::', '.py::test_')}`" for name in names)


def _since(since: str) -> str:
    return f"{since} and later" if since else "all five"


def scenarios() -> list[str]:
    """Every scenario of the table, as pytest names it."""
    names = sorted({name for row in rows() for name in (*row.shown, *row.twins)})
    return [f"scenarios/{name.replace('::', '.py::test_')}" for name in names]


def run(build: Build, folder: Path, cache: Path) -> Mapping[str, list[str]]:
    """The verdicts of the cells of each scenario on a build, against itself; its programs are first on the PATH."""
    programs = folder / "programs"
    programs.mkdir()
    environment = [f"{name}={value}" for name, value in build.environment.items()]
    program = programs / "openssl"
    program.write_text(f'#!/bin/sh\nexec env {shlex.join([*environment, *(build.openssl or ())])} "$@"\n')
    program.chmod(0o755)
    ends = [f"libssl@{build.version}"]
    clients = [*ends, *(name for name, row in CLIENTS.items() if row.package == "openssl")]
    servers = [*ends, *(name for name, row in PRODUCTS.items() if row.package == "openssl")]
    argv = [sys.executable, "-m", "harness.cli", "run", *scenarios(), "--results", str(folder / "results")]
    argv += [f"--client={name}" for name in clients] + [f"--server={name}" for name in servers]
    path = f"{programs}:{os.environ.get('PATH', os.defpath)}"
    done = subprocess.run(
        argv,
        cwd=ROOT,
        env={**os.environ, "PATH": path, "RESUMPTION_CACHE": str(cache)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    if not (folder / "results").is_dir():
        raise RuntimeError(f"{shlex.join(argv)}\n{done.stdout}{done.stderr}")
    found: dict[str, list[str]] = defaultdict(list)
    for cell in kept_run(folder / "results").results["cells"]:
        found[cell["scenario"]].append(cell["verdict"])
    return found


def untrue(version: str, verdicts: Mapping[str, list[str]]) -> list[str]:
    """What the cells of a build contradict, in a line for each scenario."""
    found = []
    for row in rows():
        for name in dict.fromkeys((*row.shown, *row.twins)):
            seen = verdicts.get(f"scenarios/{name.replace('::', '.py::test_')}", [])
            bad = sorted({verdict for verdict in seen if verdict not in {"passed", "unsupported"}})
            if bad:
                found.append(f"{row.said}: {name} is {', '.join(bad)} on {version}")
            elif row.is_in(version) and "passed" not in seen:
                found.append(f"{row.said}: {name} passes nowhere on {version}")
            elif not row.is_in(version) and name in row.shown and "passed" in seen:
                found.append(f"{row.said}: {name} passes on {version}, which is said to lack it")
    return list(dict.fromkeys(found))
