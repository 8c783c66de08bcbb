"""The UDP relay between client and server: it records the datagrams of both ends, and can end their conversation."""

from __future__ import annotations

import contextlib
import socket
import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from harness.agent.sockets import LOOPBACK
from harness.model.tls import Role
from harness.model.transcript import Chunk, Tcp, TcpEnd
from harness.runtime.socket_owner import holds, inode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.model.tls import Close
    from harness.runtime.loop import Loop
    from harness.runtime.tap import Address

RECEIVE = 65536
ALERT = bytes((21,))
"""ContentType alert, which begins a record (RFC 6347, 4.1)."""
END = b""
"""An empty datagram, which neither DTLS nor QUIC sends: its sender has left."""


class DatagramMiddle(Protocol):
    """A man in the middle: it returns what is relayed of a datagram that an end sends."""

    done: list[str]

    @property
    def holding(self) -> bool:
        """Whether something of an end waits."""
        ...

    def feed(self, sender: Role, datagram: bytes) -> Sequence[bytes]:
        """Return the datagrams that are relayed now."""
        ...

    def release(self) -> Mapping[Role, Sequence[bytes]]:
        """Return what waited, by its sender."""
        ...


@runtime_checkable
class Silent(Protocol):
    """An end that sends no empty datagram when it leaves, as a program of OpenSSL: who drives it sees it leave."""

    left: Callable[[], None]
    """Called once it has left."""
    hang_up: Callable[[], bool]
    """Sends it an empty datagram, unless it got one; False if there is no conversation."""


class TappedDatagrams:
    """One relayed conversation: its datagrams, and the means to end it."""

    blocked: str | None = None
    """No middlebox looks at datagrams."""

    def __init__(
        self,
        loop: Loop,
        listener: socket.socket,
        client: Address,
        server: Address,
        middle: DatagramMiddle | None,
        silent: Mapping[Role, Silent],
    ) -> None:
        self.chunks: list[Chunk] = []
        """The relayed datagrams, one a chunk, in order."""
        self.sent: list[Chunk] = []
        """The datagrams as the ends sent them, if a man in the middle may have changed them."""
        self.middle = middle
        self._loop = loop
        self._listener = listener
        self._client = client
        self._server = socket.socket(type=socket.SOCK_DGRAM)
        self._server.connect(server)
        self._server.settimeout(0)
        self._open = set(Role)
        self._silent: Mapping[Role, Silent] = silent
        self._told: set[Role] = set()
        self._ended_by: list[TcpEnd] = []
        self._start = time.monotonic()
        ports = client[1], int(listener.getsockname()[1]), server[1]
        self._tcp = Tcp(time.time_ns(), *ports, datagrams=True)
        loop.watch(self._server, self._from_server)

    def _from_server(self) -> bool:
        """Relay a datagram of the server; False if there is none."""
        try:
            datagram = self._server.recv(RECEIVE)
        except BlockingIOError:
            return False
        except ConnectionRefusedError:  # it has left; what was sent to it is recorded
            return True
        self.relay(Role.SERVER, datagram)
        return True

    def relay(self, sender: Role, datagram: bytes) -> None:
        """Record a datagram of an end, and send it to the other one; if that has left, say so once more.

        An end of QUIC may have read the first word of it behind a datagram of OpenSSL's, which drops it.
        """
        if datagram == END:
            self.leave(sender)
            return
        passed: Sequence[bytes] = [datagram]
        if self.middle is not None:
            self.sent.append(self._chunk(sender, datagram))
            passed = self.middle.feed(sender, datagram)
        self._pass_on(sender, passed)
        if sender.peer not in self._open and sender not in self._silent:
            self._send(sender, END)

    def _chunk(self, sender: Role, datagram: bytes) -> Chunk:
        return Chunk(sender, time.monotonic() - self._start, datagram)

    def _pass_on(self, sender: Role, datagrams: Sequence[bytes]) -> None:
        for datagram in datagrams:
            self.chunks.append(self._chunk(sender, datagram))
            self._send(sender.peer, datagram)

    def _send(self, to: Role, datagram: bytes) -> None:
        with contextlib.suppress(ConnectionRefusedError):
            if to is Role.CLIENT:
                self._listener.sendto(datagram, self._client)
            else:
                self._server.send(datagram)

    def left(self, role: Role) -> None:
        """Relay what an end still sent that has left without a word, and tell the other one."""
        while role is Role.SERVER and role in self._open and self._from_server():
            pass
        self.leave(role)

    def leave(self, sender: Role) -> None:
        """Note that an end has left; tell the other one."""
        if sender not in self._open:
            return
        self._ended_by.append(TcpEnd(sender, time.monotonic() - self._start, reset=False))
        self._open.discard(sender)
        self.tell(sender.peer)
        if not self._open:
            self.close()

    def tell(self, to: Role) -> None:
        """Tell an end, once, that the other one has left."""
        if to in self._open and to not in self._told and not self._ends_itself(to):
            self._told.add(to)
            self._send(to, END)

    def _ends_itself(self, role: Role) -> bool:
        """Whether an alert passed last, of either end, after which a server program goes on to its next connection.

        An empty datagram would then begin that one. Only encrypted alerts hide what they are, not that they are one.
        """
        return role is Role.SERVER and role in self._silent and self.chunks[-1].data[:1] == ALERT

    @property
    def tampered(self) -> tuple[str, ...]:
        """What the man in the middle did, one sentence each."""
        return tuple(self.middle.done) if self.middle else ()

    @property
    def holding(self) -> bool:
        """Whether something of an end waits at the man in the middle for ``release``."""
        return self.middle is not None and self.middle.holding

    def drain(self) -> None:
        """Do nothing: no way to close a conversation of datagrams leaves some unread."""

    def release(self) -> None:
        """Let pass what is held back."""
        for sender, datagrams in (self.middle.release() if self.middle else {}).items():
            self._pass_on(sender, datagrams)

    @property
    def tcp(self) -> Tcp:
        """Return how UDP carried it so far."""
        return replace(self._tcp, ends=tuple(self._ended_by))

    @property
    def ended(self) -> bool:
        """Return whether both ends have left."""
        return not self._open

    def cut(self, how: Close) -> None:  # noqa: ARG002 - UDP knows one way (harness.story.carriers)
        """Tell each end that the other one has left."""
        self._ended_by.append(TcpEnd(None, time.monotonic() - self._start, reset=False))
        for role in Role:
            self.tell(role)

    def is_of(self, client: Address) -> bool:
        """Return whether a client that has not left has this address."""
        return self._client == client and Role.CLIENT in self._open

    def close(self) -> None:
        """End it; a second call does nothing.

        The socket stays open until ``free``: a later conversation that the kernel gave its port would not reach the
        server, which keeps its own socket of this one for what still comes to it.
        """
        self._loop.forget(self._server)
        self._open.clear()

    def free(self) -> None:
        """Give the port back."""
        self.close()
        self._server.close()


