"""A command that is killed leaves no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from harness.builds.cache import Cache
from harness.builds.catalogue import CatalogueEntry, Part
from harness.builds.libraries import READY
from harness.cli.command import SUBCOMMANDS
from harness.model.errors import stretched

if TYPE_CHECKING:
    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine

TESTS = "test-0 = 0-a\n[0-a]\nssl_conf = 0-a-ssl\n[0-a-ssl]\nserver = s\nclient = c\n[s]\n[c]\n[test-0]\n"
"""One test of OpenSSL's, with nothing set."""
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


ENDS = ["--client", "openssl", "--server", "openssl", "--tls", "1.3"]
SHARED = Path("/dev/shm")  # noqa: S108 - libfaketime's place
PREFIX = "PREFIX"
"""Stands for a prefix with an OpenSSL whose s_server never gets ready."""
HANGS = {
    "connect": [
        ["connect", *ENDS],
        ["connect", *(f"{end}@3.9.9" if end == "openssl" else end for end in ENDS), PREFIX],
    ],
    "serve": [["serve", "openssl"]],
    "probe": [["probe", "127.0.0.1:1", "--client=openssl"]],
    "agent": [["agent", "check", "--", "openssl"]],
    "between": [["between", "127.0.0.1:1", "openssl", "{url}"]],
    "watch": [["watch", "--server=openssl", "true", "{url}"]],
    "stacks": [["stacks"]],
    "bisect": [["bisect", "--good", "1.1.1w", "--bad", "3.5", *ENDS]],
    "diff": [["diff", "openssl", "openssl", "test_slow.py"]],
    "behaviours": [["behaviours", "openssl", "test_slow.py"]],
    "import": [["import", "tests.cnf", "--client", "openssl"]],
    "explore": [["explore", "openssl"]],
    "builds": [
        ["builds"],
        ["builds", "fetch", "1.1.1w", "--provider", "debian"],
        ["builds", "fetch", "1.1.1g", "--provider", "wheel"],
        ["builds", "make", "source"],
        ["builds", "verify"],
    ],
    "libraries": [["libraries", "fetch", "go"], ["libraries", "table", "--client", "openssl"]],
    "run": [["run", "-n2", "test_slow.py"], ["run", "-n0", "test_slow.py"]],
    "cell": [["cell", "test_slow.py::test_it_connects[openssl@3.9.9--openssl@3.9.9-TLSv1.3-1]"]],
}
"""For each command, command lines that wait for a program that hangs."""
ALONE = {"report", "session"}
"""Commands that start no program."""


def test_each_command_that_starts_programs_is_killed() -> None:
    assert set(SUBCOMMANDS) == HANGS.keys() | ALONE


@pytest.mark.parametrize(
    ("command", "number"),
    [
        *((line, number) for lines in HANGS.values() for line in lines for number in (signal.SIGKILL, signal.SIGTERM)),
        *((lines[0], number) for lines in HANGS.values() for number in (signal.SIGHUP, signal.SIGINT)),
    ],
    ids=lambda value: value.name if isinstance(value, signal.Signals) else " ".join(value),
)
def test_a_killed_command_leaves_no_process_and_no_file(
    command: list[str], number: signal.Signals, tmp_path: Path
) -> None:
    """It waits for a program that never gives an answer: openssl, apt-get, pip, config or s_server."""
    begun, temporary = tmp_path / "begun", tmp_path / "tmp"
    temporary.mkdir()
    hangs = f"echo > {begun}\nsleep 600"
    writes = f"echo > $TMPDIR/left\n{hangs}"
    says = '[ "$1" = version ] && echo "OpenSSL 3.9.9 1 Jan 2026" && exit'
    _program(tmp_path / "bin" / "openssl", hangs)
    _program(tmp_path / "bin" / "apt-get", writes)
    _program(tmp_path / "prefix" / "bin" / "openssl", f"{says}\n{hangs}")
    _program(tmp_path / "source" / "config", writes)
    (tmp_path / "test_slow.py").write_text(SLOW)
    (tmp_path / "tests.cnf").write_text(TESTS)
    _cached(tmp_path / "cache", hangs)
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "TMPDIR": str(temporary),
        "RESUMPTION_CACHE": str(tmp_path / "cache"),
        "RESUMPTION_MIRROR": "http://localhost/debian",
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "PYTHONPATH": str(_pip_that(tmp_path / "site", writes)),
    }
    words = [f"--openssl={tmp_path / 'prefix'}" if word == PREFIX else word for word in command]
    with subprocess.Popen(
        [sys.executable, "-m", "harness.cli", *words],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    ) as started:
        _kill_once(begun, started, number, temporary)


def _cached(folder: Path, script: str) -> None:
    """A cache with one build, whose program hangs."""

    def fill(place: Path) -> None:
        library = place / "root" / "usr" / "lib" / "x" / "libssl.so.3"
        library.parent.mkdir(parents=True)
        library.write_text("no library")
        (place / "root" / "usr" / "bin").mkdir()
        _program(place / "root" / "usr" / "bin" / "openssl", script)

    known = CatalogueEntry("9.9.9", "debian", frozenset({Part.PROGRAM, Part.LIBRARY}))
    Cache(folder).add(known, fill, lambda _place: "9.9.9", lambda _text: None)


def _pip_that(folder: Path, script: str) -> Path:
    """A folder whose module pip runs a script in place of the real one."""
    (folder / "pip").mkdir(parents=True)
    (folder / "pip" / "__init__.py").write_text("")
    (folder / "pip" / "__main__.py").write_text(f"import subprocess\nsubprocess.run(['/bin/sh', '-c', {script!r}])\n")
    return folder


def _program(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
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
    assert [path for path in (temporary.parent / "cache" / READY).glob("*") if path.suffix != ".lock"] == []
    assert [path for one in family for path in SHARED.glob(f"*faketime*_{one.pid}")] == []


def started_wait(process: subprocess.Popen[bytes]) -> None:
    """Let a tenth of a second pass, or the process end."""
    try:
        process.wait(0.1)
    except subprocess.TimeoutExpired:
        return


INTERRUPTS = """import os, signal, sys


class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == os.environ["INTERRUPT_AT"]:
            os.kill(os.getpid(), signal.SIGINT)


sys.meta_path.insert(0, Interrupts())
"""
"""A sitecustomize.py: Ctrl-C comes while Python looks for a module."""


@pytest.mark.parametrize("at", ["click", "harness.cli.cases.connect", "harness.cli.runs.run", "pytest"])
def test_an_interrupt_while_a_module_loads_is_one_line(tmp_path: Path, at: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTS)
    command = ["connect", *ENDS] if at == "harness.cli.cases.connect" else ["run", "-n0", "no_such_file.py"]
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", *command],
        env={**os.environ, "PYTHONPATH": str(tmp_path), "INTERRUPT_AT": at},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr.strip()) == (130, "interrupted")
