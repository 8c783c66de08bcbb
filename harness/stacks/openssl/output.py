"""Reads the facts that s_client and s_server both print.

Both programs mix the peer's data with their own output, so every line that they do not print themselves is data. A peer
that sends a line such as ``DONE`` cannot be recognised.
"""

from __future__ import annotations

import errno
import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.model.tls import Ending

if TYPE_CHECKING:
    from harness.model.tls import TLSVersion

SSL_LIBRARY = 20
"""ERR_LIB_SSL."""
SYSTEM_LIBRARY = 2
"""ERR_LIB_SYS."""
ALERT_REASONS = range(1000, 1256)
"""SSL_AD_REASON_OFFSET: the reason of a received alert is 1000 plus the alert's number."""
NEW_CODES = 3
"""The first OpenSSL whose error codes do not contain a function."""
UNEXPECTED_EOF = 294
"""SSL_R_UNEXPECTED_EOF_WHILE_READING, since 3.0; 1.1.1 has no error for it."""
RESET_ERRNOS = (errno.EPIPE, errno.ECONNRESET)

ERROR = re.compile(rb"[0-9A-F]+:error:([0-9A-F]+):(.*)")
ERRNO = re.compile(rb"(?:read|write):errno=(\d+)")
TIMEOUT = b"TIMEOUT occurred"
"""Of DTLS: a timer ran out, or since 3.2 s_client has something to send while a timer runs."""
WAITS = re.compile(rb"(?:(?:read|write) [RWAX] BLOCK|(?:Read|Write) BLOCK(?: \(Async\))?|%b)\Z" % TIMEOUT)
"""What the programs say of themselves while they wait."""
VERIFY = re.compile(rb"(?:depth=|verify (?:error|return):)")


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """One line of ERR_print_errors. ``code`` is the packed error code of OpenSSL ``major``."""

    code: int
    text: str
    major: int

    @property
    def library(self) -> int:
        """ERR_GET_LIB; ERR_LIB_SYS for a system error."""
        if self.major < NEW_CODES:
            return self.code >> 24
        return SYSTEM_LIBRARY if self.code >> 31 else self.code >> 23 & 0xFF

    @property
    def reason(self) -> int:
        """ERR_GET_REASON, or the errno of a system error."""
        if self.major < NEW_CODES:
            return self.code & 0xFFF
        return self.code & (0x7FFFFFFF if self.code >> 31 else 0x7FFFFF)

    @property
    def alert(self) -> int | None:
        """Return the number of the received alert, or None if the error is not an alert."""
        if self.library == SSL_LIBRARY and self.reason in ALERT_REASONS:
            return self.reason - ALERT_REASONS.start
        return None

    def __str__(self) -> str:
        return f"lib={self.library} reason={self.reason} {self.text}"


@dataclass
class Output:
    """What both programs print about a connection."""

    major: int
    """The major version of OpenSSL, which determines the layout of error codes."""
    established: bool = False
    reused: bool | None = None
    evidence: list[str] = field(default_factory=list)
    """The lines that say whether the session was reused."""
    version: TLSVersion | None = None
    cipher: str | None = None
    alpn: str | None = None
    early_data: str | None = None
    peer_certificate: bool | None = None
    data: deque[bytes] = field(default_factory=deque)
    """The peer's unread lines, each with its newline."""
    got_data: bool = False
    errors: list[ErrorLine] = field(default_factory=list)
    ending: Ending | None = None
    """How the peer ended the connection."""
    trouble: list[str] = field(default_factory=list)
    """The lines that report why it ended, if that was an error."""

    @property
    def alert(self) -> int | None:
        """Return the number of the first received alert, or None."""
        return next((error.alert for error in self.errors if error.alert is not None), None)

    def received(self, line: bytes) -> None:
        """Take a line of the peer's data."""
        self.data.append(line + b"\n")
        self.got_data = True

    def is_error(self, line: bytes) -> bool:
        """Return whether the line is from an error queue, or an errno; if so, record it and what it says of the end."""
        if found := ERROR.fullmatch(line):
            error = ErrorLine(int(found[1], 16), found[2].decode(errors="replace"), self.major)
            self.errors.append(error)
            if error.alert is not None:
                self.ending = Ending.ALERT
            elif error.library == SSL_LIBRARY and error.reason == UNEXPECTED_EOF:
                self.ending = Ending.EOF
            elif error.library == SYSTEM_LIBRARY and error.reason in RESET_ERRNOS:
                self.ending = Ending.RESET
        elif found := ERRNO.fullmatch(line):
            self.ending = self.ending or (Ending.RESET if int(found[1]) in RESET_ERRNOS else Ending.EOF)
        else:
            return False
        self.trouble.append(line.decode(errors="replace"))
        return True
