"""The line that an s_client since 3.2 forgets within a renegotiation, and when to give it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FORGETS = (3, 2)
"""The first s_client whose main loop empties its buffer after `write R BLOCK` (user_data_process, apps/s_client.c).

Before, the line stayed in the buffer, and was written once SSL_read had made progress.
"""
WRITE_BLOCK = b"write R BLOCK"


class Unsent:
    """Hears what a non-blocking s_client prints, and gives it the line again each time that it has forgotten it.

    If SSL_write wants to read, the line is lost. What s_client prints next tells that SSL_read has made progress,
    so that there is no more to do in between. The command R is a write of its own, of nothing: the first `write R
    BLOCK` after it is about no line. There is none where the server was so quick that this write completed the
    handshake; then no line can be lost either.
    """

    def __init__(self, send: Callable[[bytes], object]) -> None:
        self._send = send
        self._line = b""
        self._lost = False
        self._of_command = False

    def renegotiates(self) -> None:
        """The command R is given."""
        self.answered()
        self._of_command = True

    def wrote(self, line: bytes) -> None:
        """A line was given to s_client, and no answer came yet."""
        self._line, self._lost = line, False

    def answered(self) -> None:
        """The peer has read the line."""
        self.wrote(b"")
        self._of_command = False

    def heard(self, line: bytes) -> None:
        """Take the next line that s_client printed."""
        if line == WRITE_BLOCK and self._of_command:
            self._of_command = False
        elif line == WRITE_BLOCK:
            self._lost = bool(self._line)
        elif self._lost:
            self._lost = False
            self._send(self._line)
