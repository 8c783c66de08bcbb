"""Runs the programs that fetch, unpack and build, each with a deadline; errors show their output."""

from __future__ import annotations

import os
import subprocess
import threading
from collections import deque
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from harness.model.errors import BuildError, stretched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

_group: ContextVar[int | None] = ContextVar("_group", default=None)
KEPT = 100
"""How many lines of a long output are kept for an error."""
SHOWN = 6
"""How many lines of output an error shows."""


@contextmanager
def in_group(group: int) -> Iterator[None]:
    """Start all programs in this process group."""
    token = _group.set(group)
    try:
        yield
    finally:
        _group.reset(token)


def current_group() -> int | None:
    """The process group that programs start in; None for this process's own."""
    return _group.get()


class CommandError(BuildError):
    """A program did not start, failed or took too long; ``output`` is everything it printed.

    ``code`` is its exit code if it failed.
    """

    def __init__(self, message: str, output: str = "", code: int | None = None) -> None:
        tail = "\n".join(output.strip().splitlines()[-SHOWN:])
        super().__init__(f"{message}\n{tail}" if tail else message)
        self.output = output
        self.code = code


def command(
    argv: Sequence[str], seconds: float, environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> str:
    """Run a program and return stdout and stderr together; CommandError if it fails or takes longer."""
    seconds = stretched(seconds)
    try:
        done = subprocess.run(
            argv,
            check=False,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
            process_group=current_group(),
        )
    except subprocess.TimeoutExpired as error:
        output = (error.stdout or b"").decode(errors="replace")
        raise CommandError(f"`{argv[0]}` was not done after {seconds:g} s", output) from error
    except OSError as error:
        raise CommandError(f"`{argv[0]}` did not start: {error.strerror or error}") from error
    output = done.stdout.decode(errors="replace")
    if done.returncode:
        raise CommandError(f"`{argv[0]}` failed (exit code {done.returncode})", output, done.returncode)
    return output


def followed(argv: Sequence[str], seconds: float, folder: Path, on_line: Callable[[str], None]) -> None:
    """Run a program and pass each line to ``on_line`` as it is printed; CommandError as for ``command``."""
    try:
        process = subprocess.Popen(
            argv,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=current_group(),
        )
    except OSError as error:
        raise CommandError(f"`{argv[0]}` did not start: {error.strerror or error}") from error
    late = threading.Timer(seconds, process.kill)
    last: deque[str] = deque(maxlen=KEPT)
    late.start()
    try:
        for line in process.stdout or ():
            last.append(line)
            on_line(line.rstrip())
        code = process.wait()
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        in_time = late.is_alive()
        late.cancel()
        if process.stdout is not None:
            process.stdout.close()
    if code:
        how = f"failed (exit code {code})" if in_time else f"was not done after {seconds:g} s"
        raise CommandError(f"`{argv[0]}` {how}", "".join(last), code if in_time else None)
