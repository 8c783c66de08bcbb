"""Two ends joined in memory: what one sends, the other receives, and everything is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

EOF, RESET = "eof", "rst"


class Port(Protocol):
    """A driver's side of an end: the bytes that its library sends and receives."""

    def take(self) -> bytes:
        """Return what the library has sent since the last call."""
        ...

    def put(self, data: bytes) -> None:
        """Let the library receive these bytes."""
        ...

    def end(self) -> None:
        """Let the library's input end, after what it has not yet read."""
        ...

    def reset(self) -> None:
        """Let every further read and write of the library fail, as after a TCP reset."""
        ...


class MemoryEnd:
    """One end of a pipe; a driver is given it in place of a socket."""

    def __init__(self, pipe: Pipe, role: str) -> None:
        self.pipe = pipe
        self.role = role
        self.closed = False
        self.peer: MemoryEnd = self
        self._port: Port | None = None
        self._ready: Callable[[], None] | None = None

    def attach(self, port: Port) -> None:
        """Connect a library to this end; it receives what came before."""
        self._port = port
        if early := self.pipe.early.pop(self.role, b""):
            port.put(early)
        if self.peer.closed:
            port.end()

    def want(self, ready: Callable[[], None]) -> None:
        """Call ``ready`` once, when there is something to read."""
        self._ready = ready

    def pump(self) -> None:
        """Carry what the library has sent to the other end, which then goes on."""
        data = self._port.take() if self._port else b""
        if data:
            self.pipe.chunks.append((self.role, data))
            if self.pipe.cut is None:
                self.peer.receive(data)

    def receive(self, data: bytes) -> None:
        """Take bytes of the other end."""
        if self._port is not None:
            self._port.put(data)
            self._go_on()
        elif not self.closed:
            self.pipe.early[self.role] = self.pipe.early.get(self.role, b"") + data

    def input_ends(self, how: str) -> None:
        """Let the input end."""
        if self._port is not None:
            self._port.end() if how == EOF else self._port.reset()
            self._go_on()

    def _go_on(self) -> None:
        ready, self._ready = self._ready, None
        if ready is not None:
            ready()

    def detach(self) -> None:
        """Carry the last bytes over, before the library's side is freed."""
        self.pump()
        self._port = None

    def close(self, how: str = EOF) -> None:
        """End this direction, as a FIN does, or reset the other end."""
        if self.closed:
            return
        self.closed = True
        self.pipe.ends.append((self.role, how == RESET))
        if self.pipe.cut is None and not self.peer.closed:
            self.peer.input_ends(how)
        self.pipe.look_whether_over()


class Pipe:
    """Both ends of one connection, with its bytes."""

    def __init__(self) -> None:
        self.chunks: list[tuple[str, bytes]] = []
        """The bytes with the role that sent them, in order."""
        self.ends: list[tuple[str | None, bool]] = []
        """Who ended a direction, None for a cut, and whether by a reset."""
        self.early: dict[str, bytes] = {}
        """Bytes for an end that has no library yet."""
        self.cut: str | None = None
        self.client, self.server = MemoryEnd(self, "client"), MemoryEnd(self, "server")
        self.client.peer, self.server.peer = self.server, self.client
        self._when_over: Callable[[], None] | None = None

    def end(self, role: str) -> MemoryEnd:
        """Return an end by its role."""
        return self.client if role == "client" else self.server

    def end_both(self, how: str) -> None:
        """End the input of both ends; what they send later arrives nowhere."""
        self.cut = how
        self.ends.append((None, how == RESET))
        for end in (self.client, self.server):
            end.input_ends(how)

    def when_over(self, over: Callable[[], None]) -> None:
        """Call ``over`` once both ends are closed."""
        self._when_over = over
        self.look_whether_over()

    def look_whether_over(self) -> None:
        """Say that it is over, once both ends are closed."""
        if self._when_over is not None and self.client.closed and self.server.closed:
            over, self._when_over = self._when_over, None
            over()
