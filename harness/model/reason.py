"""Why a session was not offered, was declined, aborted the handshake, or was resumed with a catch; as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Question(StrEnum):
    """What is to be explained of a connection."""

    NOT_OFFERED = "not_offered"
    """A full handshake, where an earlier connection might have given a session to offer."""
    DECLINED = "declined"
    ABORTED = "aborted"
    RESUMED_BUT = "resumed_but"
    """Resumed, and something is not as it was in the full handshake, or was not checked again."""


class Reason(StrEnum):
    """A reason, by the name under which it stands in JSON."""

    question: Question

    def __new__(cls, name: str, question: Question) -> Self:
        """Each reason answers one question."""
        made = str.__new__(cls, name)
        made._value_ = name
        made.question = question
        return made

    NO_SESSION = "no_session", Question.NOT_OFFERED
    """Nothing was given to the client to offer, though a session could have been taken (API use)."""
    NO_TICKET_YET = "no_ticket_yet", Question.NOT_OFFERED
    """TLS 1.3: the session was taken before a NewSessionTicket had been read."""
    NO_TICKET_SENT = "no_ticket_sent", Question.NOT_OFFERED
    """The peer sent neither a ticket nor a session id."""
    NOT_RESUMABLE = "not_resumable", Question.NOT_OFFERED
    """SSL_SESSION_is_resumable says no: unclean close, EOF, freed without shutdown, used before."""
    EXPIRED_AT_CLIENT = "expired_at_client", Question.NOT_OFFERED
    """By the client's own timeout, or by the lifetime hint."""
    VERSION_NOT_ENABLED = "version_not_enabled", Question.NOT_OFFERED
    CIPHER_NOT_ENABLED = "cipher_not_enabled", Question.NOT_OFFERED
    """TLS 1.2: its cipher; TLS 1.3: no enabled cipher suite has its hash."""
    UNREADABLE = "unreadable", Question.NOT_OFFERED
    """The client's build cannot read it (d2i_SSL_SESSION)."""
    NOT_OFFERED_UNKNOWN = "not_offered_unknown", Question.NOT_OFFERED

    TICKET_KEY_UNKNOWN = "ticket_key_unknown", Question.DECLINED
    """A restart, another server, rotated keys."""
    TICKET_DAMAGED = "ticket_damaged", Question.DECLINED
    TICKET_UNREADABLE = "ticket_unreadable", Question.DECLINED
    """Whole, and of a known key, but an older OpenSSL cannot read the session that a newer one put in."""
    EXPIRED_AT_SERVER = "expired_at_server", Question.DECLINED
    NOT_IN_CACHE = "not_in_cache", Question.DECLINED
    """Evicted, flushed, removed, never stored, dropped after an unclean close, another server's."""
    SESSION_ID_CONTEXT_DIFFERS = "session_id_context_differs", Question.DECLINED
    CIPHER_DIFFERS = "cipher_differs", Question.DECLINED
    """TLS 1.3: the server chose a cipher suite of another hash. OpenSSL resumes TLS 1.2 with whatever cipher."""
    EXTENDED_MASTER_SECRET_ADDED = "extended_master_secret_added", Question.DECLINED
    VERSION_DIFFERS = "version_differs", Question.DECLINED
    NO_PSK_MODE = "no_psk_mode", Question.DECLINED
    CONSUMED = "consumed", Question.DECLINED
    """Anti-replay, single use."""
    LOOKUP_OFF = "lookup_off", Question.DECLINED
    """SSL_SESS_CACHE_NO_INTERNAL_LOOKUP. (A cache that stores nothing is looked at, and misses: NOT_IN_CACHE.)"""
    RETRY_CHANGED_HASH = "retry_changed_hash", Question.DECLINED
    """After HelloRetryRequest the session's hash was no longer the handshake's."""
    DECLINED_UNKNOWN = "declined_unknown", Question.DECLINED

    SESSION_ID_CONTEXT_UNSET = "session_id_context_unset", Question.ABORTED
    """A server that verifies, and no session id context."""
    EXTENDED_MASTER_SECRET_DROPPED = "extended_master_secret_dropped", Question.ABORTED
    MAX_FRAGMENT_LENGTH_CHANGED = "max_fragment_length_changed", Question.ABORTED
    BINDER_WRONG = "binder_wrong", Question.ABORTED
    BLOCKED = "blocked", Question.ABORTED
    """By a middlebox between both ends, which sends no alert."""
    ALERT = "alert", Question.ABORTED
    """Any other alert, told by number, sender and place."""
    ABORTED_UNKNOWN = "aborted_unknown", Question.ABORTED

    OTHER_SERVER_NAME = "other_server_name", Question.RESUMED_BUT
    OTHER_ALPN = "other_alpn", Question.RESUMED_BUT
    PEER_NOT_VERIFIED_AGAIN = "peer_not_verified_again", Question.RESUMED_BUT
    CLIENT_CERTIFICATE_NOT_ASKED = "client_certificate_not_asked", Question.RESUMED_BUT
    EARLY_DATA_REFUSED = "early_data_refused", Question.RESUMED_BUT


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason, with what it rests on."""

    reason: Reason
    title: str
    """The reason in one sentence, with the names and numbers of this very connection."""
    evidence: tuple[str, ...]
    """What was seen that speaks for it: messages, counters, fields, knobs; one fact each."""
    remedy: str
    """What would change it."""
    source: str = ""
    """The RFC section, man page or OpenSSL function that makes it so."""
    tell_apart: str = ""
    """What would tell it from the other findings; empty if it is the only one."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer for one connection: findings in order, the most likely first; several only if evidence leaves several.

    For ``RESUMED_BUT`` each finding holds, for they do not exclude each other.
    """

    question: Question
    findings: tuple[Finding, ...]

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """The findings' reasons, in order."""
        return tuple(finding.reason for finding in self.findings)
