"""The agent's selector: a socket is asked about only while something waits for it, with as few calls as that needs."""

from __future__ import annotations

import selectors
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Interest:
    """Who is called when a file is ready; ``wanted`` goes false with each call."""

    def __init__(self, mask: int, ready: Callable[[], None]) -> None:
        self.mask = mask
        self.ready = ready
        self.wanted = True


class Watcher:
    """One-shot interests over a level-triggered selector: a file is taken out only when it is ready for nobody."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._interests: dict[int, Interest] = {}

    def want(self, file: Any, ready: Callable[[], None], *, write: bool = False) -> None:
        """Call ``ready`` once, when the file (a descriptor, or what has one) can next be read or written."""
        fd = file if isinstance(file, int) else file.fileno()
        mask = selectors.EVENT_WRITE if write else selectors.EVENT_READ
        interest = self._interests.get(fd)
        if interest is None:
            self._interests[fd] = interest = Interest(mask, ready)
            self._selector.register(fd, mask, interest)
        elif interest.mask != mask:
            self._selector.modify(fd, mask, interest)
        interest.mask, interest.ready, interest.wanted = mask, ready, True

    def forget(self, file: Any) -> None:
        """Drop the interest in a file, if there is one; to be called before the file is closed."""
        fd = file if isinstance(file, int) else file.fileno()
        if self._interests.pop(fd, None) is not None:
            self._selector.unregister(fd)

    def turn(self, *, wait: bool) -> bool:
        """Serve what is ready, after waiting for it or not; False if nothing was. What is forgotten is not served."""
        ready = self._selector.select(None if wait else 0)
        for key, _ in ready:
            interest: Interest = key.data
            if self._interests.get(key.fd) is not interest:
                continue
            if interest.wanted:
                interest.wanted = False
                interest.ready()
            else:
                self.forget(key.fd)
        return bool(ready)
