"""The TCP relay between client and server: it records both byte streams unchanged and can end them."""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from harness.agent.sockets import BACKLOG, LOOPBACK, chosen_port
from harness.model.errors import DEADLINE, HarnessError, stretched
from harness.model.tls import Close, Role
from harness.model.transcript import Chunk, Tcp, TcpEnd
from harness.runtime.socket_owner import holds, inode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TypeAlias

    from harness.runtime.loop import Loop

    Holds: TypeAlias = Callable[[Sequence[Chunk], Role], bool]
    """Whether bytes of this end that came after these chunks are held back."""

RECEIVE = 65536
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER on with 0 seconds: closing then sends RST (socket(7))."""


Address = tuple[str, int]
"""A host and a port."""


def _refuse(client: socket.socket) -> None:
    """Reset a connection that is not relayed."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    client.close()


class Gate(Protocol):
    """A middlebox in the tap: it sees all bytes before they pass."""

    def feed(self, sender: Role, data: bytes) -> str | None:
        """Return None to let the bytes pass, or the reason why it blocks the connection."""
        ...


class Middle(Protocol):
    """A man in the middle: it returns what is relayed of what an end sends."""

    done: list[str]
    cut: bool

    @property
    def holding(self) -> bool:
        """Whether an end's bytes wait."""
        ...

    def feed(self, sender: Role, data: bytes) -> bytes:
        """Return what is relayed now."""
        ...

    def release(self) -> Mapping[Role, bytes]:
        """Return what waited, by its sender."""
        ...


