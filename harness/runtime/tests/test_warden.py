"""A warden leaves nothing of its children behind, however the harness ends."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from harness.model.errors import stretched
from harness.runtime.clock import Clock, library
from harness.runtime.process import Child
from harness.runtime.runtime import Runtime

SHARED = Path("/dev/shm")  # noqa: S108 - libfaketime's place
moves_clocks = pytest.mark.skipif(library() is None, reason="libfaketime has no library for this system")

HARNESS = """
import os, sys
from harness.runtime.clock import Clock
from harness.runtime.process import Child
from harness.runtime.runtime import Runtime

runtime = Runtime()
environment = {**os.environ, **Clock(runtime.path(".clock"), 60).environment}
lines = []
child = Child(runtime.loop, runtime.warden, "child", ["/bin/sh", "-c", "date +%s; exec cat"], environment=environment,
              on_line=lines.append)
runtime.loop.wait(lambda: lines, "the date")
print(child.pid, runtime.folder, flush=True)
sys.stdin.read()
"""


WRITING = """
import subprocess, sys
from harness.runtime.warden import Warden

warden = Warden()
writes = "import sys; from pathlib import Path\\n" \\
    "while True:\\n    place = Path(sys.argv[1], 'results')\\n    place.mkdir(parents=True, exist_ok=True)\\n" \\
    "    (place / 'results.jsonl').touch()"
subprocess.Popen([sys.executable, "-c", writes, warden.folder], process_group=warden.group, stderr=subprocess.DEVNULL)
while not (warden.folder / "results" / "results.jsonl").exists():
    pass
print(warden.folder, flush=True)
sys.stdin.read()
"""
"""A run inside another one, which makes the folder of its results again if that is gone."""


def left_in_shared_memory(pid: int) -> list[Path]:
    return [path for path in SHARED.glob("*faketime*") if path.name.endswith(f"_{pid}")]


@moves_clocks
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_harness_leaves_no_child_and_no_clock(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HARNESS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as harness:
        assert harness.stdout is not None
        pid, folder = harness.stdout.readline().split()
        child = psutil.Process(int(pid))
        begun = left_in_shared_memory(child.pid)
        harness.send_signal(number)
        harness.wait()

    assert begun
    psutil.wait_procs([child], stretched(5))
    assert not child.is_running()
    assert left_in_shared_memory(child.pid) == []
    assert not Path(folder).exists()


@moves_clocks
def test_a_child_that_is_killed_leaves_no_clock() -> None:
    with Runtime() as runtime:
        environment = Clock(runtime.path(".clock"), 60).environment
        lines: list[bytes] = []
        argv = ["/bin/sh", "-c", "date +%s; exec cat"]
        child = Child(runtime.loop, runtime.warden, "child", argv, environment=environment, on_line=lines.append)
        runtime.loop.wait(lambda: bool(lines), "the date")
        begun = left_in_shared_memory(child.pid)
        child.kill()
        child.close()

        assert begun
        assert left_in_shared_memory(child.pid) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_child_that_makes_the_folder_again_leaves_none(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as harness:
        assert harness.stdout is not None
        folder = harness.stdout.readline().strip()
        family = psutil.Process(harness.pid).children()
        harness.send_signal(number)
        harness.wait()

    _, alive = psutil.wait_procs(family, stretched(5))
    assert len(family) > 2
    assert alive == []
    assert not Path(folder).exists()


KILLED = """
import os, sys
from pathlib import Path
from harness.runtime.clock import SHARED, Clock
from harness.runtime.process import Child
from harness.runtime.runtime import Runtime

moments = sys.stdin
for moment in moments:
    if os.fork():
        os.wait()
        continue
    runtime = Runtime()
    environment = {**os.environ, **Clock(runtime.path(".clock"), 60).environment}
    lines = []
    child = Child(runtime.loop, runtime.warden, "child", ["/bin/sh", "-c", "date +%s; exec cat"],
                  environment=environment, on_line=lines.append)
    if moment == "marker\\n":
        while not list(runtime.folder.glob("moved.*")):
            pass
    elif moment == "shared memory\\n":
        while not (SHARED / f"faketime_shm_{child.pid}").exists():
            pass
    elif moment == "date\\n":
        runtime.loop.wait(lambda: lines, "the date")
    print(os.getpid(), child.pid, runtime.folder, flush=True)
    moments.read()
"""
"""For each line of stdin a harness that starts a child with a moved clock, and is then killed."""
MOMENTS = ("started", "marker", "shared memory", "date")
TIMES = 50


@moves_clocks
def test_a_clock_is_removed_although_harness_and_child_are_killed_at_once() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        for number in range(TIMES):
            server.stdin.write(MOMENTS[number % len(MOMENTS)] + "\n")
            server.stdin.flush()
            harness, child, folder = server.stdout.readline().split()
            family = [os.pidfd_open(one.pid) for one in psutil.Process(int(harness)).children()]
            for pid in (harness, child):
                os.kill(int(pid), signal.SIGKILL)

            assert len(family) == 3
            for one in family:
                assert select.select([one], [], [], stretched(5))[0]
                os.close(one)
            assert left_in_shared_memory(int(child)) == []
            assert not Path(folder).exists()
        server.stdin.close()
