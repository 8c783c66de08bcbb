"""The agent's selector: watches a socket only while something waits for it, with few system calls."""

from __future__ import annotations

import selectors
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Interest:
    """The callback for a ready file; ``wanted`` becomes false with each call."""

    def __init__(self, mask: int, ready: Callable[[], None]) -> None:
        self.mask = mask
        self.ready = ready
        self.wanted = True
        self.until: float | None = None
        """When it is called without the file being ready, by time.monotonic; None for never."""


class Watcher:
    """One-shot interests on a level-triggered selector: a file is unregistered only if it is ready and nobody waits."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._interests: dict[int, Interest] = {}

    def want(self, file: Any, ready: Callable[[], None], *, write: bool = False, within: float | None = None) -> None:
        """Call ``ready`` once, when the file (a descriptor, or an object with one) is next readable or writable.

        ``within`` so many seconds it is called in any case.
        """
        fd = file if isinstance(file, int) else file.fileno()
        mask = selectors.EVENT_WRITE if write else selectors.EVENT_READ
        interest = self._interests.get(fd)
        if interest is None:
            self._interests[fd] = interest = Interest(mask, ready)
            self._selector.register(fd, mask, interest)
        elif interest.mask != mask:
            self._selector.modify(fd, mask, interest)
        interest.mask, interest.ready, interest.wanted = mask, ready, True
        interest.until = None if within is None else time.monotonic() + within

    def forget(self, file: Any) -> None:
        """Drop the interest in a file, if any; call it before the file is closed."""
        fd = file if isinstance(file, int) else file.fileno()
        if self._interests.pop(fd, None) is not None:
            self._selector.unregister(fd)

    def turn(self, *, wait: bool) -> bool:
        """Serve what is ready, optionally waiting for it; False if nothing was. Dropped interests are not served."""
        ends = [one.until for one in self._interests.values() if one.wanted and one.until is not None]
        left = max(0.0, min(ends) - time.monotonic()) if ends else None
        ready = self._selector.select(left if wait else 0)
        for key, _ in ready:
            interest: Interest = key.data
            if self._interests.get(key.fd) is not interest:
                continue
            if interest.wanted:
                interest.wanted = False
                interest.ready()
            else:
                self.forget(key.fd)
        return self._late() or bool(ready) if ends else bool(ready)

    def _late(self) -> bool:
        """Serve the interests whose time has run out; False if there are none."""
        now = time.monotonic()
        late = [one for one in self._interests.values() if one.wanted and one.until is not None and one.until <= now]
        for interest in late:
            interest.wanted = False
            interest.ready()
        return bool(late)
