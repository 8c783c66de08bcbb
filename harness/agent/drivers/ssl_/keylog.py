"""The key log of one SSLContext in anonymous memory, so no file with secrets can be left behind."""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl


class Keylog:
    """Collects what SSLContext writes to keylog_filename; nothing without memfd_create."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._fd = -1
        if hasattr(os, "memfd_create"):
            self._fd = os.memfd_create("keylog")
            context.keylog_filename = f"/proc/self/fd/{self._fd}"
            weakref.finalize(self, os.close, self._fd)

    @property
    def size(self) -> int:
        """Return the bytes so far, which is where the next line begins."""
        return 0 if self._fd < 0 else os.fstat(self._fd).st_size

    def lines(self, offset: int = 0) -> list[str]:
        """Return the lines from that byte on, without comments (NSS key log format)."""
        if self._fd < 0:
            return []
        text = os.pread(self._fd, self.size - offset, offset).decode("ascii")
        return [line for line in text.splitlines() if line and not line.startswith("#")]
