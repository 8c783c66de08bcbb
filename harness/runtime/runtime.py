"""The resources that all endpoints of one process share: the loop, the warden, the private folder and the PKI."""

from __future__ import annotations

import errno
import os
import resource
from typing import TYPE_CHECKING

from harness.model.errors import HarnessError
from harness.runtime.closing import Closing
from harness.runtime.loop import Loop
from harness.runtime.pki import Pki
from harness.runtime.warden import Warden

if TYPE_CHECKING:
    from pathlib import Path


ROOM = 1 << 14
"""Free bytes that are needed for the sessions and key logs that children write."""


LONGEST = 1 << 24
"""Bytes that a file which a child writes may need."""


class Runtime(Closing):
    """Opened once per run or worker. Closing it ends every child and removes every key."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.warden = Warden()
        self.pki = Pki(self.folder)
        self._names = 0

    @property
    def folder(self) -> Path:
        """Return the private folder (mode 0700) of keys, session files and key logs; it is removed at the end."""
        return self.warden.folder

    def check_room(self) -> None:
        """Raise HarnessError if the disk is full or a file may not grow: a child's output would be incomplete."""
        longest, _hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        if longest != resource.RLIM_INFINITY and longest < LONGEST:
            raise HarnessError(
                f"a file may have {longest} bytes here (ulimit -f; RLIMIT_FSIZE in setrlimit(2)), and key logs and "
                f"sessions need up to {LONGEST}. Raise the limit"
            )
        disk = os.statvfs(self.folder)
        left = disk.f_bavail * disk.f_frsize
        if left < ROOM or not disk.f_favail:
            raise HarnessError(
                f"the disk of {self.folder.parent} is full ({left} bytes are free, {ROOM} are needed): "
                f"{os.strerror(errno.ENOSPC)}. Free some space, or set TMPDIR to another folder"
            )

    def path(self, suffix: str) -> Path:
        """Return an unused path in the folder."""
        self._names += 1
        return self.folder / f"{self._names}{suffix}"

    def close(self) -> None:
        """End all children and remove the folder."""
        self.warden.close()
        self.loop.close()
