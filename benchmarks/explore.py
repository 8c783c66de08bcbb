"""How long `resumption explore` takes to find behaviours that are known, as if nobody had written them down.

`python -m benchmarks.explore` explores two builds for each of them, with two seeds, from an empty folder: without the
stories of the scenarios and without anything known (`--from none --known none`). It prints a table, and exits with 1 if
one is not found in time. `--with-scenarios` begins with the stories of the scenarios; what follows `--` goes to
`resumption explore`.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.explore.corpus import FINDINGS, KEYS
from harness.explore.finding import STORY, TABLE
from harness.explore.known import known, masks
from harness.explore.oracles import Suspicion
from harness.story.reading import read_story

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.explore.known import Known

LIMIT = 600
"""Seconds in which each must be found, on a machine with two cores."""
SEEDS = (1, 2)
ENDING = 60.0
"""Seconds in which an exploration that is interrupted must end."""
HEAD = re.compile(r"(\w+): (.+?)(?: of connection (\d+))?: ")


@dataclass(frozen=True)
class Wanted:
    """A behaviour, by its name in known.toml, and builds that show it."""

    name: str
    builds: tuple[str, ...]

    @property
    def entry(self) -> Known:
        """Return its entry."""
        return next(each for each in known() if each.name == self.name)


WANTED = (
    Wanted("a HelloRetryRequest counts a resumption twice", ("3.6", "4.0")),
    Wanted("tickets after a session of another hash", ("3.5.6", "3.5.7")),
    Wanted("a session outlives a connection that was reset", ("3.6", "4.0")),
    Wanted("a negative timeout is forced to 0, and no ticket can be made", ("3.0.13", "3.0.15")),
)


@dataclass(frozen=True)
class Found:
    """One exploration, up to the finding or to the end of its time."""

    seconds: float
    of_cpu: float
    finding: str
    """The first line of its table; empty if it was not found."""


def shown(folder: Path) -> Suspicion:
    """Return what the table of a finding says."""
    head, *rows = (folder / TABLE).read_text(encoding="utf-8").splitlines()
    said = HEAD.match(head)
    if said is None:
        raise ValueError(f"{folder / TABLE} begins with {head!r}")
    values = tuple((label, value.strip()) for label, _, value in (row.partition(" ") for row in rows))
    return Suspicion(said[1], said[2], int(said[3] or 0), values)


def explored(wanted: Wanted, seed: int, limit: int, more: list[str], folder: Path) -> Found:
    """Explore until the behaviour is found, or the time is over."""
    argv = [sys.executable, "-P", "-m", "harness.cli", "explore", *wanted.builds, f"--seed={seed}"]
    argv += [f"--seconds={limit}", f"--to={folder}", "--known=none", *more]
    begun, before, entry = time.monotonic(), of_children(), wanted.entry
    found, seconds = "", float(limit)
    said = []
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        for line in process.stderr or ():
            said.append(line)
            if found:
                continue
            for place in filed(folder):
                if masks([entry], shown(place), read_story(place / STORY)):
                    found, seconds = (place / TABLE).read_text(encoding="utf-8"), time.monotonic() - begun
                    process.send_signal(signal.SIGINT)
                    break
        with suppress(subprocess.TimeoutExpired):
            process.wait(ENDING)
    if not found and process.returncode not in {0, 1}:
        raise SystemExit("".join(said))
    return Found(seconds, of_children() - before, found.partition("\n")[0])


def filed(folder: Path) -> Iterator[Path]:
    """Yield the folders of the new findings, of all processes that explore, that are whole."""
    for key in sorted((folder / KEYS).glob("*")):
        name = key.read_text(encoding="utf-8")
        if name.startswith(f"{FINDINGS}/"):
            yield folder / name


def of_children() -> float:
    """Return the processor seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print a row for each behaviour and seed; exit with 1 if one was not found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=LIMIT, metavar="N", help="seconds for each")
    parser.add_argument("--seed", type=int, action="append", metavar="N", help="may be repeated; default: 1 and 2")
    parser.add_argument("--only", default="", metavar="WORDS", help="only those whose name has these words")
    parser.add_argument("--with-scenarios", action="store_true", help="begin with the stories of the scenarios")
    parser.add_argument("more", nargs="*", help="for `resumption explore`")
    given = parser.parse_args()
    more = [*given.more, *([] if given.with_scenarios else ["--from=none"])]
    print(f"OpenSSL's behaviours, found from nothing; {os.cpu_count()} processors\n")
    print("| behaviour | builds | seed | seconds | of CPU | found as |\n|---|---|---|---|---|---|", flush=True)
    late = []
    for wanted in WANTED:
        if given.only not in wanted.name:
            continue
        for seed in given.seed or SEEDS:
            with tempfile.TemporaryDirectory() as folder:
                one = explored(wanted, seed, given.limit, more, Path(folder) / "explored")
            row = [wanted.name, " ".join(wanted.builds), str(seed), f"{one.seconds:.0f}", f"{one.of_cpu:.0f}"]
            print(f"| {' | '.join(row)} | {one.finding.replace('|', '/') or 'NOT FOUND'} |", flush=True)
            late += [] if one.finding else [wanted.name]
    if late:
        sys.exit(f"not found within {given.limit} s: {', '.join(dict.fromkeys(late))}")


if __name__ == "__main__":
    main()
