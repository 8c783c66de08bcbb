"""Ends every process that the harness started, however the harness itself ends."""

from __future__ import annotations

import contextlib
import ctypes
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

PR_SET_PDEATHSIG = 1
"""Of prctl(2)."""


class Warden:
    """Outlives the harness by a moment: then it kills every child, and removes the private folder and their clocks.

    The children are in its process group, so that none is missed: not one that was being started either, for that one
    cannot join the group of a warden that is gone. It needs no list, and no signal reaches the children that a
    terminal sends to the harness.
    """

    SCRIPT = """
        trap "" TERM INT HUP
        read -r _
        rm -rf -- "$1"
        for shared in /dev/shm/faketime_shm_*; do
            pid=${shared##*_}
            [ -r "/proc/$pid/stat" ] && read -r stat < "/proc/$pid/stat" || continue
            set -- ${stat##*) }
            [ "$3" = "$$" ] && rm -f "$shared" "/dev/shm/sem.faketime_sem_$pid"
        done
        kill -KILL 0
    """
    """In /proc/PID/stat the third field after the name is the process group (proc(5)): the warden's pid."""

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


def end_with_parent() -> None:
    """Have the kernel kill this process when its parent ends; on Linux alone, elsewhere it does nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
