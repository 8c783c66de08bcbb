"""Reads the facts of one connection from the output of s_server."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field

from harness.model.connection import Counters
from harness.model.tls import Ending, TLSVersion
from harness.stacks.openssl.output import ERROR, NEW_CODES, VERIFY, WAITS, Output

EARLY_DATA_ENDS = b"Error reading early data"
"""What s_server prints behind early data that it could not read to the end, on the same line."""
PROTOCOLS = {version.wire.to_bytes(2, "big"): version for version in TLSVersion}
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
"""The lines of print_stats in apps/s_server.c, with the name of each counter."""
STATISTIC = re.compile(rb" *(\d+) (" + b"|".join(map(re.escape, STATISTICS)) + rb")(?: \((\d+) allowed\))?")


@dataclass
class ServerOutput(Output):
    """One connection of s_server: pass every line up to and including CONNECTION CLOSED to ``feed``."""

    datagrams: bool = False
    """Whether UDP carries it."""
    closed: bool = False
    """The connection is closed and fully printed."""
    begun: bool = False
    """At least one line of this connection was printed."""
    renegotiations: int = 0
    """Renegotiations, and requests for a certificate, that were started with the commands r and c."""
    refused_requests: int = 0
    """Requests for a certificate that OpenSSL refused."""
    statistics: int = 0
    """How often the counters were printed completely."""
    _counters: dict[str, int] = field(default_factory=dict)
    _pem: list[bytes] | None = None
    _in_early_data: bool = False
    early_bytes: bytes | None = None
    """The early data that was read, None if this server reads none."""

    @property
    def counters(self) -> Counters | None:
        """Return the counters as last printed, or None."""
        return Counters(**self._counters) if self.statistics else None

    def feed(self, line: bytes) -> None:
        """Take the next line, without its newline."""
        self.begun = True
        self._in_early_data = self._in_early_data and not self._broken_off(line)
        if self._in_early_data:
            self._early_data(line)
        elif self.is_error(line):
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
            # SSL_ERROR_SYSCALL with an empty queue: since 3.0 the queue reports an EOF, of datagrams since 3.2.
            self.ending = Ending.EOF if self.datagrams else Ending.RESET

    def _broken_off(self, line: bytes) -> bool:
        """Whether early data ends here without its last line, since it could not be read to its end."""
        return ERROR.fullmatch(line) is not None or line in {b"ERROR", b"shutting down SSL", b"CONNECTION CLOSED"}

    def _early_data(self, line: bytes) -> None:
        self._in_early_data = line != b"End of early data" and not line.endswith(EARLY_DATA_ENDS)
        if line != b"End of early data":
            self.early_bytes = b"\n".join(filter(None, [self.early_bytes, line.removesuffix(EARLY_DATA_ENDS)]))

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
            self.early_bytes = b""

    def _last_facts(self, line: bytes) -> None:
        """Read a line between the cipher and the note on renegotiation, the last fact, which differs by version."""
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
        elif line == b"Failed to initiate request":
            self.refused_requests += 1
        elif (
            line in {b"shutting down SSL", b"Renegotiation is DISABLED"} or WAITS.fullmatch(line) or VERIFY.match(line)
        ):
            pass
        else:
            self.received(line)


def protocol_of(pem: bytes) -> TLSVersion | None:
    """Return the protocol version of a base64 SSL_SESSION, its second INTEGER (SSL_SESSION_ASN1, ssl/ssl_asn1.c)."""
    try:
        der = base64.b64decode(pem)
    except binascii.Error:
        return None
    found = re.search(rb"\A\x30(?:[\x00-\x7f]|[\x81-\x84].{1,4}?)\x02\x01\x01\x02(?:\x02|\x03\0)(..)", der, re.DOTALL)
    return PROTOCOLS.get(found[1]) if found else None
