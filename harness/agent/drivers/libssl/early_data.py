"""Early data before a handshake, both ways; ``step`` gives None when done, or the result of a call that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.agent.drivers.libssl import constants as c

if TYPE_CHECKING:
    from harness.agent.drivers.libssl.native import Native

CHUNK = 16384


class EarlyWriter:
    """A client that writes so many bytes (SSL_write_early_data)."""

    def __init__(self, native: Native, ssl: Any, size: int) -> None:
        self._native = native
        self._ssl = ssl
        self._left = size

    def step(self) -> int | None:
        """Write what is left."""
        written = self._native.ffi.new("size_t *")
        while self._left:
            data = b"e" * min(self._left, CHUNK)
            result: int = self._native.ssl.SSL_write_early_data(self._ssl, data, len(data), written)
            if result <= 0:
                return result
            self._left -= written[0]
        return None


class EarlyReader:
    """A server that reads what comes and throws it away (SSL_read_early_data)."""

    def __init__(self, native: Native, ssl: Any) -> None:
        self._native = native
        self._ssl = ssl

    def step(self) -> int | None:
        """Read until there is no more."""
        got = self._native.ffi.new("size_t *")
        buffer = self._native.ffi.new("unsigned char[]", CHUNK)
        while True:
            result: int = self._native.ssl.SSL_read_early_data(self._ssl, buffer, CHUNK, got)
            if result == c.READ_EARLY_DATA_FINISH:
                return None
            if result == c.READ_EARLY_DATA_ERROR:
                return result
