"""A command that is killed leaves no process behind."""

from __future__ import annotations

import os
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


CASE = ["--client", "openssl@3.9.9", "--server", "openssl@3.9.9", "--tls", "1.3", "--openssl"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_case_leaves_no_process_and_no_file(number: signal.Signals, tmp_path: Path) -> None:
    """Its server never gets ready."""
    begun, temporary = tmp_path / "begun", tmp_path / "tmp"
    temporary.mkdir()
    script = f'[ "$1" = version ] && echo "OpenSSL 3.9.9 1 Jan 2026" && exit\necho > {begun}\nexec sleep 600'
    _program(tmp_path / "bin" / "openssl", script)

    with subprocess.Popen(
        [sys.executable, "-m", "harness.cli", "connect", *CASE, str(tmp_path)],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": str(temporary)},
    ) as started:
        _kill_once(begun, started, number, temporary)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("command", [["builds", "fetch", "1.1.1w"], ["bisect", "--good", "1.1.1w", "--bad", "3.5"]])
def test_killed_fetching_leaves_no_process_and_no_file(
    command: list[str], number: signal.Signals, tmp_path: Path
) -> None:
    """apt-get never gets an answer."""
    begun, temporary = tmp_path / "begun", tmp_path / "tmp"
    temporary.mkdir()
    for name in ("apt-get", "pip"):
        _program(tmp_path / "bin" / name, f"echo > {begun}\necho > $TMPDIR/left\nsleep 600")
    environment = {
        **os.environ,
        "TMPDIR": str(temporary),
        "RESUMPTION_CACHE": str(tmp_path / "cache"),
        "RESUMPTION_MIRROR": "http://localhost/debian",
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
    }
    case = ["--client", "openssl", "--server", "openssl", "--tls", "1.3"] if command[0] == "bisect" else []
    with subprocess.Popen(
        [sys.executable, "-m", "harness.cli", *command, *case],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as started:
        _kill_once(begun, started, number, temporary)


def _program(path: Path, script: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def _kill_once(begun: Path, started: subprocess.Popen[bytes], number: signal.Signals, temporary: Path) -> None:
    """Send the signal when the program has begun; nothing of the command is left soon after it."""
    end = time.monotonic() + stretched(60)
    while not begun.exists():
        assert started.poll() is None
        assert time.monotonic() < end
        started_wait(started)
    family = psutil.Process(started.pid).children(recursive=True)
    started.send_signal(number)
    started.wait()

    assert family
    _, alive = psutil.wait_procs(family, stretched(5))
    assert alive == []
    assert list(temporary.iterdir()) == []


def started_wait(process: subprocess.Popen[bytes]) -> None:
    """Let a tenth of a second pass, or the process end."""
    try:
        process.wait(0.1)
    except subprocess.TimeoutExpired:
        return