class Tapped:
    """One relayed connection: its bytes, and the means to end it."""

    def __init__(
        self,
        loop: Loop,
        client: socket.socket,
        server: socket.socket,
        ports: tuple[int, int, int],
        gate: Gate | None,
        holds: Holds | None = None,
        middle: Middle | None = None,
    ) -> None:
        self.chunks: list[Chunk] = []
        """The relayed bytes, in order, without those that a gate blocked."""
        self.sent: list[Chunk] = []
        """The bytes as the ends sent them, if a man in the middle may have changed them."""
        self.middle = middle
        self.blocked = None if gate is None else ""
        """Why the gate blocked the connection, empty if it did not, None if there is no gate."""
        self._loop = loop
        self._gate = gate
        self._holds = holds
        self._held: tuple[Role, bytes] | None = None
        """Bytes that are held back, and who sent them."""
        self._ends = {Role.CLIENT: client, Role.SERVER: server}
        self._open = {Role.CLIENT, Role.SERVER}
        self._unsent = {Role.CLIENT: b"", Role.SERVER: b""}
        self._ended_by: list[TcpEnd] = []
        self._start = time.monotonic()
        self._tcp = Tcp(time.time_ns(), *ports)
        for role, end in self._ends.items():
            end.settimeout(0)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._watch(role)

    def _watch(self, role: Role) -> None:
        self._loop.watch(self._ends[role], lambda: self._relay(role))

    def _relay(self, sender: Role) -> None:
        try:
            data = self._ends[sender].recv(RECEIVE)
        except BlockingIOError:
            return
        except OSError:
            self._met_end(sender, reset=True)
            self.reset()
            return
        if not data:
            self._met_end(sender)
            self._ended(sender)
            return
        self.blocked = (self._gate.feed(sender, data) or "") if self._gate else None
        if self.blocked:
            self.cut(Close.RST)
            return
        if self._holds and self._holds(self.chunks, sender):
            self._holds, self._held = None, (sender, data)
            self._loop.forget(self._ends[sender])
            return
        if self.middle is not None:
            self.sent.append(Chunk(sender, time.monotonic() - self._start, data))
            data = self.middle.feed(sender, data)
        self._pass_on(sender, data)
        if self.middle is not None and self.middle.cut:
            self.cut(Close.RST)

    def drain(self) -> None:
        """Relay what the server has sent so far."""
        if Role.SERVER in self._open:
            self._relay(Role.SERVER)

    def _pass_on(self, sender: Role, data: bytes) -> None:
        if data:
            self.chunks.append(Chunk(sender, time.monotonic() - self._start, data))
            self._send(sender.peer, data)

    def since(self, chunk: Chunk) -> float:
        """Seconds since these bytes were relayed."""
        return time.monotonic() - self._start - chunk.at

    @property
    def tampered(self) -> tuple[str, ...]:
        """What the man in the middle did, one sentence each."""
        return tuple(self.middle.done) if self.middle else ()

    @property
    def holding(self) -> bool:
        """Whether bytes of an end wait at the man in the middle for ``release``."""
        return self.middle is not None and self.middle.holding

    def release(self) -> None:
        """Let pass what is held back, if anything is, and all that follows it."""
        self._holds = None
        if self._held and self._open:
            (sender, data), self._held = self._held, None
            self._watch(sender)
            self._pass_on(sender, data)
        for sender, data in (self.middle.release() if self.middle else {}).items():
            self._pass_on(sender, data)

    def _send(self, to: Role, data: bytes) -> None:
        data = self._unsent[to] + data
        try:
            sent = self._ends[to].send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            # The receiver is gone; the sender's bytes are still read and recorded, as a network would carry them.
            if error.errno not in {errno.EPIPE, errno.ECONNRESET}:
                raise
            sent = len(data)
        self._unsent[to] = data[sent:]
        if self._unsent[to]:
            # While one direction is stuck, nothing is read from its sender: back pressure, as in TCP.
            self._loop.forget(self._ends[to.peer])
            self._loop.watch(self._ends[to], lambda: self._flush(to), write=True)

    def _flush(self, to: Role) -> None:
        self._send(to, b"")
        if not self._unsent[to]:
            for role in (to, to.peer):
                if role in self._open and not (self._held and self._held[0] is role):
                    self._watch(role)
                else:
                    self._loop.forget(self._ends[role])

    def _ended(self, sender: Role) -> None:
        self._open.discard(sender)
        self._loop.forget(self._ends[sender])
        with contextlib.suppress(OSError):
            self._ends[sender.peer].shutdown(socket.SHUT_WR)
        if not self._open:
            self.close()

    def _met_end(self, sender: Role | None, *, reset: bool = False) -> None:
        self._ended_by.append(TcpEnd(sender, time.monotonic() - self._start, reset))

    @property
    def tcp(self) -> Tcp:
        """Return the facts of TCP so far."""
        return replace(self._tcp, ends=tuple(self._ended_by))

    @property
    def ended(self) -> bool:
        """Return whether both ends have closed TCP, so that no more bytes can arrive."""
        return not self._open

    def cut(self, how: Close) -> None:
        """End TCP towards both ends: Close.EOF sends FIN, Close.RST resets. Later bytes are read and dropped."""
        self._met_end(None, reset=how is Close.RST)
        if how is Close.RST:
            self.reset()
            return
        for end in self._ends.values():
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Reset TCP towards both ends."""
        for end in self._ends.values():
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.close()

    def close(self) -> None:
        """Close both sockets; a second call does nothing."""
        for end in self._ends.values():
            self._loop.forget(end)
            end.close()
        self._open.clear()


class Tap:
    """Listens on its own port and relays each connection to the address that ``upstream`` returns.

    The kernel chooses its port if none is given; OSError if that one cannot be had.
    """

    def __init__(
        self, loop: Loop, upstream: Callable[[], Address], gate: Callable[[], Gate] | None = None, port: int = 0
    ) -> None:
        self.connections: list[Tapped] = []
        """Every accepted connection, in order."""
        self._loop = loop
        self._upstream = upstream
        self.gate = gate
        """Makes the middlebox of each later connection; None for no middlebox."""
        self.holds: Holds | None = None
        """Decides in each later connection whether to hold bytes back, once, until `Tapped.release`; None for no."""
        self.middles: dict[int, Middle] = {}
        """The man in the middle of each later connection that has one, by its number from 1."""
        self.prelude: Callable[[socket.socket], None] | None = None
        """Talks with the server before any byte is relayed, as STARTTLS does. A HarnessError ends the connection."""
        self.foreword: Callable[[socket.socket, Callable[[], None]], object] | None = None
        """Talks with the client before its server is connected to, and calls back when it is to be; owns the socket."""
        self.unreachable: OSError | None = None
        """Why the server of the last connection could not be reached; None if it was."""
        self._clients: list[Callable[[], int | None]] | None = None
        self._strays: list[str] = []
        self._listener = socket.create_server((LOOPBACK, port)) if port else chosen_port(BACKLOG)
        self._listener.settimeout(0)
        self.port: int = self._listener.getsockname()[1]
        loop.watch(self._listener, self.accept)

    def accept(self) -> None:
        """Accept a waiting connection, if there is one; the loop calls this."""
        try:
            client, (_, client_port) = self._listener.accept()
        except BlockingIOError:
            return
        if not self._expected(client_port):
            self._strays.append(f"a TCP connection from {LOOPBACK}:{client_port}, which is not the client's")
            _refuse(client)
            return
        if self.foreword:
            self.foreword(client, lambda: self._join(client, client_port))
        else:
            self._join(client, client_port)

    def _join(self, client: socket.socket, client_port: int) -> None:
        """Connect to the server, and relay."""
        address = self._upstream()
        self.unreachable = None
        try:
            server = self._connected(address)
        except OSError as error:
            # No server: reset the client, which would not have a connection without a tap either.
            self.unreachable = error
            _refuse(client)
            return
        except HarnessError:
            _refuse(client)
            raise
        ports = client_port, self.port, address[1]
        gate = self.gate() if self.gate else None
        middle = self.middles.pop(len(self.connections) + 1, None)
        self.connections.append(Tapped(self._loop, client, server, ports, gate, self.holds, middle))

    def _connected(self, address: Address) -> socket.socket:
        server = socket.create_connection(address, stretched(DEADLINE))
        try:
            if self.prelude:
                self.prelude(server)
        except BaseException:
            server.close()
            raise
        return server

    def expect(self, client: Callable[[], int | None]) -> None:
        """Expect one connection more, from the process that ``client`` names when it comes; None once it has ended.

        From the first call on, every other connection is set aside. Connections come in the order of the calls.
        """
        self._clients = [*(self._clients or ()), client]

    def expect_none(self) -> None:
        """Set every connection aside until one is expected."""
        self._clients = self._clients or []

    def _expected(self, client_port: int) -> bool:
        """Return whether a connection is expected and this is it. If the kernel does not say, it counts as expected.

        A client that fails before its ClientHello has closed its socket by then, so that no process holds it.
        """
        if self._clients is None:
            return True
        if len(self.connections) >= len(self._clients):
            return False
        pid = self._clients[len(self.connections)]()
        if pid is None:
            return True
        ends = (LOOPBACK, client_port), (LOOPBACK, self.port)
        found = inode(*ends)
        return not found or holds(pid, found) or inode(*ends) != found  # closed while its owner was looked for

    def strays(self) -> tuple[str, ...]:
        """Return the connections from other processes that were set aside since the last call."""
        strays, self._strays = tuple(self._strays), []
        return strays

    def close(self) -> None:
        """Stop listening and close every connection."""
        self._loop.forget(self._listener)
        self._listener.close()
        for tapped in self.connections:
            tapped.close()
