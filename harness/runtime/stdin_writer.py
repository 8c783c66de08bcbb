"""Writes to the stdin of a child without blocking, and queues what the pipe does not accept yet."""

from __future__ import annotations

import contextlib
import os
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from harness.runtime.loop import Loop


class StdinWriter:
    """The writing end of a pipe; a child that does not read blocks nobody."""

    def __init__(self, loop: Loop, pipe: IO[bytes]) -> None:
        self._loop = loop
        self._pipe = pipe
        self._left = b""
        self._ending = False
        os.set_blocking(pipe.fileno(), False)

    def send(self, data: bytes) -> bool:
        """Write data, now or when the child reads; False if the child no longer reads."""
        if self._pipe.closed or self._ending:
            return False
        waiting = bool(self._left)
        self._left += data
        return True if waiting else self._write()

    def _write(self) -> bool:
        while self._left:
            try:
                self._left = self._left[os.write(self._pipe.fileno(), self._left) :]
            except BlockingIOError:
                self._loop.watch(self._pipe, self._go_on, write=True)
                return True
            except OSError:
                self.close()
                return False
        return True

    def _go_on(self) -> None:
        self._loop.forget(self._pipe)
        if self._write() and self._ending and not self._left:
            self.close()

    def end(self) -> None:
        """Close the pipe once everything is written."""
        self._ending = True
        if not self._left:
            self.close()

    def close(self) -> None:
        """Close the pipe now and discard what is not yet written."""
        if not self._pipe.closed:
            self._loop.forget(self._pipe)
        self._left = b""
        with contextlib.suppress(OSError):
            self._pipe.close()
