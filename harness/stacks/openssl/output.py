"""What s_client and s_server print, line by line, as facts; pure, and it compares no words of an error.

Both programs print the peer's data among their own words, so a data line is whatever is none of those words. A peer
that sends a line such as ``DONE`` is not told from them.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import deque
from dataclasses import dataclass, field

from harness.model.connection import Counters
from harness.model.tls import Ending, TLSVersion

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
RESET_ERRNOS = (32, 104)
"""EPIPE and ECONNRESET on Linux."""

ERROR = re.compile(rb"[0-9A-F]+:error:([0-9A-F]+):(.*)")
ERRNO = re.compile(rb"(?:read|write):errno=(\d+)")
CIPHER = re.compile(rb"(New|Reused), ([^,]+), Cipher is (.+)")
BLOCK = re.compile(rb"(?:(?:read|write) [RWAX] BLOCK|(?:Read|Write) BLOCK(?: \(Async\))?)\Z")
ENCRYPTED_HELLO = re.compile(rb"ECH: .*")
"""s_client 4.0 tells of Encrypted Client Hello after it has told the other facts of the connection."""
VERIFY = re.compile(rb"(?:depth=|verify (?:error|return):)")
PROTOCOLS = {b"\x03\x03": TLSVersion.TLSv1_2, b"\x03\x04": TLSVersion.TLSv1_3}


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

    def _received(self, line: bytes) -> None:
        self.data.append(line + b"\n")
        self.got_data = True

    def _is_error(self, line: bytes) -> bool:
        """Whether the line is one of an error queue or an errno, and if so what it says of the end."""
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


@dataclass
class ClientOutput(Output):
    """One run of s_client, which is one connection: ``feed`` it every line that it printed, in order."""

    tickets: int = 0
    """TLS 1.3 tickets that arrived."""
    renegotiations: int = 0
    """Renegotiations that were begun."""
    closing: bool = False
    """It was asked to close, or the peer closed: from here on it decodes nothing."""
    summary: bool = False
    """The connection's facts are printed to their end; before that no line is data."""
    _in_ticket: bool = False

    def feed(self, line: bytes) -> None:
        """Take the next line, without its newline."""
        if self._is_error(line):
            return
        if line in {b"DONE", b"closed"}:
            self.closing = True
            self.ending = self.ending or (Ending.CLOSE_NOTIFY if line == b"closed" else None)
        elif self.summary:
            self._after_summary(line)
        else:
            self._fact(line)

    def _fact(self, line: bytes) -> None:
        text = line.decode(errors="replace")
        if found := CIPHER.fullmatch(line):
            self.reused = found[1] == b"Reused"
            self.cipher = found[3].decode(errors="replace")
            self.version = next((v for v in TLSVersion if v.label == found[2].decode(errors="replace")), None)
            self.evidence.append(text)
        elif line == b"---" and self.reused is not None:
            self.summary = True
            self.established = not self.trouble and not self.closing
        elif line in {b"Server certificate", b"no peer certificate available"}:
            self.peer_certificate = line == b"Server certificate"
        elif line.startswith(b"ALPN protocol: "):
            self.alpn = text.removeprefix("ALPN protocol: ")
        elif line.startswith(b"Early data was "):
            self.early_data = text.removeprefix("Early data was ").replace(" ", "_")

    def _after_summary(self, line: bytes) -> None:
        if self._in_ticket:
            self._in_ticket = line != b"---"
        elif line.startswith(b"Post-Handshake New Session Ticket"):
            self.tickets += 1
            self._in_ticket = True
        elif line == b"RENEGOTIATING":
            self.renegotiations += 1
        elif line == b"---" or any(own.match(line) for own in (BLOCK, VERIFY, ENCRYPTED_HELLO)):
            pass
        else:
            self._received(line)


STATISTICS = {
    b"items in the session cache": "items",
    b"client connects (SSL_connect())": "connect",
    b"client renegotiates (SSL_connect())": "connect_renegotiate",
    b"client connects that finished": "connect_good",
    b"server accepts (SSL_accept())": "accept",
    b"server renegotiates (SSL_accept())": "accept_renegotiate",
    b"server accepts that finished": "accept_good",
    b"session cache hits": "hits",
    b"session cache misses": "misses",
    b"session cache timeouts": "timeouts",
    b"callback cache hits": "callback_hits",
    b"cache full overflows": "overflows",
}
"""The lines of print_stats in apps/s_server.c, and the counters' names."""
STATISTIC = re.compile(rb" *(\d+) (" + b"|".join(map(re.escape, STATISTICS)) + rb")(?: \((\d+) allowed\))?")


