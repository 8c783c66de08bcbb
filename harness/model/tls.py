"""The standard words of session resumption: versions, roles, outcomes, mechanisms, ways to close, alerts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.agent.vocabulary import BEFORE_1_3, DEPRECATED, USUAL_VERSIONS, Role, TLSVersion

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ALERTS",
    "BEFORE_1_3",
    "DEPRECATED",
    "ORDERS",
    "USUAL_VERSIONS",
    "Alert",
    "Close",
    "Ending",
    "Mechanism",
    "Outcome",
    "Role",
    "TLSVersion",
    "sends_last_flight",
]


def sends_last_flight(role: Role, version: TLSVersion | None, *, reused: bool | None) -> bool:
    """Whether this end's handshake is complete before the peer's is (RFC 5246, 7.3; RFC 8446, 2).

    Such an end learns only from what comes afterwards whether its last flight arrived.
    """
    return (role is Role.SERVER) is (version in BEFORE_1_3 and not reused)


class Outcome(StrEnum):
    """The outcome of one connection."""

    FULL = "full"
    """A full handshake; nothing was offered."""
    DECLINED = "declined"
    """A session was offered and the server made a full handshake."""
    RESUMED = "resumed"
    """A session was offered and accepted; all three witnesses say so."""
    ABORTED = "aborted"
    """The handshake failed, or a fatal alert came before any application data."""


class Mechanism(StrEnum):
    """How a session was resumed."""

    SESSION_ID = "session_id"
    """Session id of TLS 1.2 and earlier, state at the server (RFC 5246, 7.3)."""
    SESSION_TICKET = "session_ticket"
    """Ticket of TLS 1.2 and earlier, state at the client (RFC 5077)."""
    PSK = "psk"
    """TLS 1.3 pre_shared_key (RFC 8446, 2.2)."""


class Close(StrEnum):
    """How both ends close a connection; it decides most results."""

    BOTH = "both"
    """The client sends close_notify, the server reads it and answers with its own."""
    CLIENT_ONLY = "client-only"
    """The client sends close_notify; the server ends TCP without one."""
    SERVER_ONLY = "server-only"
    """The server sends close_notify; the client ends TCP without one."""
    EOF = "eof"
    """TCP ends (FIN) towards both ends and nobody sends close_notify."""
    RST = "rst"
    """TCP is reset towards both ends."""
    FREE = "free"
    """Both ends call SSL_free; neither has read on or called SSL_shutdown."""
    SHUTDOWN_FREE = "shutdown-free"
    """Both ends call SSL_shutdown, and SSL_free without reading on."""
    EOF_READ_SHUTDOWN = "eof-read-shutdown"
    """TCP ends; both ends read, which fails, and then call SSL_shutdown."""
    EOF_SHUTDOWN_READ = "eof-shutdown-read"
    """TCP ends; both ends call SSL_shutdown, and then read."""
    RST_READ_SHUTDOWN = "rst-read-shutdown"
    """TCP is reset; both ends read, which fails, and then call SSL_shutdown."""
    RST_SHUTDOWN_READ = "rst-shutdown-read"
    """TCP is reset; both ends call SSL_shutdown, and then read."""
    UNREAD = "unread"
    """The client writes a line and closes TCP with all that the server wrote unread: the server meets a reset."""


ORDERS: Mapping[Close, tuple[str, ...]] = {
    Close.FREE: (),
    Close.SHUTDOWN_FREE: ("shutdown",),
    Close.EOF_READ_SHUTDOWN: ("eof", "read", "shutdown"),
    Close.EOF_SHUTDOWN_READ: ("eof", "shutdown", "read"),
    Close.RST_READ_SHUTDOWN: ("rst", "read", "shutdown"),
    Close.RST_SHUTDOWN_READ: ("rst", "shutdown", "read"),
}
"""The ways to close that are an order of calls, which both ends make before SSL_free."""


class Ending(StrEnum):
    """What an endpoint saw at the end of its input."""

    CLOSE_NOTIFY = "close_notify"
    EOF = "eof"
    RESET = "reset"
    ALERT = "alert"


ALERTS = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    21: "decryption_failed",
    22: "record_overflow",
    30: "decompression_failure",
    40: "handshake_failure",
    41: "no_certificate",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    60: "export_restriction",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_canceled",
    100: "no_renegotiation",
    109: "missing_extension",
    110: "unsupported_extension",
    111: "certificate_unobtainable",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    114: "bad_certificate_hash_value",
    115: "unknown_psk_identity",
    116: "certificate_required",
    120: "no_application_protocol",
}
"""Alert numbers and their names (RFC 8446, 6; IANA TLS Alerts). Numbers are compared, names are printed."""


FATAL = 2
"""The level of an alert that ends its connection (RFC 8446, 6)."""


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it was sent: ``level`` 1 warning or 2 fatal, ``number`` of RFC 8446 section 6, who sent it."""

    number: int
    sender: Role | None
    level: int = FATAL

    @property
    def fatal(self) -> bool:
        """Whether its level is fatal."""
        return self.level == FATAL

    @property
    def name(self) -> str:
        """The RFC's name of the number, or ``alert N`` for one that has none."""
        return ALERTS.get(self.number, f"alert {self.number}")

    def __str__(self) -> str:
        sender = f" sent by the {self.sender}" if self.sender else ""
        return f"{self.name} ({self.number}){sender}"
