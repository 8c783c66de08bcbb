"""Moves TLS records between a non-blocking socket and the two MemoryBIOs of an SSLObject."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from harness.agent.library import EndError, WantReadError, WantWriteError

if TYPE_CHECKING:
    import socket
    import ssl

CHUNK = 65536


class Transport:
    """One TCP connection. Data that a broken one does not accept is dropped: reading may still show why it broke."""

    def __init__(self, sock: socket.socket, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO) -> None:
        self._sock = sock
        self._incoming = incoming
        self._outgoing = outgoing
        self._unsent = b""
        self.broken = False

    @property
    def at_end(self) -> bool:
        """Whether TCP has ended and OpenSSL was notified."""
        return self._incoming.eof

    def fill(self) -> None:
        """Pass received bytes or the end of TCP to OpenSSL; WantReadError if there are none, EndError after a reset."""
        try:
            data = self._sock.recv(CHUNK)
        except (BlockingIOError, InterruptedError):
            raise WantReadError from None
        except OSError:
            raise EndError("reset") from None
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def flush(self) -> None:
        """Send everything that OpenSSL has written; WantWriteError if the socket does not accept all of it now."""
        self._unsent += self._outgoing.read()
        while self._unsent and not self.broken:
            try:
                sent = self._sock.send(self._unsent)
            except (BlockingIOError, InterruptedError):
                raise WantWriteError from None
            except OSError:
                self.broken = True
            else:
                self._unsent = self._unsent[sent:]

    def flush_what_goes(self) -> None:
        """Send as much as the socket accepts now; the next flush sends the rest."""
        with suppress(WantWriteError):
            self.flush()
