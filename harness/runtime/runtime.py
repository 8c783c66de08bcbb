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
    """Opened once a run or a worker, and closed whatever happens; with it goes every child and every key."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.warden = Warden()
        self.pki = Pki(self.folder)
        self._names = 0

    @property
    def folder(self) -> Path:
        """A private folder (0700) that vanishes with the run, for keys, session files and key logs."""
        return self.warden.folder

    def path(self, suffix: str) -> Path:
        """A path in the folder that nobody has used."""
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
