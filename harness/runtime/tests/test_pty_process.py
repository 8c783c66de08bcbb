"""A child on a raw pseudo-terminal: its lines come in the order in which they were printed, unchanged and at once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.model.errors import EndpointError
from harness.runtime.pty_process import TerminalChild
from harness.runtime.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

DESCRIPTORS = Path("/proc/self/fd")


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


def _lines(runtime: Runtime, script: str) -> list[bytes]:
    lines: list[bytes] = []
    child = TerminalChild(runtime.loop, runtime.warden, "a script", ["/bin/sh", "-c", script], on_line=lines.append)
    runtime.loop.settle([child.ended])
    child.close()
    return lines


def test_stdout_and_stderr_lines_come_in_the_order_printed(runtime: Runtime) -> None:
    script = "for i in 1 2 3 4 5; do echo out $i; echo err $i >&2; done"

    assert _lines(runtime, script) == [f"{which} {i}".encode() for i in range(1, 6) for which in ("out", "err")]


def test_a_line_of_a_buffering_program_comes_before_its_end(runtime: Runtime) -> None:
    lines: list[bytes] = []
    # sed keeps its output back for a pipe, and ends when its input does.
    argv = ["sed", "s/^/got /"]
    child = TerminalChild(runtime.loop, runtime.warden, "sed", argv, on_line=lines.append)
    child.send(b"something\n")
    runtime.loop.wait(lambda: bool(lines), "sed's line")
    running = not child.ended.done
    child.end_input()
    runtime.loop.settle([child.ended])
    child.close()

    assert lines == [b"got something"]
    assert running


def test_no_byte_is_changed(runtime: Runtime) -> None:
    assert _lines(runtime, r"printf 'a\r\tb\003\004\n'") == [b"a\r\tb\x03\x04"]


def test_more_than_a_terminal_holds_arrives_whole(runtime: Runtime) -> None:
    assert len(b"".join(_lines(runtime, "head -c 1000000 /dev/zero | tr '\\0' x; echo"))) == 1_000_000


def test_the_end_is_reported_once_with_the_exit_code(runtime: Runtime) -> None:
    ends: list[int] = []
    child = TerminalChild(runtime.loop, runtime.warden, "a script", ["/bin/sh", "-c", "exit 3"])
    child.on_end = lambda: ends.append(child.ended.result())
    runtime.loop.settle([child.ended])
    child.close()

    assert ends == [3]


def test_nothing_stays_open_of_a_program_that_is_not_there(runtime: Runtime) -> None:
    before = len(list(DESCRIPTORS.iterdir()))
    with pytest.raises(EndpointError, match="did not start: No such file"):
        TerminalChild(runtime.loop, runtime.warden, "nothing", ["/nowhere/to/be/found"])

    assert len(list(DESCRIPTORS.iterdir())) == before


def test_without_a_pseudo_terminal_the_error_says_what_to_do(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left() -> tuple[int, int]:
        raise OSError("out of pty devices")

    monkeypatch.setattr("pty.openpty", none_left)

    with pytest.raises(EndpointError, match=r"no pseudo-terminal for it \(out of pty devices\); mount devpts"):
        TerminalChild(runtime.loop, runtime.warden, "a script", ["/bin/sh"])
