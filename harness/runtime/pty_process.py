"""A child process with stdout and stderr on one raw pseudo-terminal."""

from __future__ import annotations

import os
import pty
import tty
from typing import IO, TYPE_CHECKING

from harness.model.errors import EndpointError
from harness.runtime.process import Child

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

    from harness.runtime.warden import Warden


class TerminalChild(Child):
    """A Child whose ``on_line`` gets the lines of stdout and stderr in the order in which they are printed.

    On a pipe, a C program buffers stdout by kilobytes, while stderr and direct writes arrive at once. On a terminal,
    every line arrives when it is complete.
    """

    def _start(
        self, environment: Mapping[str, str] | None, warden: Warden
    ) -> tuple[subprocess.Popen[bytes], list[IO[bytes]]]:
        try:
            ours, theirs = pty.openpty()
        except OSError as error:
            raise EndpointError(self.name, f"no pseudo-terminal for it ({error}); mount devpts at /dev/pts") from error
        output = os.fdopen(ours, "rb", buffering=0)
        try:
            tty.setraw(theirs)
            return self._spawn(environment, warden, theirs), [output]
        except EndpointError:
            output.close()
            raise
        finally:
            os.close(theirs)
