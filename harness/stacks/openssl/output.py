"""What s_client and s_server both print, line by line, as facts; pure.

Both programs print the peer's data among their own words, so every other line is a line of data. A peer
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
"""The first OpenSSL that packs an error code without a function."""
UNEXPECTED_EOF = 294
"""SSL_R_UNEXPECTED_EOF_WHILE_READING, from 3.0; 1.1.1 has no error for it."""
RESET_ERRNOS = (errno.EPIPE, errno.ECONNRESET)

ERROR = re.compile(rb"[0-9A-F]+:error:([0-9A-F]+):(.*)")
ERRNO = re.compile(rb"(?:read|write):errno=(\d+)")
BLOCK = re.compile(rb"(?:(?:read|write) [RWAX] BLOCK|(?:Read|Write) BLOCK(?: \(Async\))?)\Z")
VERIFY = re.compile(rb"(?:depth=|verify (?:error|return):)")


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """One line of ERR_print_errors. ``code`` is the packed error, laid out as in OpenSSL ``major``."""

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
        """The number of the alert that was received, None if the error is not one."""
        if self.library == SSL_LIBRARY and self.reason in ALERT_REASONS:
            return self.reason - ALERT_REASONS.start
        return None

    def __str__(self) -> str:
        return f"lib={self.library} reason={self.reason} {self.text}"


@dataclass
class Output:
    """What both programs tell of a connection."""

    major: int
    """The OpenSSL's first number, which says how it packs an error code."""
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
    """The peer's lines that nobody has read yet, each with its newline."""
    got_data: bool = False
    errors: list[ErrorLine] = field(default_factory=list)
    ending: Ending | None = None
    """How the peer ended the connection."""
    trouble: list[str] = field(default_factory=list)
    """The lines that say why it ended, if it did not end well."""

    @property
    def alert(self) -> int | None:
        """The first alert that was received, by its number."""
        return next((error.alert for error in self.errors if error.alert is not None), None)

    def received(self, line: bytes) -> None:
        """Take a line of the peer's data."""
        self.data.append(line + b"\n")
        self.got_data = True

    def is_error(self, line: bytes) -> bool:
        """Whether the line is one of an error queue, or an errno; if so, note what it says of the end."""
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
