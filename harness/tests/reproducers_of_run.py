"""Runs every reproducer that `resumption run --reproduce` left, on one build, and names those that do not agree.

    resumption run --reproduce --results DIR --client libssl@3.5 --server libssl@3.5
    python -m harness.tests.reproducers_of_run DIR 3.5 [reproduce.sh ...]

Of programs that are the same text for text, one is run. A cell that meets another version (``played_by``) is left out.
Exit code 1 if any does not agree with what was seen.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from harness.reproduce.tests.compiled import Compiler
from harness.reproduce.tests.reproducer_folders import last_line, program, run
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.model.build import Build

WORKERS = 2


def different(results: Path, version: str, name: str) -> Iterator[Path]:
    """Each file of that name of a cell whose ends both have this version, one of those that are alike."""
    seen = set()
    for path in sorted(results.glob(f"cells/*/*@{version}--*@{version}-*/reproduce/{name}")):
        digest = hashlib.sha256(path.read_bytes()).digest()
        if digest not in seen:
            seen.add(digest)
            yield path


def runners(machine: Machine, version: str) -> dict[str, Callable[[Path], subprocess.CompletedProcess[str]]]:
    """How each form is run on the build; a form for which it has no parts is not among them."""
    found: dict[str, Callable[[Path], subprocess.CompletedProcess[str]]] = {}
    openssl = machine.one(f"openssl@{version}").build
    found["reproduce.sh"] = lambda path: run([path], {"OPENSSL": program(openssl)}, Path("/"))
    libssl = machine.one(f"libssl@{openssl.version}").build
    if Compiler(libssl).unavailable is None:
        found["reproduce.c"] = lambda path: compiled(libssl, path)
    if [stack for stack in machine.own if stack.name == "ssl" and stack.build.version == openssl.version]:
        found["reproduce.py"] = lambda path: run([sys.executable, path], {}, Path("/"))
    return found


def compiled(build: Build, path: Path) -> subprocess.CompletedProcess[str]:
    """The C program, compiled somewhere else than where its source lies."""
    tools = Compiler(build)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "reproduce.c"
        source.write_text(path.read_text())
        first = tools.compile(source)
        others = (
            [str(tools.starter(tools.compile(source, name="server")))] if "_DEFAULT_SOURCE" in path.read_text() else []
        )
        return tools.run(first, str(path.parent), *others)


def in_time(runner: Callable[[Path], subprocess.CompletedProcess[str]], path: Path) -> subprocess.CompletedProcess[str]:
    """What it says, or that it took too long: then the others still run."""
    try:
        return runner(path)
    except subprocess.TimeoutExpired as late:
        return subprocess.CompletedProcess(late.cmd, 125, "", f"not done within {late.timeout:.0f} s\n")


def main(results: Path, version: str, forms: Sequence[str] = ()) -> int:
    """Run all, or those of some forms, print what does not agree, and how many do."""
    counts: Counter[str] = Counter()
    with Runtime() as runtime:
        machine = Machine(runtime)
        for name, runner in runners(machine, version).items():
            if forms and name not in forms:
                continue
            with ThreadPoolExecutor(WORKERS) as pool:
                paths = list(different(results, machine.one(f"openssl@{version}").build.version, name))
                for path, done in zip(paths, pool.map(partial(in_time, runner), paths), strict=True):
                    agrees = done.returncode == 0 and last_line(done) == "as observed"
                    counts[f"{name} {'agrees' if agrees else 'DOES NOT AGREE'}"] += 1
                    if not agrees:
                        print(f"{path}\n{done.stdout}{done.stderr}", flush=True)  # noqa: T201
        machine.close()
    print("; ".join(f"{what}: {count}" for what, count in counts.items()))  # noqa: T201
    return any("NOT" in what for what in counts)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute(), sys.argv[2], sys.argv[3:]))
