"""Children end for certain: asked, forced, flooded, or because the harness itself was killed."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from harness.model.errors import EndpointError, TimedOutError, stretched
from harness.runtime.loop import Loop
from harness.runtime.process import FLOOD, Child, pasteable
from harness.runtime.runtime import Runtime
from harness.runtime.warden import Warden

if TYPE_CHECKING:
    from collections.abc import Iterator

PRINT_AND_IGNORE_TERM = 'trap "" TERM; echo ready; while :; do read -r line || exec sleep 600; done'


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime() as opened:
        yield opened


def shell(runtime: Runtime, script: str, lines: list[bytes] | None = None) -> Child:
    seen = lines if lines is not None else []
    return Child(runtime.loop, runtime.warden, "child", ["/bin/sh", "-c", script], on_line=seen.append)


def test_lines_arrive_whole_and_all_output_is_kept(runtime: Runtime) -> None:
    lines: list[bytes] = []
    child = shell(runtime, "printf 'one\\ntw'; printf 'o\\nthree' ; echo error >&2", lines)
    runtime.loop.settle([child.ended])

    assert lines == [b"one", b"two"]
    assert sorted(child.output.replace("error\n", "")) == sorted("one\ntwo\nthree")
    assert "error\n" in child.output
    child.close()


def test_a_command_shows_the_environment_that_is_not_this_process_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAME", "1")

    assert pasteable(["a b"], {"SAME": "1", "OPENSSL_CONF": "/x"}) == "env OPENSSL_CONF=/x 'a b'"


def test_a_command_does_not_tell_which_test_it_was_run_for() -> None:
    assert pasteable(["a"], {"PYTEST_CURRENT_TEST": "test_x (setup)"}) == "a"


def test_an_exit_status_is_given(runtime: Runtime) -> None:
    child = shell(runtime, "exit 3")
    runtime.loop.settle([child.ended])

    assert child.ended.result() == 3
    child.close()


def test_a_program_that_does_not_exist_is_named(runtime: Runtime) -> None:
    with pytest.raises(EndpointError, match="/no/such/program did not start: No such file"):
        Child(runtime.loop, runtime.warden, "child", ["/no/such/program"])


def test_a_child_that_ignores_sigterm_is_killed_within_the_grace(runtime: Runtime) -> None:
    lines: list[bytes] = []
    child = shell(runtime, PRINT_AND_IGNORE_TERM, lines)
    runtime.loop.wait(lambda: bool(lines), "the child's first line")
    child.close()

    assert child.ended.result() == -signal.SIGKILL
    assert not psutil.pid_exists(child.pid)


def test_a_child_that_floods_is_killed_and_said_to_flood(runtime: Runtime) -> None:
    child = shell(runtime, "yes flood")
    runtime.loop.wait(lambda: child.ended.done, "the flood's end")

    with pytest.raises(EndpointError, match=f"child: printed more than {FLOOD} bytes"):
        child.ended.result()
    child.close()


def test_a_child_that_closed_its_output_has_not_ended_yet(runtime: Runtime) -> None:
    child = shell(runtime, "exec >&- 2>&-; read -r line; exit 7")

    with pytest.raises(TimedOutError, match=r"waited 0\.2 s for the end of child"):
        runtime.loop.settle([child.ended], 0.2)
    child.send(b"go on\n")
    runtime.loop.settle([child.ended])
    child.close()

    assert child.ended.result() == 7


def test_a_wait_says_what_it_waited_for(runtime: Runtime) -> None:
    child = shell(runtime, "read -r line")

    with pytest.raises(TimedOutError, match=r"waited 0\.05 s for the end of child"):
        runtime.loop.settle([child.ended], 0.05)
    child.close()


def test_the_private_folder_is_private_and_goes_with_the_warden() -> None:
    warden = Warden()
    mode = stat.S_IMODE(warden.folder.stat().st_mode)
    warden.close()

    assert mode == 0o700
    assert not warden.folder.exists()


def test_a_child_that_was_left_behind_ends_with_the_warden() -> None:
    loop, warden = Loop(), Warden()
    lines: list[bytes] = []
    child = Child(loop, warden, "child", ["/bin/sh", "-c", PRINT_AND_IGNORE_TERM], on_line=lines.append)
    loop.wait(lambda: bool(lines), "the child's first line")
    warden.close()
    loop.settle([child.ended])
    child.close()
    loop.close()

    assert child.ended.result() == -signal.SIGKILL


VICTIM = """
import sys
from harness.runtime.process import Child
from harness.runtime.runtime import Runtime
runtime = Runtime()
lines = []
script = 'trap "" TERM HUP INT; sleep 600 & echo $!; wait; sleep 600'
child = Child(runtime.loop, runtime.warden, "child", ["/bin/sh", "-c", script], on_line=lines.append)
runtime.loop.wait(lambda: lines, "the grandchild")
key = runtime.pki.issued("server").key
print(runtime.warden.group, child.pid, lines[0].decode(), key, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_survives_a_harness_that_is_killed(signum: signal.Signals) -> None:
    victim = subprocess.Popen(
        [sys.executable, "-c", VICTIM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert victim.stdout is not None
    *pids, key = victim.stdout.readline().split()
    processes = [psutil.Process(int(pid)) for pid in pids]
    mode = stat.S_IMODE(Path(key).stat().st_mode)
    victim.send_signal(signum)
    victim.communicate(timeout=stretched(10))
    _, alive = psutil.wait_procs(processes, timeout=stretched(10))

    assert mode == 0o600
    assert alive == []
    assert not Path(key).parent.exists()
