"""The event loop: one selector for all waits, each with a deadline and a description of what it waits for."""

from __future__ import annotations

import selectors
import time
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from harness.model.errors import DEADLINE, TimedOutError, stretched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

T = TypeVar("T")

LONG = 5.0
"""Seconds after which a wait is reported, and then again."""


class Pending(Generic[T]):
    """A result that is requested now and available later."""

    __slots__ = ("_callbacks", "_value", "done", "error", "what")

    def __init__(self, what: str) -> None:
        self.what = what
        self.done = False
        """Whether it has a result or an error."""
        self.error: BaseException | None = None
        """The error, or None if it has none yet."""
        self._value: T
        self._callbacks: list[Callable[[], None]] = []

    def resolve(self, value: T) -> None:
        """Set the result; the first result or error wins."""
        if not self.done:
            self._value = value
            self._called_back()

    def reject(self, error: BaseException) -> None:
        """Set the error; the first result or error wins."""
        if not self.done:
            self.error = error
            self._called_back()

    def when_done(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once it is done, at once if it already is."""
        if self.done:
            callback()
        else:
            self._callbacks.append(callback)

    def _called_back(self) -> None:
        self.done = True
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def result(self) -> T:
        """Return the result or raise the error; AssertionError if it has neither yet."""
        if self.error is not None:
            raise self.error
        if not self.done:
            raise AssertionError(f"{self.what} was read before it was there")
        return self._value


def resolved(value: T, what: str = "a known value") -> Pending[T]:
    """Return a Pending that already has its result."""
    pending = Pending[T](what)
    pending.resolve(value)
    return pending


class _Watch(NamedTuple):
    """The callback for these events of a file."""

    events: int
    ready: Callable[[], object]


class Loop:
    """Calls the endpoints, the tap and the children when their files are ready; one per process of the harness."""

    def __init__(self, deadline: float | None = None) -> None:
        self.deadline = stretched(DEADLINE) if deadline is None else deadline
        """The default deadline in seconds."""
        self.on_long_wait: Callable[[str], None] = lambda _what: None
        """Called every LONG seconds of one wait with what it waits for, and with "" once it is over."""
        self._selector = selectors.DefaultSelector()
        self._watched: dict[int, _Watch] = {}
        self._soon: list[Callable[[], None]] = []

    def soon(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once before the loop next waits, so that a burst of requests is one write."""
        self._soon.append(callback)

    def watch(self, file: Any, ready: Callable[[], object], *, write: bool = False) -> None:
        """Call ``ready`` whenever the file can be read (or written), in place of an earlier watch of this file."""
        fd = file if isinstance(file, int) else file.fileno()
        watch = _Watch(selectors.EVENT_WRITE if write else selectors.EVENT_READ, ready)
        if fd in self._watched:
            self._selector.modify(fd, watch.events, watch)
        else:
            self._selector.register(fd, watch.events, watch)
        self._watched[fd] = watch

    def forget(self, file: Any) -> None:
        """Stop watching a file, if it is watched. Call this before the file is closed."""
        try:
            fd = file if isinstance(file, int) else file.fileno()
        except ValueError:  # a file object that is closed
            return
        if self._watched.pop(fd, None) is not None:
            self._selector.unregister(fd)

    def turn(self, seconds: float) -> bool:
        """Wait up to ``seconds`` for events and serve them; False if there were none."""
        while self._soon:
            self._soon.pop(0)()
        events = self._selector.select(max(seconds, 0))
        for key, _ in events:
            watch: _Watch = key.data
            if self._watched.get(key.fd) is watch:  # an earlier callback of the same turn may have closed it
                watch.ready()
        return bool(events)

    def wait(self, until: Callable[[], bool], what: str | Callable[[], str], seconds: float | None = None) -> None:
        """Serve events until the condition holds; TimedOutError names ``what`` it waited for."""
        seconds = self.deadline if seconds is None else seconds
        begun = time.monotonic()
        end, long = begun + seconds, begun + LONG
        try:
            while not until():
                now = time.monotonic()
                if now >= end:
                    raise TimedOutError(what if isinstance(what, str) else what(), seconds)
                if now >= long:
                    long = now + LONG
                    self.on_long_wait(what if isinstance(what, str) else what())
                self.turn(min(end, long) - now)
        finally:
            if long > begun + LONG:
                self.on_long_wait("")

    def serve_until(self, at: float) -> None:
        """Serve events until a time of time.monotonic; at once if it has passed."""
        self.wait(lambda: time.monotonic() >= at, "a time", max(0.0, at - time.monotonic()))

    def settle(self, pendings: Iterable[Pending[Any]], seconds: float | None = None) -> None:
        """Serve events until each of them has a result or an error, which the caller then reads."""
        open_ = list(pendings)

        def all_done() -> bool:
            open_[:] = [p for p in open_ if not p.done]
            return not open_

        self.wait(all_done, lambda: "; ".join(p.what for p in open_), seconds)

    def close(self) -> None:
        """Free the selector."""
        self._selector.close()
