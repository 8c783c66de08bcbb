"""TCP and UDP for the agent: connecting, and listeners that hand out connections in the order of the requests."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections import deque
from typing import TYPE_CHECKING

from harness.agent.fields import RequestError

if TYPE_CHECKING:
    from harness.agent.conversation import Conversation
    from harness.agent.watcher import Watcher

LOOPBACK = "127.0.0.1"
BACKLOG = 128
END = b""
"""An empty datagram, which neither DTLS nor QUIC sends: its sender has left."""
MOST_LEFT = 16
"""Sockets that a listener keeps of conversations that are over."""


def chosen_port(backlog: int) -> socket.socket:
    """Return a TCP socket that listens on a port of loopback which the kernel chooses.

    It has no SO_REUSEADDR, which socket.create_server sets: with it Linux looks in the lower half of its ports first,
    and takes fifty times as long once connections in TIME_WAIT hold those (inet_csk_find_open_port).
    """
    sock = socket.socket()
    sock.bind((LOOPBACK, 0))
    sock.listen(backlog)
    return sock


def prepared(sock: socket.socket) -> socket.socket:
    """Prepare a connected socket for drivers: non-blocking, with TCP_NODELAY."""
    sock.settimeout(0)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


class Listener:
    """A listening socket on a port that the kernel chooses."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._waiting: deque[Conversation] = deque()
        self._socket = self._made()
        self._socket.settimeout(0)
        self.port: int = self._socket.getsockname()[1]

    def _made(self) -> socket.socket:
        return chosen_port(BACKLOG)

    def accept(self, conversation: Conversation) -> None:
        """Give the next connection to the conversation, now or when it arrives."""
        self._waiting.append(conversation)
        self._serve()

    def _serve(self) -> None:
        while self._waiting:
            try:
                sock = self._accepted()
            except BlockingIOError:
                self._watcher.want(self._socket, self._serve)
                return
            self._waiting.popleft().opened(sock)

    def _accepted(self) -> socket.socket:
        """Return the next connection; BlockingIOError if there is none."""
        return prepared(self._socket.accept()[0])

    def close(self) -> None:
        """Stop listening; conversations that wait for a connection get an error."""
        self._watcher.forget(self._socket)
        self._socket.close()
        for conversation in self._waiting:
            conversation.not_opened(RequestError("the listener was closed before a connection arrived"))
        self._waiting.clear()


class DatagramListener(Listener):
    """A UDP socket on a port that the kernel chooses; each client's datagrams come to a socket of their own.

    The socket with a client's first datagram becomes its own. What others send then goes to the one that is bound last.
    """

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(watcher)
        self._left: deque[socket.socket] = deque()
        """The sockets of conversations that are over, for what still comes to them: it would begin another one."""

    def _made(self) -> socket.socket:
        return bound_socket(0)

    def _accepted(self) -> socket.socket:
        first, peer = self._socket.recvfrom(1, socket.MSG_PEEK)
        while not first:  # a client that leaves begins nothing
            self._socket.recv(1)
            first, peer = self._socket.recvfrom(1, socket.MSG_PEEK)
        taken = self._socket
        self._watcher.forget(taken)
        taken.connect(peer)  # first, or the client's second datagram comes to the next socket, and begins another one
        self._socket = bound_socket(self.port)
        return taken

    def leave(self, sock: socket.socket) -> None:
        """End a conversation; its socket stays until some others are over."""
        with contextlib.suppress(OSError):
            sock.send(END)
        self._left.append(sock)
        while len(self._left) > (0 if self._socket.fileno() < 0 else MOST_LEFT):
            self._left.popleft().close()

    def close(self) -> None:
        """Close the sockets, too, of conversations that are over."""
        super().close()
        for sock in self._left:
            sock.close()
        self._left.clear()


def bound_socket(port: int) -> socket.socket:
    """A UDP socket on a port that others may share; 0 for one that the kernel chooses, which is nobody's yet.

    Of two sockets with SO_REUSEADDR Linux may give the second the first one's port, so it is set after such a choice.
    """
    sock = socket.socket(type=socket.SOCK_DGRAM)
    if port == 0:
        sock.bind((LOOPBACK, 0))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if port:
        sock.bind((LOOPBACK, port))
    sock.settimeout(0)
    return sock


def leave(sock: socket.socket) -> None:
    """End a client's conversation."""
    with contextlib.suppress(OSError):
        sock.send(END)
    sock.close()


def connect_datagrams(port: int, conversation: Conversation) -> None:
    """Give a conversation a UDP socket that is connected; nothing is sent for that."""
    sock = socket.socket(type=socket.SOCK_DGRAM)
    sock.connect((LOOPBACK, port))
    sock.settimeout(0)
    conversation.opened(sock)


class Connector:
    """A TCP connection that is being established."""

    def __init__(self, watcher: Watcher, port: int, conversation: Conversation) -> None:
        self._watcher = watcher
        self._address = (LOOPBACK, port)
        self._conversation = conversation
        self._socket = prepared(socket.socket())
        self._try()

    def _try(self) -> None:
        result = self._socket.connect_ex(self._address)
        if result == errno.EINPROGRESS:
            result = self._socket.connect_ex(self._address)
        if result in {errno.EINPROGRESS, errno.EALREADY}:
            self._watcher.want(self._socket, self._try, write=True)
        elif result in {0, errno.EISCONN, errno.ECONNRESET}:  # reset after it was established, as the library will see
            self._conversation.opened(self._socket)
        else:
            self._watcher.forget(self._socket)
            self._socket.close()
            port = self._address[1]
            self._conversation.not_opened(ConnectionError(f"connect to {LOOPBACK}:{port}: {os.strerror(result)}"))
