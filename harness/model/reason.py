"""The reasons why a session was not offered, was declined, aborted the handshake, or was resumed with a caveat."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Question(StrEnum):
    """What is asked about a connection, by its outcome."""

    NOT_OFFERED = "not_offered"
    """Why a full handshake, though an earlier connection could have yielded a session to offer?"""
    DECLINED = "declined"
    """Why did the server decline the session?"""
    ABORTED = "aborted"
    """Why was the handshake aborted?"""
    RESUMED_BUT = "resumed_but"
    """What differs from the full handshake, or was not checked again?"""
    PSK_NOT_USED = "psk_not_used"
    """Why did the server make a full handshake without the client's external PSK?"""


class Reason(StrEnum):
    """An answer to one question about a connection. The value is its name in JSON."""

    question: Question
    meaning: str
    """One sentence, which the documentation shows."""

    def __new__(cls, name: str, question: Question, meaning: str) -> Self:
        """Make a member of the name, what it answers, and what it means."""
        made = str.__new__(cls, name)
        made._value_ = name
        made.question = question
        made.meaning = meaning
        return made

    NO_SESSION = (
        "no_session",
        Question.NOT_OFFERED,
        "The client was given no session, though an earlier connection yielded one (SSL_set_session).",
    )
    NO_TICKET_YET = (
        "no_ticket_yet",
        Question.NOT_OFFERED,
        "TLS 1.3: the session was taken before the client had read a NewSessionTicket.",
    )
    NO_TICKET_SENT = "no_ticket_sent", Question.NOT_OFFERED, "The server sent neither a ticket nor a session id."
    TICKET_TAKEN_OUT = (
        "ticket_taken_out",
        Question.NOT_OFFERED,
        "The session had a ticket when it was issued, and has none any more.",
    )
    TICKET_DISCARDED = (
        "ticket_discarded",
        Question.NOT_OFFERED,
        "TLS 1.2: the client keeps no ticket, although its server sent one (RFC 5077, 3.3).",
    )
    NOT_RESUMABLE = (
        "not_resumable",
        Question.NOT_OFFERED,
        "SSL_SESSION_is_resumable says no: no close_notify, a fatal alert, or the session was used before.",
    )
    EXPIRED_AT_CLIENT = (
        "expired_at_client",
        Question.NOT_OFFERED,
        "The session is older than the ticket's lifetime or the client's own timeout.",
    )
    VERSION_NOT_ENABLED = (
        "version_not_enabled",
        Question.NOT_OFFERED,
        "The client does not enable the session's protocol version.",
    )
    CIPHER_NOT_ENABLED = (
        "cipher_not_enabled",
        Question.NOT_OFFERED,
        "The client does not enable the session's cipher (TLS 1.2), or any cipher suite with its hash (TLS 1.3).",
    )
    UNREADABLE = "unreadable", Question.NOT_OFFERED, "The client's build cannot read the session (d2i_SSL_SESSION)."
    NOT_OFFERED_UNKNOWN = (
        "not_offered_unknown",
        Question.NOT_OFFERED,
        "The session was not offered, and no evidence says why.",
    )

    TICKET_KEY_UNKNOWN = (
        "ticket_key_unknown",
        Question.DECLINED,
        "The server has no key for the ticket: it was restarted, is another one, or its keys were rotated.",
    )
    TICKET_DAMAGED = "ticket_damaged", Question.DECLINED, "The offered ticket differs from the one that was issued."
    TICKET_UNREADABLE = (
        "ticket_unreadable",
        Question.DECLINED,
        "The server decrypts the ticket, and its OpenSSL is too old to read the session in it.",
    )
    TICKET_IGNORED = (
        "ticket_ignored",
        Question.DECLINED,
        "The server reads the ticket, and its callback ignores the session (SSL_CTX_set_session_ticket_cb).",
    )
    EXPIRED_AT_SERVER = (
        "expired_at_server",
        Question.DECLINED,
        "The session is older than the timeout that the server gave it.",
    )
    NOT_IN_CACHE = (
        "not_in_cache",
        Question.DECLINED,
        "The cache does not have it: never stored, evicted, flushed, dropped after an unclean close, another one's.",
    )
    SESSION_ID_CONTEXT_DIFFERS = (
        "session_id_context_differs",
        Question.DECLINED,
        "The session belongs to another session id context.",
    )
    CIPHER_DIFFERS = (
        "cipher_differs",
        Question.DECLINED,
        "TLS 1.3: the server chose a cipher suite of another hash. (OpenSSL resumes TLS 1.2 with any cipher.)",
    )
    EXTENDED_MASTER_SECRET_ADDED = (
        "extended_master_secret_added",
        Question.DECLINED,
        "The session was made without extended master secret, which both ends now use (RFC 7627).",
    )
    VERSION_DIFFERS = (
        "version_differs",
        Question.DECLINED,
        "The server negotiated another protocol version than the session's.",
    )
    NO_PSK_MODE = "no_psk_mode", Question.DECLINED, "The server accepts none of the client's psk_key_exchange_modes."
    CONSUMED = "consumed", Question.DECLINED, "The session can be used once (anti-replay), and it was used before."
    LOOKUP_OFF = (
        "lookup_off",
        Question.DECLINED,
        "The server does not look into its cache (SSL_SESS_CACHE_NO_INTERNAL_LOOKUP).",
    )
    RETRY_CHANGED_HASH = (
        "retry_changed_hash",
        Question.DECLINED,
        "After a HelloRetryRequest the session's hash was not the handshake's any more.",
    )
    RETRY_CHANGED_OFFER = (
        "retry_changed_offer",
        Question.DECLINED,
        "After a HelloRetryRequest the client offered no PSK, or another one than before it.",
    )
    DECLINED_UNKNOWN = (
        "declined_unknown",
        Question.DECLINED,
        "The server declined the session, but no evidence says why.",
    )

    SESSION_ID_CONTEXT_UNSET = (
        "session_id_context_unset",
        Question.ABORTED,
        "The server verifies its clients and has no session id context.",
    )
    EXTENDED_MASTER_SECRET_DROPPED = (
        "extended_master_secret_dropped",
        Question.ABORTED,
        "The session was made with extended master secret, which one end does not use now (RFC 7627).",
    )
    MAX_FRAGMENT_LENGTH_CHANGED = (
        "max_fragment_length_changed",
        Question.ABORTED,
        "The client asks for another maximum fragment length than the session's (RFC 6066).",
    )
    BINDER_WRONG = (
        "binder_wrong",
        Question.ABORTED,
        "The PSK binder does not verify: both ends hold different secrets for the same ticket.",
    )
    SECRET_DIFFERS = (
        "secret_differs",
        Question.ABORTED,
        "TLS 1.2: the server resumed the session, and both ends hold different secrets for it.",
    )
    TICKET_TOO_LARGE = (
        "ticket_too_large",
        Question.ABORTED,
        "A ticket is larger than an end takes: a client before OpenSSL 1.1.1l, or a server before 1.1.0.",
    )
    SESSION_TOO_LARGE = (
        "session_too_large",
        Question.ABORTED,
        "The session, with the client's certificate in it, is larger than a ticket can be: 65280 bytes with OpenSSL.",
    )
    CERTIFICATE_REJECTED = (
        "certificate_rejected",
        Question.ABORTED,
        "An end has no certificate that the other one accepts.",
    )
    NO_COMMON_VERSION = "no_common_version", Question.ABORTED, "The ends enable no common protocol version."
    CIPHER_REJECTED = "cipher_rejected", Question.ABORTED, "The ends enable no common cipher suite that they can use."
    KEY_EXCHANGE_FAILED = (
        "key_exchange_failed",
        Question.ABORTED,
        "The ends have no common group, or a key is not valid.",
    )
    SIGNATURE_REJECTED = (
        "signature_rejected",
        Question.ABORTED,
        "A signature does not verify, or the ends have no common signature algorithm.",
    )
    SESSION_REJECTED = (
        "session_rejected",
        Question.ABORTED,
        "An end does not accept the session, its id or its parameters, and aborts.",
    )
    EARLY_DATA_ABORTED = (
        "early_data_aborted",
        Question.ABORTED,
        "Early data that may not be sent with this session, or too much of it, aborts the handshake.",
    )
    TICKET_CALLBACK_FAILED = (
        "ticket_callback_failed",
        Question.ABORTED,
        "A server's callback for ticket keys fails or sets a cipher without padding, or one for read tickets aborts.",
    )
    EXTENSION_REJECTED = (
        "extension_rejected",
        Question.ABORTED,
        "An end does not accept an extension of the other one, or misses one.",
    )
    NO_COMMON_ALPN = (
        "no_common_alpn",
        Question.ABORTED,
        "The server has none of the client's ALPN protocols (RFC 7301).",
    )
    EXTERNAL_PSK_FAILED = (
        "external_psk_failed",
        Question.ABORTED,
        "A pre-shared key or SRP user is unknown or not valid; it does not come from a session.",
    )
    PSK_KEY_DIFFERS = (
        "psk_key_differs",
        Question.ABORTED,
        "The ends have different keys for the external PSK of this identity.",
    )
    PSK_IDENTITY_UNKNOWN = (
        "psk_identity_unknown",
        Question.ABORTED,
        "The server has no external PSK of this identity, and nothing else to authenticate with.",
    )
    MESSAGE_UNEXPECTED = (
        "message_unexpected",
        Question.ABORTED,
        "A message came at a place where the protocol does not allow it.",
    )
    MESSAGE_MALFORMED = "message_malformed", Question.ABORTED, "A message has a wrong length or a value out of range."
    RECORD_UNREADABLE = (
        "record_unreadable",
        Question.ABORTED,
        "A record cannot be decrypted, or a Finished does not verify.",
    )
    RENEGOTIATION_REFUSED = (
        "renegotiation_refused",
        Question.ABORTED,
        "An end does not allow renegotiation, or not without RFC 5746.",
    )
    COMPRESSION_FAILED = "compression_failed", Question.ABORTED, "TLS compression is refused, or fails."
    PEER_WENT_AWAY = (
        "peer_went_away",
        Question.ABORTED,
        "An end closed the connection, or did not answer, before the handshake ended.",
    )
    TRANSPORT_FAILED = "transport_failed", Question.ABORTED, "QUIC, DTLS or SRTP failed below the handshake."
    NOT_TLS = "not_tls", Question.ABORTED, "One end does not speak TLS on this port, or a version that is not known."
    END_MISCONFIGURED = (
        "end_misconfigured",
        Question.ABORTED,
        "A setting, a callback or a call of the application makes the handshake fail.",
    )
    LIBRARY_FAILED = (
        "library_failed",
        Question.ABORTED,
        "OpenSSL failed for a reason of its own: memory, a provider, a bug.",
    )
    BLOCKED = "blocked", Question.ABORTED, "A middlebox between the ends blocked the connection; it sends no alert."
    ALERT = (
        "alert",
        Question.ABORTED,
        "A fatal alert whose sender reports no reason code; the finding says what the alert means.",
    )
    ABORTED_UNKNOWN = (
        "aborted_unknown",
        Question.ABORTED,
        "The handshake ended without an alert, and no evidence says why.",
    )

    OTHER_SERVER_NAME = (
        "other_server_name",
        Question.RESUMED_BUT,
        "The client asked for another server name than in the full handshake.",
    )
    OTHER_ALPN = (
        "other_alpn",
        Question.RESUMED_BUT,
        "The server chose another ALPN protocol than in the full handshake.",
    )
    PEER_NOT_VERIFIED_AGAIN = (
        "peer_not_verified_again",
        Question.RESUMED_BUT,
        "The peer's certificate would not verify now, and a resumption does not ask.",
    )
    CLIENT_CERTIFICATE_NOT_ASKED = (
        "client_certificate_not_asked",
        Question.RESUMED_BUT,
        "The server asks for client certificates, and resumed a session without one.",
    )
    PAST_LIFETIME = (
        "past_lifetime",
        Question.RESUMED_BUT,
        "The session is older by its client's clock than its server said that it lasts.",
    )
    EARLY_DATA_REFUSED = (
        "early_data_refused",
        Question.RESUMED_BUT,
        "The server resumed the session and refused its early data.",
    )

    PSK_NOT_KNOWN = (
        "psk_not_known",
        Question.PSK_NOT_USED,
        "TLS 1.3: the server has no external PSK of this identity, and ignores it.",
    )
    PSK_HASH_DIFFERS = (
        "psk_hash_differs",
        Question.PSK_NOT_USED,
        "TLS 1.3: the server chose a cipher suite of another hash than the external PSK's.",
    )
    PSK_NOT_USED_UNKNOWN = (
        "psk_not_used_unknown",
        Question.PSK_NOT_USED,
        "The server did not use the external PSK, and no evidence says why.",
    )


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason with its evidence."""

    reason: Reason
    title: str
    """The reason in one sentence, with the names and numbers of this connection."""
    evidence: tuple[str, ...]
    """The observations that support it: messages, counters, fields, knobs; one fact each."""
    remedy: str
    """The change that would remove it."""
    source: str = ""
    """The RFC section, man page or OpenSSL function that makes it so."""
    tell_apart: str = ""
    """The check that would confirm it among the other findings; empty if it is the only one."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer for one connection: its findings, the most likely first; several if several fit the evidence.

    For ``RESUMED_BUT`` all of them hold, as they do not exclude each other.
    """

    question: Question
    findings: tuple[Finding, ...]

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The findings' reasons, in order."""
        return tuple(finding.reason for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Limit:
    """How old a session may be for one end, in seconds."""

    age: int | None
    """Its age by this end's clock when it was resumed; None if unknown."""
    first_expired: int | None
    """The least age at which this end does not resume it; None if none is too old, or if unknown."""
    why: str
    """The rule, with its source; empty if unknown."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """When the session of a resumed connection expires, at each end."""

    client: Limit
    server: Limit
    copy: int = 0
    """Seconds by which the client's copy alone was made older."""

    @property
    def first(self) -> tuple[str, int] | None:
        """The end that is the first not to resume it, with the least such age there; None if neither end's is known."""
        ends = (("client", self.client), ("server", self.server))
        left = [
            (limit.first_expired - (limit.age or 0), name, limit.first_expired)
            for name, limit in ends
            if limit.first_expired is not None
        ]
        return min(left, key=lambda end: end[0])[1:] if left else None
