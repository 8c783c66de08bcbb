"""Child processes with deadlines, in the warden's process group, read line by line and always reaped."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from harness.model.errors import EndpointError, TimedOutError
from harness.runtime.clock import forget_clock, marked
from harness.runtime.loop import Pending
from harness.runtime.stdin_writer import StdinWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import IO

    from harness.runtime.loop import Loop
    from harness.runtime.warden import Warden

FLOOD = 8 * 1024 * 1024
"""How many bytes a child may print before it is killed."""

GRACE = 2.0
"""Seconds that a child has to end after SIGTERM, or after it closed its output."""

CHANGING = "PYTEST_CURRENT_TEST"
"""pytest changes this variable in each phase of a test."""


def how_it_ended(status: int) -> str:
    """Say how a process ended, by its exit code, or the negative number of the signal that killed it."""
    if status >= 0:
        return f"ended with exit code {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:  # a real-time signal has no name
        return f"was killed by signal {-status}"


def pasteable(argv: Sequence[str], environment: Mapping[str, str] | None) -> str:
    """Return a command line that can be pasted into a shell, with the variables that this process does not have.

    It leaves out CHANGING, which means nothing to the child.
    """
    given = {name: value for name, value in (environment or {}).items() if name != CHANGING}
    around = [f"{name}={value}" for name, value in given.items() if os.environ.get(name) != value]
    return shlex.join([*(["env", *around] if around else []), *argv])


class Child:
    """A running program whose output is read by the loop.

    ``on_line`` gets each whole line of stdout, without its newline. ``output`` is all of stdout and stderr as text, in
    order of arrival, or only stderr if ``keep_stdout`` is false. A child that prints more than FLOOD bytes of output,
    or a line longer than ``longest_line``, is killed. ``on_end`` can be set; it is called once ``ended`` is.
    It inherits the descriptors in ``inherits``.
    """

    def __init__(  # noqa: PLR0913 - as of Popen
        self,
        loop: Loop,
        warden: Warden,
        name: str,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        on_line: Callable[[bytes], None] = lambda _line: None,
        keep_stdout: bool = True,
        inherits: tuple[int, ...] = (),
    ) -> None:
        self.name = name
        self._inherits = inherits
        self.argv = tuple(argv)
        self.command = pasteable(argv, environment)
        self.ended = Pending[int](f"the end of {name}")
        self._loop = loop
        self._on_line = on_line
        self._keep_stdout = keep_stdout
        self._output: list[bytes] = []
        self._size = 0
        self._partial = bytearray()
        self.longest_line = FLOOD
        """Bytes of a line of stdout; a child that prints a longer one is killed."""
        self.on_end: Callable[[], None] = lambda: None
        self._moved_clock = "FAKETIME_TIMESTAMP_FILE" in (environment or {})
        self._folder = warden.folder
        self._process, self._pipes = self._start(environment, warden)
        self.pid = self._process.pid
        if self._process.stdin is None:
            raise AssertionError("Popen gave no pipe")
        self._stdin = StdinWriter(loop, self._process.stdin)
        self._open = len(self._pipes)
        self._exit: int | None = None
        """A descriptor that becomes readable when the process ends (pidfd_open(2))."""
        for pipe in self._pipes:
            os.set_blocking(pipe.fileno(), False)
            loop.watch(pipe, lambda pipe=pipe: self._read(pipe.fileno()))  # type: ignore[misc]

    def _start(
        self, environment: Mapping[str, str] | None, warden: Warden
    ) -> tuple[subprocess.Popen[bytes], list[IO[bytes]]]:
        """Start the process; return it and the files of its output, stdout first."""
        process = self._spawn(environment, warden, subprocess.PIPE)
        return process, [pipe for pipe in (process.stdout, process.stderr) if pipe is not None]

    def _spawn(self, environment: Mapping[str, str] | None, warden: Warden, prints_to: int) -> subprocess.Popen[bytes]:
        argv: Sequence[str] = self.argv
        if environment is not None and self._moved_clock:
            argv, environment = marked(argv, environment, warden.folder)
        try:
            return subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=prints_to,
                stderr=prints_to,
                bufsize=0,
                env=None if environment is None else dict(environment),
                process_group=warden.group,
                pass_fds=self._inherits,
            )
        except OSError as error:
            program = "" if self.argv[0] == self.name else f"{self.argv[0]} "  # the error begins with the name
            raise EndpointError(self.name, f"{program}did not start: {error.strerror or error}") from error

    @property
    def output(self) -> str:
        """Return everything that it printed so far."""
        return b"".join(self._output).decode(errors="replace")

    @property
    def size(self) -> int:
        """Return how many bytes it printed so far."""
        return self._size

    def output_from(self, offset: int) -> str:
        """Return what it printed after its first ``offset`` bytes."""
        return b"".join(self._output)[offset:].decode(errors="replace")

    def forget(self) -> None:
        """Discard its output so far and reset its size; for a child that serves a whole run."""
        self._output.clear()
        self._size = 0

    def send(self, data: bytes) -> bool:
        """Write to its stdin without blocking; False if it no longer reads."""
        return self._stdin.send(data)

    def end_input(self) -> None:
        """Close its stdin once everything is written."""
        self._stdin.end()

    def _read(self, fd: int) -> None:
        try:
            data = os.read(fd, 65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._at_end(fd)
            return
        is_stdout = fd == self._pipes[0].fileno()
        if self._keep_stdout or not is_stdout:
            self._output.append(data)
            self._size += len(data)
        if self._size > FLOOD:
            self._flooded(f"printed more than {FLOOD} bytes")
        elif is_stdout:
            self._take_lines(data)

    def _take_lines(self, data: bytes) -> None:
        *lines, rest = data.split(b"\n")
        if lines:
            lines[0] = bytes(self._partial) + lines[0]
            self._partial.clear()
        for line in lines:
            self._on_line(line)
        self._partial += rest
        if len(self._partial) > self.longest_line:
            self._flooded(f"printed a line of more than {self.longest_line} bytes")

    def _flooded(self, how: str) -> None:
        self.kill()
        self.ended.reject(EndpointError(self.name, how, self.output[:2000]))
        self.on_end()

    def _at_end(self, fd: int) -> None:
        self._loop.forget(fd)
        self._open -= 1
        if self._open > 0:
            return
        if self._process.poll() is None and sys.platform == "linux":
            # It closed its output and is about to end; Popen.wait(timeout) would poll.
            self._exit = os.pidfd_open(self.pid)
            self._loop.watch(self._exit, self._reap)
        else:
            self._reap()

    def _reap(self) -> None:
        """Read the exit code, for which the process has GRACE seconds."""
        self._close_exit()
        try:
            self.ended.resolve(self._process.wait(GRACE))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self.ended.resolve(self._process.wait())
        self.on_end()

    def _close_exit(self) -> None:
        if self._exit is not None:
            self._loop.forget(self._exit)
            os.close(self._exit)
            self._exit = None

    def kill(self) -> None:
        """Send SIGKILL to the process and all its descendants."""
        import psutil  # noqa: PLC0415 - most children end by themselves

        with contextlib.suppress(psutil.NoSuchProcess):
            for grandchild in psutil.Process(self.pid).children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    grandchild.kill()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    def terminate(self) -> None:
        """Send SIGTERM without waiting."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)

    def close(self) -> None:
        """Send SIGTERM, then SIGKILL after GRACE seconds; reap the process and close the pipes."""
        self._stdin.close()
        if self._process.poll() is None:
            self.terminate()
            try:
                self._loop.wait(lambda: self.ended.done, f"the end of {self.name} after SIGTERM", GRACE)
            except TimedOutError:
                self.kill()
        for pipe in self._pipes:
            self._loop.forget(pipe)
            pipe.close()
        self._close_exit()
        self.ended.resolve(self._process.wait())
        if self._moved_clock:
            forget_clock(self.pid, self._folder)