@dataclass
class ServerOutput(Output):
    """One connection of s_server: ``feed`` it every line from the one after CONNECTION CLOSED to the next."""

    closed: bool = False
    """The connection is over and all of it is printed."""
    begun: bool = False
    """Something of this connection was printed."""
    renegotiations: int = 0
    """Renegotiations that were begun at our request."""
    statistics: int = 0
    """How often the counters were printed to their end."""
    _counters: dict[str, int] = field(default_factory=dict)
    _pem: list[bytes] | None = None
    _in_early_data: bool = False

    @property
    def counters(self) -> Counters | None:
        """The counters as they were last printed, None if they were not."""
        return Counters(**self._counters) if self.statistics else None

    def feed(self, line: bytes) -> None:
        """Take the next line, without its newline."""
        self.begun = True
        if self._in_early_data:
            self._in_early_data = line != b"End of early data"
        elif self._is_error(line):
            pass
        elif line == b"CONNECTION CLOSED":
            self.closed = True
        elif line == b"ERROR":
            self.trouble.append("ERROR")
        elif line == b"DONE":
            self.ending = self.ending or Ending.CLOSE_NOTIFY
        elif self.established:
            self._after_handshake(line)
        else:
            self._fact(line)
        if self.closed and self.ending is None and self.trouble == ["ERROR"] and self.major >= NEW_CODES:
            # SSL_ERROR_SYSCALL with an empty queue: from 3.0 an EOF is in the queue, so that this is a reset.
            self.ending = Ending.RESET

    def _fact(self, line: bytes) -> None:
        text = line.decode(errors="replace")
        if line == b"-----BEGIN SSL SESSION PARAMETERS-----":
            self._pem = []
        elif line == b"-----END SSL SESSION PARAMETERS-----":
            self.version = protocol_of(b"".join(self._pem or ()))
            self._pem = None
        elif self._pem is not None:
            self._pem.append(line)
        elif line == b"Client certificate":
            self.peer_certificate = True
        elif line.startswith(b"CIPHER is "):
            self.cipher = text.removeprefix("CIPHER is ")
            self.reused = False
            self.peer_certificate = bool(self.peer_certificate)
            self.evidence = [text]
        elif self.cipher is not None:
            self._last_facts(line)
        elif line.startswith(b"ALPN protocols selected: "):
            self.alpn = text.removeprefix("ALPN protocols selected: ")
        elif line == b"Early data received:":
            self._in_early_data = True
            self.early_data = "accepted"
        elif line in {b"No early data received", b"Early data was rejected"}:
            self.early_data = "rejected" if b"rejected" in line else "not_sent"

    def _last_facts(self, line: bytes) -> None:
        """Between the cipher and the note on renegotiation, which each version words otherwise and prints last."""
        if line == b"Reused session-id":
            self.reused = True
            self.evidence.append("Reused session-id")
        elif b"enegotiation" in line:
            self.established = True

    def _after_handshake(self, line: bytes) -> None:
        if found := STATISTIC.fullmatch(line):
            name = STATISTICS[found[2]]
            self._counters[name] = int(found[1])
            if found[3] is not None:
                self._counters["cache_size"] = int(found[3])
                self.statistics += 1
        elif line.startswith(b"SSL_do_handshake -> "):
            self.renegotiations += 1
        elif (
            line in {b"shutting down SSL", b"Renegotiation is DISABLED"} or BLOCK.fullmatch(line) or VERIFY.match(line)
        ):
            pass
        else:
            self._received(line)


def protocol_of(pem: bytes) -> TLSVersion | None:
    """The protocol version in the base64 of an SSL_SESSION: its second INTEGER (SSL_SESSION_ASN1, ssl/ssl_asn1.c)."""
    try:
        der = base64.b64decode(pem)
    except binascii.Error:
        return None
    found = re.search(rb"\A\x30(?:[\x00-\x7f]|[\x81-\x84].{1,4}?)\x02\x01\x01\x02\x02(..)", der, re.DOTALL)
    return PROTOCOLS.get(found[1]) if found else None
