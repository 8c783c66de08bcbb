"""``python -m benchmarks.whole_run``: the default run without workers and with two: what it takes."""

from __future__ import annotations

import argparse
import json
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
class Whole:
    """One run: its workers, its wall and CPU seconds, pytest's exit status, and results.json."""

    workers: int
    wall: float
    cpu: float
    status: int
    results: dict[str, Any]

    @property
    def line(self) -> str:
        """The numbers in words."""
        cells = self.results["cells"]
        ran = sum(cell["verdict"] != "unsupported" for cell in cells)
        return (
            f"-n {self.workers}: {self.wall:6.1f} s, {self.cpu:6.1f} s of CPU, {ran} cells ran, "
            f"{len(cells) - ran} unsupported, exit status {self.status}"
        )


def run(workers: int, arguments: list[str]) -> Whole:
    """Do the run; what pytest prints is thrown away, its results are read."""
    with tempfile.TemporaryDirectory(prefix="resumption-benchmark-") as folder:
        argv = [sys.executable, "-m", "pytest", "scenarios", f"-n{workers}", "-q", "--results", f"{folder}/results"]
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        status = subprocess.run([*argv, *arguments], cwd=ROOT, check=False, stdout=subprocess.DEVNULL).returncode
        wall = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        results = json.loads(Path(folder, "results", "results.json").read_text(encoding="ascii"))
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Whole(workers, wall, cpu, status, results)


def slowest(whole: Whole) -> list[str]:
    """The scenario files that take most of the run, and the tests in them that do."""
    files: defaultdict[str, list[float]] = defaultdict(list)
    tests: defaultdict[str, list[float]] = defaultdict(list)
    for cell in whole.results["cells"]:
        files[cell["scenario"].partition("::")[0]].append(cell["seconds"])
        tests[cell["scenario"]].append(cell["seconds"])
    lines = []
    for title, groups in (("file", files), ("test", tests)):
        lines.append(f"seconds  cells  ms a cell  {title}")
        for name, seconds in sorted(groups.items(), key=lambda group: -sum(group[1]))[:SLOWEST]:
            lines.append(f"{sum(seconds):7.2f}  {len(seconds):5}  {sum(seconds) / len(seconds) * 1e3:9.1f}  {name}")
    return lines


def main() -> None:
    """Print both runs, their ratio, and what takes longest with no worker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("arguments", nargs="*", help="passed on to pytest, as -k tls13")
    arguments = parser.parse_args().arguments
    runs = [run(workers, arguments) for workers in (0, 2)]
    print("\n".join(whole.line for whole in runs))
    print(f"-n 2 takes {runs[1].wall / runs[0].wall:.2f} of -n 0\n")
    print("\n".join(slowest(runs[0])))


if __name__ == "__main__":
    main()
