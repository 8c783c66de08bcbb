"""What Python's ssl shows of messages and errors, as the protocol's numbers.

An SSLError has only names. Until Python 3.11 their numbers are in the private ``_ssl.err_names_to_codes``, made from
OpenSSL's headers when Python was built. Since, they are those whose text OpenSSL's own table has: no text has two.
"""

from __future__ import annotations

import _ssl
import ctypes
import re
import ssl
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from harness.agent.library import Guard, reason_numbers

ALERT = 21
"""ContentType alert (RFC 8446, 5.1)."""
HANDSHAKE = 22
NEW_SESSION_TICKET = 4
DER = 2
"""ENCODING_DER of Modules/_ssl/cert.c."""
LIB_SSL = 20
LAST_COMMON = 99
"""The last number that all libraries of OpenSSL have in common."""
ALERT_REASONS = range(1000, 1256)
"""Reason codes of received alerts: SSL_AD_REASON_OFFSET (openssl/ssl.h) and the alert's number."""


GUARD = Guard()
"""The exceptions of the callbacks, which Python only prints."""
SINCE_3_0 = 0x30000000
TEXT = re.compile(r"\] ([^:]*)(?:: .*)? \(_ssl\.c:\d+\)$")
"""What an SSLError says last: OpenSSL's text, of a certificate also why it is not valid, and a line of _ssl.c."""


@cache
def _numbers() -> dict[str, int]:
    """The reason codes of ERR_LIB_SSL by the texts of Python's OpenSSL, which it loads with its first context."""
    since_3_0 = ssl.OPENSSL_VERSION_NUMBER >= SINCE_3_0
    shift = 23 if since_3_0 else 24
    try:
        say = ctypes.CDLL(getattr(_ssl, "__file__", None)).ERR_reason_error_string
    except (OSError, AttributeError):
        return {}
    say.restype, say.argtypes = ctypes.c_char_p, [ctypes.c_ulong]
    numbers = (number for number in reason_numbers(since_3_0=since_3_0) if number > LAST_COMMON)
    found = ((say(LIB_SSL << shift | number), number) for number in numbers)
    return {text.decode(): number for text, number in found if text}


@dataclass
class Messages:
    """What _msg_callback showed of one connection."""

    tickets: int = 0
    alerts: list[dict[str, Any]] = field(default_factory=list)

    def saw(self, direction: str, content: int, kind: int, data: bytes) -> None:
        """Record one decrypted message: ``data`` is the whole alert or handshake message."""
        if content == ALERT:
            self.alerts.append({"level": data[0], "number": data[1], "sent": direction == "write"})
        elif content == HANDSHAKE and kind == NEW_SESSION_TICKET:
            self.tickets += 1


def queue_of(error: ssl.SSLError) -> list[dict[str, Any]]:
    """Return the last entry of OpenSSL's error queue; Python keeps no other."""
    codes: dict[str, tuple[int, int]] = getattr(_ssl, "err_names_to_codes", {})
    lib, reason = codes.get(error.reason or "", (None, None))
    text = TEXT.search(str(error)) if reason is None and error.library == "SSL" else None
    if text is not None and text[1] in _numbers():
        lib, reason = LIB_SSL, _numbers()[text[1]]
    return [{"lib": lib, "reason": reason, "text": str(error)}]


def chain_of(tls: ssl.SSLObject) -> list[bytes]:
    """The DER of each certificate that it holds of the peer's chain, its own first (SSL_get_peer_cert_chain).

    SSLObject.get_unverified_chain came with Python 3.13; the object below it has had the method since 3.10. At a server
    it puts the peer's own certificate first, and None where the client was asked for one and has none; it is None where
    there is no chain, as after a ticket, although the server holds the client's own certificate.
    """
    below = getattr(tls, "_sslobj")  # noqa: B009 - see above
    chain = [certificate.public_bytes(DER) for certificate in below.get_unverified_chain() or [] if certificate]
    own = tls.getpeercert(binary_form=True) if tls.server_side and not chain else None
    return chain if own is None else [own]


def is_alert(error: ssl.SSLError) -> bool:
    """Return whether the error is a fatal alert from the peer: those names all contain ALERT (openssl/sslerr.h)."""
    entry = queue_of(error)[0]
    if entry["lib"] is None:
        return "ALERT_" in (error.reason or "")
    return entry["lib"] == LIB_SSL and entry["reason"] in ALERT_REASONS
