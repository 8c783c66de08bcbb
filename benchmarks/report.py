"""``python -m benchmarks.report``: what `resumption report` takes for 20,000 cells, and what only reading them does."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.report.json.packed import lines
from harness.results.reader import kept_run

if TYPE_CHECKING:
    from harness.report.json.shapes import ResultsObject

ROOT = Path(__file__).parent.parent
CELLS = 20_000
READ = "import json, sys; json.load(open(sys.argv[1]))"
SOME = ("-k", "tls13_ticket or tls12_ticket or client_cache or close_modes", "--client=libssl", "--server=libssl")
"""The scenarios whose cells are multiplied, unless the user names the results of a whole run."""


class Used(NamedTuple):
    """What a process took."""

    wall: float
    cpu: float
    megabytes: float
    """The most memory that it had at once."""

    def line(self, name: str, base: Used) -> str:
        """The numbers in words, with the ratio of CPU seconds to those of ``base``."""
        ratio = self.cpu / base.cpu
        return f"{name:22}  {self.wall:6.2f} s  {self.cpu:6.2f} s of CPU  ratio {ratio:5.1f}  {self.megabytes:6.0f} MB"


def timed(*arguments: str) -> Used:
    """Run a Python of its own; CalledProcessError if it fails."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise subprocess.CalledProcessError(status, arguments)
    return Used(time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def multiplied(results: ResultsObject, count: int) -> Any:
    """The same cells as those of other builds, again and again, until there are as many."""
    made: list[Any] = []
    for number in range(-(-count // len(results["cells"]))):
        for cell in results["cells"]:
            ends = {role: f"{cell[role]}.{number}" for role in ("client", "server")}
            name = cell["cell"].replace(f"{cell['client']}--{cell['server']}", "--".join(ends.values()))
            made.append({**cell, **ends, "cell": name, "case": cell["case"] and {**cell["case"], **ends}})
    labels = {f"{role}s": list(dict.fromkeys(cell[role] for cell in made)) for role in ("client", "server")}
    return {**results, **labels, "cells": made[:count]}


def main() -> None:
    """Print the size of a cell and of the page, and what reading and reporting take."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, help="the results of a run whose cells are multiplied")
    given = parser.parse_args().results
    with tempfile.TemporaryDirectory(prefix="resumption-benchmark-") as name:
        folder = Path(name)
        if given is None:
            given = folder / "run"
            timed("-m", "harness.cli", "run", "scenarios", f"--results={given}", "-q", *SOME)
        many = folder / "many"
        many.mkdir()
        path = many / "results.json"
        path.write_text("".join(lines(multiplied(kept_run(given).results, CELLS))))
        base = timed("-c", READ, str(path))
        made = timed("-m", "harness.cli", "report", str(many))
        page = (many / "report" / "index.html").stat().st_size
        print(f"{CELLS} cells of {path.stat().st_size / CELLS / 1000:.2f} KB; a page of {page / 1e6:.1f} MB")
        print(base.line("json.load", base), made.line("resumption report", base), sep="\n")


if __name__ == "__main__":
    main()
