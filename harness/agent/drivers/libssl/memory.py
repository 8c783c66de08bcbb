"""The BIOs of a connection that is joined in memory to its peer."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Any

from harness.agent.sockets import chosen_port

if TYPE_CHECKING:
    from harness.agent.drivers.libssl.native import Native

CTRL_PENDING = 10
SET_MEM_EOF_RETURN = 130
"""BIO_C_SET_BUF_MEM_EOF_RETURN: what a read of an empty BIO returns; -1 for "try again", 0 for the end."""


class MemoryBios:
    """Two memory BIOs, which an SSL owns."""

    def __init__(self, native: Native, ssl: Any) -> None:
        crypto, null = native.crypto, native.ffi.NULL
        self._native = native
        self._ssl = ssl
        self._in, self._out = (crypto.BIO_new(crypto.BIO_s_mem()) for _ in range(2))
        crypto.BIO_ctrl(self._in, SET_MEM_EOF_RETURN, -1, null)
        native.ssl.SSL_set_bio(ssl, self._in, self._out)
        self._dead: socket.socket | None = None

    def take(self) -> bytes:
        """Return what the library has sent since the last call."""
        if self._dead is not None:
            return b""
        crypto = self._native.crypto
        size = crypto.BIO_ctrl(self._out, CTRL_PENDING, 0, self._native.ffi.NULL)
        if not size:
            return b""
        data = self._native.ffi.new("unsigned char[]", size)
        got = crypto.BIO_read(self._out, data, size)
        return bytes(self._native.ffi.buffer(data, got))

    def put(self, data: bytes) -> None:
        """Let the library receive these bytes."""
        if self._dead is None:
            self._native.crypto.BIO_write(self._in, data, len(data))

    def end(self) -> None:
        """Let the library's input end, after what it has not yet read."""
        if self._dead is None:
            self._native.crypto.BIO_ctrl(self._in, SET_MEM_EOF_RETURN, 0, self._native.ffi.NULL)

    def reset(self) -> None:
        """Go over to a socket of TCP that was reset: its first call gives ECONNRESET, later ones EPIPE or the end."""
        with chosen_port(1) as listener:
            self._dead = socket.create_connection(listener.getsockname())
            peer, _ = listener.accept()
        self._dead.settimeout(0)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close sends a reset (socket(7))
        peer.close()
        self._native.ssl.SSL_set_fd(self._ssl, self._dead.fileno())
