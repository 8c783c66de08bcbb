"""A command that is killed leaves no process behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from harness.runtime.loop import stretched

if TYPE_CHECKING:
    from pathlib import Path

    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine

SLOW = '''"""A ticket resumes (RFC 8446, 2.2)."""

from pathlib import Path
from harness import FULL, TLSv1_3, cases, scenario

pytestmark = scenario(versions=[TLSv1_3], same_stack=True)


@cases("number", *range(2000))
def test_it_connects(pair, number):
    first = pair.connect()
    Path("begun").touch()
    assert first.outcome is FULL
'''


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("command", [["run", "-n2"], ["diff", "libssl", "libssl", "-n2"]], ids=["run", "diff"])
def test_a_killed_command_leaves_no_process(
    command: list[str], number: signal.Signals, tmp_path: Path, machine: tuple[Machine, Runtime]
) -> None:
    (tmp_path / "test_slow.py").write_text(SLOW)
    version = machine[0].one("libssl").label
    argv = [sys.executable, "-m", "harness.cli", *(version if word == "libssl" else word for word in command)]
    argv += ["--client=libssl", "--results=out"] if command[0] == "run" else []
    log = tmp_path / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [*argv, "test_slow.py"], cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        ) as started,
    ):
        end = time.monotonic() + stretched(60)
        while not (tmp_path / "begun").exists():
            assert started.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            started_wait(started)
        family = psutil.Process(started.pid).children(recursive=True)
        started.send_signal(number)
        started.wait()

    assert len(family) > 3
    _, alive = psutil.wait_procs(family, stretched(5))
    assert alive == []


def started_wait(process: subprocess.Popen[bytes]) -> None:
    """Let a tenth of a second pass, or the process end."""
    try:
        process.wait(0.1)
    except subprocess.TimeoutExpired:
        return
