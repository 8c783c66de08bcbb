"""Resends a line that s_client, since 3.2, loses during a renegotiation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.stacks.openssl.output import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable

FORGETS = (3, 2)
"""The first s_client that empties its buffer after `write R BLOCK` (user_data_process, apps/s_client.c).

Older ones keep the line in the buffer and write it after SSL_read has made progress.
"""
WRITE_BLOCK = b"write R BLOCK"


class Unsent:
    """Reads the output of a non-blocking s_client and resends a line each time that it was lost.

    The line is lost if SSL_write wants to read. The next output of s_client, but for that of a timer, shows that
    SSL_read has made progress, which is the time to resend. The command R writes as well, but no data: the first
    `write R BLOCK` after it concerns no line. It is absent if the server is so fast that this write completes the
    handshake; then no line is lost.
    """

    def __init__(self, send: Callable[[bytes], object]) -> None:
        self._send = send
        self._line = b""
        self._lost = False
        self._of_command = False

    def renegotiates(self) -> None:
        """Record the command R."""
        self.answered()
        self._of_command = True

    def wrote(self, line: bytes) -> None:
        """Record a line that was written to s_client."""
        self._line, self._lost = line, False

    def answered(self) -> None:
        """Record that the peer has read the line."""
        self.wrote(b"")
        self._of_command = False

    def heard(self, line: bytes) -> None:
        """Process the next line of s_client's output."""
        if line == WRITE_BLOCK and self._of_command:
            self._of_command = False
        elif line == WRITE_BLOCK:
            self._lost = bool(self._line)
        elif self._lost and line != TIMEOUT:
            self._lost = False
            self._send(self._line)
