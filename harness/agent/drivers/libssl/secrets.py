"""The key log of releases before 1.1.1, which have no SSL_CTX_set_keylog_callback.

TLS 1.2 needs one line per handshake. It is written at the first Finished message: by then the ClientHello has shown
the client's random, and the session has its master secret (RFC 5246, 8.1). This also holds in a renegotiation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.agent.drivers.libssl.sessions import export

if TYPE_CHECKING:
    from harness.agent.drivers.libssl.native import Native

CLIENT_HELLO, FINISHED = 1, 20
RANDOM = slice(6, 38)
"""Offset of the random in a ClientHello: after type, length and version (RFC 5246, 7.4.1.2)."""
FRAGMENT = 8
"""Bytes that the header of a DTLS message has more: its number and its place (RFC 6347, 4.2.2)."""
OCTET_STRING = 0x04
LONG_FORM = 0x80
BEFORE_MASTER_KEY = 2
"""Octet strings before the master key in the DER of an SSL_SESSION: cipher and session id (ssl/ssl_asn1.c)."""


class SecretsOfMessages:
    """Collects the secrets of one connection from its handshake messages."""

    def __init__(self, native: Native) -> None:
        self._native = native
        self._random = b""
        self.datagrams = False
        """Whether the messages are those of DTLS."""

    def line(self, ssl: Any, message: Any, size: int) -> str | None:
        """Return the key log line (NSS Key Log Format) if this message completes it."""
        kind = self._native.ffi.buffer(message, 1)[0][0]
        skipped = FRAGMENT if self.datagrams else 0
        if kind == CLIENT_HELLO and size >= skipped + RANDOM.stop:
            self._random = self._native.ffi.buffer(message, skipped + RANDOM.stop)[skipped:][RANDOM]
        if kind != FINISHED or not self._random:
            return None
        exported = export(self._native, self._native.ssl.SSL_get_session(ssl))
        random, self._random = self._random, b""
        if exported is None:
            return None
        return f"CLIENT_RANDOM {random.hex()} {master_key(bytes.fromhex(exported['der'])).hex()}"


def master_key(der: bytes) -> bytes:
    """Return the master key in the DER of an SSL_SESSION: its third octet string."""
    strings = 0
    place = _content(der, 0)[0]
    while place < len(der):
        start, end = _content(der, place)
        if der[place] == OCTET_STRING:
            if strings == BEFORE_MASTER_KEY:
                return der[start:end]
            strings += 1
        place = end
    return b""


def _content(der: bytes, place: int) -> tuple[int, int]:
    """Return where the content of the DER element at an offset begins and ends (X.690, 8.1.3)."""
    length, start = der[place + 1], place + 2
    if length & LONG_FORM:
        start += length & ~LONG_FORM
        length = int.from_bytes(der[place + 2 : start], "big")
    return start, start + length
