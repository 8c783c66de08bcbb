"""What Python's ssl lets one see of messages and errors, as the numbers that the protocol wants.

An SSLError has names only; their numbers are in the private ``_ssl.err_names_to_codes``, which was made from OpenSSL's
headers when Python was built. Without it, or for a name that it has not, numbers are null.
"""

from __future__ import annotations

import _ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl

ALERT = 21
"""ContentType alert (RFC 8446, 5.1)."""
HANDSHAKE = 22
NEW_SESSION_TICKET = 4
LIB_SSL = 20
ALERT_REASONS = range(1000, 1256)
"""Reason codes of received alerts: SSL_AD_REASON_OFFSET (openssl/ssl.h) and the alert's number."""


@dataclass
class Messages:
    """What _msg_callback showed of one connection."""

    tickets: int = 0
    alerts: list[dict[str, Any]] = field(default_factory=list)

    def saw(self, direction: str, content: int, kind: int, data: bytes) -> None:
        """Take in one message, decrypted: ``data`` is the whole alert or handshake message."""
        if content == ALERT:
            self.alerts.append({"level": data[0], "number": data[1], "sent": direction == "write"})
        elif content == HANDSHAKE and kind == NEW_SESSION_TICKET:
            self.tickets += 1


def queue_of(error: ssl.SSLError) -> list[dict[str, Any]]:
    """The last entry of OpenSSL's error queue, which is all that Python keeps of it."""
    codes: dict[str, tuple[int, int]] = getattr(_ssl, "err_names_to_codes", {})
    lib, reason = codes.get(error.reason or "", (None, None))
    return [{"lib": lib, "reason": reason, "text": str(error)}]


def is_alert(error: ssl.SSLError) -> bool:
    """Whether the error is a fatal alert of the peer; every name of one has ALERT in it (openssl/sslerr.h)."""
    entry = queue_of(error)[0]
    if entry["lib"] is None:
        return "ALERT_" in (error.reason or "")
    return entry["lib"] == LIB_SSL and entry["reason"] in ALERT_REASONS
