"""The requests of one connection, carried out in the order in which they came; other connections go on meanwhile."""

from __future__ import annotations

import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any

from harness.agent.fields import RequestError
from harness.agent.library import Facts, LackError, WantReadError, WantWriteError
from harness.agent.operations import AT_ANY_TIME, Talk, operation

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from harness.agent.library import Tls
    from harness.agent.replies import Outbox
    from harness.agent.verbs import Request
    from harness.agent.watcher import Watcher


class Conversation:
    """One connection from its connect or accept to its release.

    ``begin`` makes the driver's object of a connected socket; until the socket is there, requests wait. ``count`` gives
    the counters of a server's context, which its release tells.
    """

    def __init__(
        self,
        watcher: Watcher,
        outbox: Outbox,
        opening: Request,
        begin: Callable[[socket.socket], Tls],
        count: Callable[[], dict[str, int]] | None = None,
    ) -> None:
        self._watcher = watcher
        self._outbox = outbox
        self._opening = opening
        self._begin = begin
        self._count = count
        self._sock: socket.socket | None = None
        self._talk: Talk | None = None
        self._failure: BaseException | None = None
        self._waiting: deque[Request] = deque()
        self._step: Callable[..., dict[str, Any]] | None = None
        self._opened = False
        self.released: Callable[[], object] = lambda: None
        """Called once the connection is freed by its release."""

    def opened(self, sock: socket.socket) -> None:
        """The TCP connection is there: make the driver's object, answer the opening request, go on."""
        if self._opened:
            end_tcp(sock)
            return
        self._sock = sock
        self._opened = True
        try:
            self._talk = Talk(self._begin(sock))
        except Exception as error:  # noqa: BLE001 - whatever a driver raises becomes an error reply
            self._failure = error
            self._outbox.error(self._opening.id, error)
        else:
            self._outbox.ok(self._opening.id, {})
        self.run()

    def not_opened(self, error: BaseException) -> None:
        """There will be no TCP connection: later requests get this error."""
        self._opened = True
        self._failure = error
        self._outbox.error(self._opening.id, error)
        self.run()

    def ask(self, request: Request) -> None:
        """Queue a request, and carry it out now if nothing is before it."""
        self._waiting.append(request)
        if len(self._waiting) == 1:
            self.run()

    def run(self) -> None:
        """Carry out what can be carried out; stop where the socket is not ready."""
        while self._opened and self._waiting:
            request = self._waiting[0]
            try:
                result = self._release() if request.verb == "release" else self._carry_out(request)
            except WantReadError:
                self._watcher.want(self._sock, self.run)
                return
            except WantWriteError:
                self._watcher.want(self._sock, self.run, write=True)
                return
            except Exception as error:  # noqa: BLE001 - whatever a driver raises becomes an error reply
                if request.verb == "handshake":
                    self._failure = self._failure or error
                self._outbox.error(request.id, error)
            else:
                self._outbox.ok(request.id, result)
            self._step = None
            self._waiting.popleft()

    def _carry_out(self, request: Request) -> dict[str, Any]:
        if self._talk is None or (self._failure is not None and request.verb not in AT_ANY_TIME - {"handshake"}):
            raise self._failure or RequestError("the connection is closed")
        if self._step is None:
            self._step = operation(request.verb)
        return self._step(self._talk, request.fields)

    def _release(self) -> dict[str, Any]:
        facts = vars(Facts() if self._talk is None else self._talk.tls.facts())
        self._close()
        self.released()
        return {"facts": {**facts, "counters": self._counters()}}

    def _counters(self) -> dict[str, int] | None:
        """What freeing the connection took out of the cache is counted; None for a client, or where it has none."""
        with contextlib.suppress(LackError):
            return self._count() if self._count else None
        return None

    def _close(self) -> None:
        if self._talk is not None:
            self._talk.tls.free()
            self._talk = None
        if self._sock is not None:
            self._watcher.forget(self._sock)
            end_tcp(self._sock)
            self._sock = None
        self._failure = self._failure or RequestError("the connection was released")

    def drop(self) -> None:
        """Free everything without facts; requests that still wait are answered with an error."""
        dropped = RequestError("the connection was dropped before this was done: its context or listener was freed")
        if not self._opened:
            self._opened = True
            self._outbox.error(self._opening.id, dropped)
        for request in self._waiting:
            self._outbox.error(request.id, dropped)
        self._waiting.clear()
        self._close()


def end_tcp(sock: socket.socket) -> None:
    """Send FIN and read what is there, so that closing does not reset the connection and lose our last bytes."""
    with contextlib.suppress(OSError):
        sock.shutdown(1)
        while sock.recv(65536):
            pass
    sock.close()
