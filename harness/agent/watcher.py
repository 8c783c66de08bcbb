"""The agent's selector: a socket is asked about only while something waits for it, with as few calls as that needs."""

from __future__ import annotations

import selectors
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Interest:
    """Who is called when a socket is ready; ``wanted`` goes false with each call."""

    def __init__(self, mask: int, ready: Callable[[], None]) -> None:
        self.mask = mask
        self.ready = ready
        self.wanted = True


class Watcher:
    """One-shot interests over a level-triggered selector: a socket is taken out only when it is ready for nobody."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def want(self, file: Any, ready: Callable[[], None], *, write: bool = False) -> None:
        """Call ``ready`` once, when the file can next be read (or written)."""
        mask = selectors.EVENT_WRITE if write else selectors.EVENT_READ
        key = self._selector.get_map().get(file)
        if key is None:
            self._selector.register(file, mask, Interest(mask, ready))
            return
        interest: Interest = key.data
        if interest.mask != mask:
            self._selector.modify(file, mask, interest)
        interest.mask, interest.ready, interest.wanted = mask, ready, True

    def forget(self, file: Any) -> None:
        """Drop the interest in a file, before it is closed; none is no error."""
        if file in self._selector.get_map():
            self._selector.unregister(file)

    def turn(self) -> None:
        """Wait until something is ready, and serve it."""
        for key, _ in self._selector.select():
            interest: Interest = key.data
            if key.fileobj not in self._selector.get_map():
                continue
            if interest.wanted:
                interest.wanted = False
                interest.ready()
            else:
                self._selector.unregister(key.fileobj)
