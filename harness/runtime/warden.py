"""Ends every process that the harness started, however the harness itself ends."""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO

from harness.model.errors import HarnessError
from harness.runtime.clock import MOVED, SHARED

FORGET = f"""for moved in "$1"/{MOVED}*; do
            pid=${{moved##*.}}
            looks=0
            while [ -e "/proc/$pid/exe" ] && [ "$looks" -lt 100000 ]; do looks=$((looks + 1)); done
            rm -f "{SHARED}/faketime_shm_$pid" "{SHARED}/sem.faketime_sem_$pid"
        done"""
"""Removes the shared memory of every child with a moved clock, by the marker that each of them made.

A child that was killed may be within a call that creates a file: it is dead once its /proc/PID/exe leads nowhere.
"""
PR_SET_PDEATHSIG = 1
"""Of prctl(2)."""


class Warden:
    """A process that outlives the harness just long enough to kill every child and remove the private files.

    The children are in its process group, so it needs no list and misses none: a child that is just being started
    cannot join the group of a warden that is gone. The signals of a terminal reach the harness, but not the children.
    """

    SCRIPT = """
        trap "" TERM INT HUP QUIT
        mkdir -m 700 -- "$1" || exit
        echo made
        read -r _
        [ -e "$1/remover" ] || { FORGET; rm -rf -- "$1"; }
        kill -KILL 0
    """.replace("FORGET", FORGET)

    REMOVER = """
        trap "" TERM INT HUP QUIT
        : > "$1/remover"
        read -r _
        FORGET
        rm -rf -- "$1"
    """.replace("FORGET", FORGET)
    """It waits for the end of the warden, and is in a group of its own: until the whole group is killed, a child may
    write into the folder, or begin to move its clock. Where the harness was killed before it could start one, the
    warden removes the folder itself.
    """

    def __init__(self, where: Path | None = None) -> None:
        self.folder = (where or Path(tempfile.gettempdir())).absolute() / f"resumption-{secrets.token_hex(8)}"
        self._process = self._started(self.SCRIPT, "resumption-warden", subprocess.PIPE)
        self._remover: subprocess.Popen[bytes] | None = None
        self._await_folder()
        self.group = self._process.pid

    def _started(self, script: str, name: str, stdin: int | IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["/bin/sh", "-c", script, name, str(self.folder)],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,
            env={**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{os.defpath}"},  # mkdir and rm, whatever PATH is
        )

    def _await_folder(self) -> None:
        """The warden makes the folder itself, so that it is removed at whatever moment the harness is killed."""
        if self._process.stdout is None:
            raise AssertionError("Popen gave no pipe")
        with self._process.stdout as said:
            made = said.readline()
            if made:
                self._remover = self._started(self.REMOVER, "resumption-remover", said)
        if not made:
            self.close()
            raise HarnessError(f"no folder can be made in {self.folder.parent}; name another in TMPDIR")

    def close(self) -> None:
        """Kill the remaining processes of the group and remove the folder; return when both are done."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait()
        if self._remover is not None:
            self._remover.communicate()


def end_with_parent() -> None:
    """Let the kernel kill this process when its parent ends; this works on Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
