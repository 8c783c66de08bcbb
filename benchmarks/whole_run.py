"""``python -m benchmarks.whole_run``: what the default run takes with no worker, one, two, and in two shards."""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SLOWEST = 12
"""How many scenarios are shown."""


@dataclass(frozen=True)
class Way:
    """One way to do the whole run: the shards that run at the same time, and the workers of each."""

    name: str
    shards: int
    workers: int


WAYS = (
    Way("in one process", 1, 0),
    Way("one worker", 1, 1),
    Way("two workers", 1, 2),
    Way("two shards of one worker", 2, 1),
)


@dataclass(frozen=True)
class Whole:
    """What one way took: its wall and CPU seconds, the exit status of each shard, and the cells of all of them."""

    way: Way
    wall: float
    cpu: float
    statuses: list[int]
    cells: list[dict[str, Any]]

    def line(self, base: Whole) -> str:
        """The numbers in words; the ratio is to the wall seconds of `base`."""
        ran = sum(cell["verdict"] != "unsupported" for cell in self.cells)
        return (
            f"{self.way.name:24}  {self.wall:6.1f} s  ratio {self.wall / base.wall:.2f}  {self.cpu:6.1f} s of CPU  "
            f"{ran} cells ran, {len(self.cells) - ran} unsupported  exit {', '.join(map(str, self.statuses))}"
        )


def run(way: Way, arguments: list[str]) -> Whole:
    """Do the run; what pytest prints is thrown away, its results are read."""
    with tempfile.TemporaryDirectory(prefix="resumption-benchmark-") as folder:
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        folders = [Path(folder, f"shard-{number}") for number in range(1, way.shards + 1)]
        shards = [
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "harness.cli", "run", f"-n{way.workers}", "-q"),
                    *(f"--results={results}", *arguments),
                ],
                cwd=ROOT,
                env={**os.environ, "RESUMPTION_SHARD": f"{number}/{way.shards}"},
                stdout=subprocess.DEVNULL,
            )
            for number, results in enumerate(folders, 1)
        ]
        statuses = [shard.wait() for shard in shards]
        wall = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cells = [cell for results in folders for cell in json.loads((results / "results.json").read_text())["cells"]]
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Whole(way, wall, cpu, statuses, cells)


def slowest(whole: Whole) -> list[str]:
    """The scenario files that take most of the run, and the tests in them that do."""
    files: defaultdict[str, list[float]] = defaultdict(list)
    tests: defaultdict[str, list[float]] = defaultdict(list)
    for cell in whole.cells:
        files[cell["scenario"].partition("::")[0]].append(cell["seconds"])
        tests[cell["scenario"]].append(cell["seconds"])
    lines = []
    for title, groups in (("file", files), ("test", tests)):
        lines.append(f"seconds  cells  ms a cell  {title}")
        for name, seconds in sorted(groups.items(), key=lambda group: -sum(group[1]))[:SLOWEST]:
            lines.append(f"{sum(seconds):7.2f}  {len(seconds):5}  {sum(seconds) / len(seconds) * 1e3:9.1f}  {name}")
    return lines


def main() -> None:
    """Print each way, its ratio to one worker, and what takes longest with no worker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arguments", nargs="*", help="passed on to `resumption run`, as -k tls13 or a file")
    arguments = parser.parse_args().arguments
    if not any((ROOT / argument.partition("::")[0]).exists() for argument in arguments):
        arguments = ["scenarios", *arguments]
    runs = [run(way, arguments) for way in WAYS]
    print("\n".join(whole.line(runs[1]) for whole in runs), end="\n\n")
    print("\n".join(slowest(runs[0])))


if __name__ == "__main__":
    main()
