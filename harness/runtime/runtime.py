"""The resources that all endpoints of one process share: the loop, the warden, the private folder and the PKI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from harness.runtime.loop import Loop
from harness.runtime.pki import Pki
from harness.runtime.warden import Warden

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType


class Runtime:
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

    def path(self, suffix: str) -> Path:
        """Return an unused path in the folder."""
        self._names += 1
        return self.folder / f"{self._names}{suffix}"

    def close(self) -> None:
        """End all children and remove the folder."""
        self.warden.close()
        self.loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
