"""How fast and how often a server is connected to."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from harness.model.errors import UsageError

if TYPE_CHECKING:
    from harness.runtime.loop import Loop

RATE = 10.0
"""Connections a second to a server that is not on this machine."""
MOST = 200
"""Connections in all to one address."""


class Limits:
    """Counts the connections to one address and paces them; ``rate`` is connections a second, None for no pace."""

    def __init__(self, loop: Loop, rate: float | None, most: int = MOST) -> None:
        self._loop = loop
        self._between = 1 / rate if rate else 0.0
        self._due = time.monotonic()
        self.most = most
        self.made = 0

    @property
    def left(self) -> int:
        """How many more connections there may be."""
        return self.most - self.made

    def next(self) -> None:
        """Wait until the next connection is due; UsageError if there were enough."""
        if self.made >= self.most:
            raise UsageError(f"{self.made} connections were made and more are needed; raise --connections")
        if self._between:
            self._loop.serve_until(self._due)
        self._due = time.monotonic() + self._between
        self.made += 1