class DatagramTap:
    """Relays the datagrams of each client to the address that ``upstream`` returns; the kernel chooses its port.

    A client is known by its port. Its first datagram begins a conversation, if one is expected.
    """

    def __init__(self, loop: Loop, upstream: Callable[[], Address]) -> None:
        self.connections: list[TappedDatagrams] = []
        """Every conversation, in order."""
        self.middles: dict[int, DatagramMiddle] = {}
        """The man in the middle of each later conversation that has one, by its number from 1."""
        self._loop = loop
        self._upstream = upstream
        self._clients: list[Callable[[], int | None]] = []
        self._silent: list[Mapping[Role, Silent]] = []
        self._strays: list[str] = []
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.bind((LOOPBACK, 0))
        self._socket.settimeout(0)
        self.port: int = self._socket.getsockname()[1]
        loop.watch(self._socket, self.accept)

    def accept(self) -> bool:
        """Relay a datagram that has come from a client; False if there is none. The loop calls this."""
        try:
            datagram, client = self._socket.recvfrom(RECEIVE)
        except BlockingIOError:
            return False
        except ConnectionRefusedError:  # a client has left
            return True
        found = next((one for one in self.connections if one.is_of(client)), None)
        if found is None and datagram != END and self._expected(client[1]):
            middle = self.middles.pop(len(self.connections) + 1, None)
            silent = self._silent[len(self.connections)]
            found = TappedDatagrams(self._loop, self._socket, client, self._upstream(), middle, silent)
            self.connections.append(found)
        if found is not None:
            found.relay(Role.CLIENT, datagram)
        elif datagram != END:
            self._strays.append(f"a datagram from {LOOPBACK}:{client[1]}, which is not the client's")
        return True

    def expect(self, client: Callable[[], int | None], silent: Mapping[Role, Silent] | None = None) -> None:
        """Expect one conversation more, from the process that ``client`` names when it comes; None once it has ended.

        Conversations come in the order of the calls. ``silent`` are its ends that do not say that they leave.
        """
        place = len(self._clients)
        self._clients.append(client)
        self._silent.append(silent or {})
        for role, end in self._silent[place].items():
            end.left = partial(self._left, place, role)
            end.hang_up = partial(self._hang_up, place, role)

    def _left(self, place: int, role: Role) -> None:
        """An end has left: relay what it sent before."""
        while role is Role.CLIENT and self._socket.fileno() >= 0 and self.accept():
            pass
        if place < len(self.connections):
            self.connections[place].left(role)

    def _hang_up(self, place: int, role: Role) -> bool:
        """Tell an end that the other one has left; False if there is no conversation."""
        if place >= len(self.connections):
            return False
        self.connections[place].tell(role)
        return True

    def _expected(self, client_port: int) -> bool:
        """Return whether a conversation is expected and this is it. If the kernel does not say, it counts as it."""
        if len(self.connections) >= len(self._clients):
            return False
        pid = self._clients[len(self.connections)]()
        ends = (LOOPBACK, client_port), (LOOPBACK, self.port)
        found = inode(*ends, socket.IPPROTO_UDP) if pid is not None else None
        return pid is None or not found or holds(pid, found) or inode(*ends, socket.IPPROTO_UDP) != found

    def strays(self) -> tuple[str, ...]:
        """Return the datagrams of other processes that were set aside since the last call."""
        strays, self._strays = tuple(self._strays), []
        return strays

    def close(self) -> None:
        """Close every conversation."""
        self._loop.forget(self._socket)
        for tapped in self.connections:
            tapped.free()
        self._socket.close()
