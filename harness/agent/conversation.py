"""One connection in an agent: carries out its requests in order, without blocking other connections."""

from __future__ import annotations

import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any

from harness.agent.fields import RequestError
from harness.agent.library import EndError, Facts, WantReadError, WantWriteError, carry_out
from harness.agent.threads import HandshakeThread
from harness.agent.verbs import AFTER_HANDSHAKE, ALWAYS
from harness.agent.vocabulary import LONGEST_LINE

if TYPE_CHECKING:
    import socket
    import threading
    from collections.abc import Callable

    from harness.agent.library import Tls
    from harness.agent.replies import Outbox
    from harness.agent.requests import Request
    from harness.agent.watcher import Watcher

CHUNK = 16384
LONGEST_DATA = LONGEST_LINE // 4
"""Bytes of application data without a newline; as hexadecimal digits they fit into a reply."""


class Conversation:
    """One connection from its connect or accept to its release.

    ``begin`` makes the driver's object for a connected socket; requests wait until the socket is connected. ``after``
    returns the facts that a server's context has of the connection once it is freed.
    """

    def __init__(
        self,
        watcher: Watcher,
        outbox: Outbox,
        opening: Request,
        begin: Callable[[socket.socket], Tls],
        after: Callable[[Tls | None], dict[str, Any]] | None = None,
    ) -> None:
        self._watcher = watcher
        self._outbox = outbox
        self._opening = opening
        self._begin = begin
        self._after = after
        self._sock: Any = None
        """A socket; an end in memory has another `_close`."""
        self._tls: Tls | None = None
        self._failure: BaseException | None = None
        self._waiting: deque[Request] = deque()
        self._opened = False
        self._handshaken = False
        self._buffer = b""
        """Application data that was read but not yet requested."""
        self._end: str | None = None
        """How the input ended."""
        self._unread = False
        """Whether TCP is closed without reading what has arrived."""
        self._written = 0
        """Bytes of the current ``write`` that the library accepted."""
        self._own: dict[str, Callable[[Tls, Request], dict[str, Any]]] = {
            "handshake": self._handshake,
            "write": self._write,
            "read_line": self._read_line,
            "await_end": self._await_end,
            "leave_unread": self._leave_unread,
        }
        """The verbs that need more than the driver's method; a step is repeated until the socket is ready."""
        self.leave: Callable[[Any], None] = end_tcp
        """Ends the transport, and closes the socket in its time."""
        self.released: Callable[[], object] = lambda: None
        """Called when a release has freed the connection."""
        self._thread: HandshakeThread | None = None
        """In which its handshake runs."""
        self.start: Callable[[int], threading.Barrier] = _no_threads
        """Returns the barrier at which so many threads of its context begin."""

    def opened(self, sock: Any) -> None:
        """Handle the new TCP connection: make the driver's object, reply to the opening request, continue."""
        if self._opened:
            self.leave(sock)
            return
        self._sock = sock
        self._opened = True
        try:
            self._tls = self._begin(sock)
        except Exception as error:  # noqa: BLE001 - any exception of a driver becomes an error reply
            self._failure = error
            self._outbox.error(self._opening.id, error)
            self._close()  # its peer would wait for the first byte
        else:
            self._outbox.ok(self._opening.id, {})
        self.run()

    def not_opened(self, error: BaseException) -> None:
        """Record that there is no TCP connection: later requests get this error."""
        self._opened = True
        self._failure = error
        self._outbox.error(self._opening.id, error)
        self.run()

    def ask(self, request: Request) -> None:
        """Queue a request; carry it out now if the queue is empty."""
        self._waiting.append(request)
        if len(self._waiting) == 1:
            self.run()

    def run(self) -> None:
        """Carry out queued requests until one has to wait for the socket."""
        while self._opened and self._waiting:
            request = self._waiting[0]
            try:
                result = self._release() if request.row.name == "release" else self._carry_out(request)
            except WantReadError:
                if self._thread is not None:
                    self._watcher.want(self._thread, self.run)
                else:
                    self._watcher.want(self._sock, self.run, within=self._time_left())
                return
            except WantWriteError:
                self._watcher.want(self._sock, self.run, write=True)
                return
            except Exception as error:  # noqa: BLE001 - any exception of a driver becomes an error reply
                if request.row.name == "handshake":
                    self._failure = self._failure or error
                self._outbox.error(request.id, error)
            else:
                self._outbox.ok(request.id, result)
            self._written = 0
            self._waiting.popleft()

    def _time_left(self) -> float | None:
        """The seconds until the library has to be called again in any case; None if a datagram alone brings it on."""
        time_left: Callable[[], float | None] | None = getattr(self._tls, "time_left", None)
        return None if time_left is None else time_left()

    def _carry_out(self, request: Request) -> dict[str, Any]:
        row = request.row
        if self._tls is None or (self._failure is not None and row.when != ALWAYS):
            raise self._failure or RequestError("the connection is closed")
        if row.when == AFTER_HANDSHAKE and not self._handshaken:
            raise RequestError(f"{row.name} needs a completed handshake; send handshake first")
        if row.name in self._own:
            return self._own[row.name](self._tls, request)
        return row.reply(carry_out(self._tls, row.name, request.arguments))

    def _handshake(self, tls: Tls, request: Request) -> dict[str, Any]:
        if (count := request.fields["together"]) is not None:
            self._in_thread(tls, count)
        else:
            tls.handshake()
        self._handshaken = True
        return {}

    def _in_thread(self, tls: Tls, count: int) -> None:
        """Begin the handshake in a thread, or end it if that is done; WantReadError while it runs."""
        if self._thread is None:
            self._thread = HandshakeThread(tls, self._sock, self.start(count))
            raise WantReadError
        thread, self._thread = self._thread, None
        self._watcher.forget(thread)
        thread.result()

    def _write(self, tls: Tls, request: Request) -> dict[str, Any]:
        data: bytes = request.fields["data"]
        if self._end not in {None, "close_notify"}:
            raise EndError(str(self._end))
        while self._written < len(data):
            self._written += tls.write(data[self._written :] if self._written else data)
        return {}

    def _read_line(self, tls: Tls, _request: Request) -> dict[str, Any]:
        try:
            while b"\n" not in self._buffer:
                if len(self._buffer) > LONGEST_DATA:
                    raise RequestError(f"no newline came within {LONGEST_DATA} bytes of application data")
                self._read(tls)
        except EndError as error:
            return {"data": self._taken(len(self._buffer)).hex(), "end": error.kind}
        return {"data": self._taken(self._buffer.index(b"\n") + 1).hex(), "end": None}

    def _await_end(self, tls: Tls, _request: Request) -> dict[str, Any]:
        try:
            while True:
                self._buffer = b""
                self._read(tls)
        except EndError as error:
            return {"ending": error.kind}

    def _leave_unread(self, tls: Tls, request: Request) -> dict[str, Any]:
        carry_out(tls, request.row.name, request.arguments)
        self._unread = True
        return {}

    def _read(self, tls: Tls) -> None:
        """Read application data into the buffer; raise EndError at the end of input, also on later calls."""
        if self._end is not None:
            raise EndError(self._end)
        try:
            self._buffer += tls.read(CHUNK)
        except EndError as error:
            self._end = error.kind
            raise

    def _taken(self, size: int) -> bytes:
        """Remove and return this many bytes of the buffer."""
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def _release(self) -> dict[str, Any]:
        tls = self._tls
        facts = vars(Facts() if tls is None else tls.facts())
        self._close()
        self.released()
        return {"facts": {**facts, **(self._after(tls) if self._after else {})}}

    def _close(self) -> None:
        if self._thread is not None:
            self._watcher.forget(self._thread)
            self._thread.cancel()
            self._thread = None
        if self._tls is not None:
            self._tls.free()
            self._tls = None
        if self._sock is not None:
            self._watcher.forget(self._sock)
            if self._unread:
                self._sock.close()
            else:
                self.leave(self._sock)
            self._sock = None
        self._failure = self._failure or RequestError("the connection was released")

    def drop(self) -> None:
        """Free everything without collecting facts; waiting requests get an error."""
        dropped = RequestError("the connection was dropped first: its context or listener was freed")
        if not self._opened:
            self._opened = True
            self._outbox.error(self._opening.id, dropped)
        for request in self._waiting:
            self._outbox.error(request.id, dropped)
        self._waiting.clear()
        self._close()


def _no_threads(_count: int) -> threading.Barrier:
    """RequestError: a connection in memory has no socket to wait for."""
    raise RequestError("together: only a client's connection over a socket has a thread of its own")


def end_tcp(sock: socket.socket) -> None:
    """Send FIN and read pending input, so that closing does not reset the connection and lose the last bytes sent."""
    with contextlib.suppress(OSError):
        sock.shutdown(1)
        while sock.recv(65536):
            pass
    sock.close()
