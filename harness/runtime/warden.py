"""The process that outlives the harness by a moment, to leave nothing behind; it starts no other program."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from pathlib import Path


class Warden:
    """Outlives the harness by a moment: then it kills every child and removes the private folder.

    The children are in its process group, so that none is missed: not one that was being started either, for that one
    cannot join the group of a warden that is gone. It needs no list, and no signal reaches the children that a
    terminal sends to the harness.
    """

    SCRIPT = 'trap "" TERM INT HUP; read -r _; rm -rf -- "$1"; kill -KILL 0'

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="resumption-"))
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", self.SCRIPT, "resumption-warden", str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
        self.group = self._process.pid

    def close(self) -> None:
        """Kill all that is left of the group and remove the folder; returns when both is done."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
