"""TCP for the agent: connecting, and listeners that hand out connections in the order of the requests."""

from __future__ import annotations

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
        self._socket = socket.create_server((LOOPBACK, 0), backlog=BACKLOG)
        self._socket.settimeout(0)
        self.port: int = self._socket.getsockname()[1]

    def accept(self, conversation: Conversation) -> None:
        """Give the next connection to the conversation, now or when it arrives."""
        self._waiting.append(conversation)
        self._serve()

    def _serve(self) -> None:
        while self._waiting:
            try:
                sock, _ = self._socket.accept()
            except BlockingIOError:
                self._watcher.want(self._socket, self._serve)
                return
            self._waiting.popleft().opened(prepared(sock))

    def close(self) -> None:
        """Stop listening; conversations that wait for a connection get an error."""
        self._watcher.forget(self._socket)
        self._socket.close()
        for conversation in self._waiting:
            conversation.not_opened(RequestError("the listener was closed before a connection arrived"))
        self._waiting.clear()


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
        elif result in {0, errno.EISCONN}:
            self._conversation.opened(self._socket)
        else:
            self._watcher.forget(self._socket)
            self._socket.close()
            port = self._address[1]
            self._conversation.not_opened(ConnectionError(f"connect to {LOOPBACK}:{port}: {os.strerror(result)}"))
