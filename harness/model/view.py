"""What one witness saw of one connection, with its evidence."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model.tls import Alert, Ending, TLSVersion


class Witness(StrEnum):
    """One of the three observers of a connection."""

    CLIENT = "client"
    SERVER = "server"
    WIRE = "wire"


class Saw(StrEnum):
    """What a witness says of a handshake. A witness that cannot know says UNKNOWN, never FULL."""

    FULL = "full"
    RESUMED = "resumed"
    ABORTED = "aborted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class View:
    """One witness's account. ``evidence`` holds the very lines, calls or message fields that it rests on."""

    witness: Witness
    saw: Saw
    evidence: tuple[str, ...]
    name: str = ""
    """``stack@build`` of an endpoint, empty for the wire."""
    alert: Alert | None = None
    """The fatal alert that this witness sent or received."""
    tickets: int | None = None
    """How many NewSessionTicket messages it saw, None if it cannot know."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A fact in which an endpoint contradicts the wire."""

    witness: Witness
    """The endpoint."""
    fact: str
    reported: str
    """What it reports, ready to print."""
    shown: str
    """What the wire shows, with the message that shows it."""

    def __str__(self) -> str:
        return f"{self.fact}: the {self.witness} reports {self.reported}; {self.shown}"


@dataclass(frozen=True, slots=True)
class CallbackCall:
    """One call of a server's callback about sessions."""

    call: str
    """Of an external cache ``new``, ``get`` or ``remove``, and ``wait`` if the client-hello callback interrupted the
    handshake; of ticket keys ``encrypt`` or ``decrypt``; of server names ``choose``; of tickets
    ``put`` and ``take`` of application data, and ``ticket`` for a ticket that was read; ``psk`` of an external PSK."""
    subject: bytes
    """The session's id, in TLS 1.3 also its stateful ticket; of a ``wait`` the one in the ClientHello; of ticket keys
    and ``ticket`` the name with which the ticket begins; of ``put`` and ``take`` the data; of a ``choose`` the server
    name; of ``psk`` the identity, in TLS 1.3 also each ticket."""
    result: str
    """Of ``new`` ``copied`` (it returned 0) or ``kept`` (1); of ``remove`` ``removed`` or ``absent``; of ``get`` what
    it returned: a value of the knob ``external_get``, ``absent``, or ``unreadable`` for this OpenSSL; of ticket keys a
    value of the knob ``ticket_encrypts`` or ``ticket_decrypts``, or ``unknown``; of ``choose``
    ``chosen`` or ``kept``; of ``ticket`` a value of the knob ``ticket_use``, ``empty`` or ``no_decrypt``; of
    ``psk`` the generation of callback that gave it, ``key`` or ``session``, or ``unknown``."""

    def __str__(self) -> str:
        text = self.subject.decode("ascii", "replace")
        subject = text if self.call == "choose" or (self.call == "psk" and text.isprintable()) else self.subject.hex()
        return f"{self.call}({subject}) -> {self.result}"


@dataclass(frozen=True, slots=True)
class EndpointReport:
    """Everything that one endpoint reports of a closed connection; None means that the stack cannot know."""

    view: View
    version: TLSVersion | None = None
    cipher: str | None = None
    """OpenSSL's name of the cipher suite."""
    alpn: str | None = None
    external_psk: bytes | None = None
    """The identity of the external PSK of the first handshake (RFC 8446, 2.2; RFC 4279); empty if it had none."""
    server_name: str | None = None
    peer_certificate: bool | None = None
    early_data: str | None = None
    """``accepted``, ``rejected`` or ``not_sent`` (SSL_get_early_data_status)."""
    early_bytes: bytes | None = None
    """The early data that a client wrote or a server read; None where it was to write or read none."""
    new_sessions: int | None = None
    """Calls of a client's new-session callback (SSL_CTX_sess_set_new_cb). Capability.NEW_SESSION_CALLBACK."""
    group: str | None = None
    """The group of this connection's key exchange, not the session's, by IANA's name; empty if it had none.
    Capability.NEGOTIATED_GROUP."""
    peer_temp_key: str | None = None
    """The peer's ephemeral key, ``X25519, 253 bits``; empty if there is none, as of a KEM (SSL_get_peer_tmp_key)."""
    peer_chain: tuple[str, ...] | None = None
    """SHA-256 of each certificate that it holds of its peer's chain, the peer's own first (SSL_get_peer_cert_chain).
    Capability.PEER_CHAIN."""
    ocsp_response: bytes | None = None
    """The stapled OCSP response that a client holds of this connection (SSL_get_tlsext_status_ocsp_resp); empty if it
    has none. Capability.OCSP_RESPONSE."""
    exporter: str | None = None
    """SHA-256 of keying material that it exported (SSL_export_keying_material). Capability.EXPORTER."""
    ending: Ending | None = None
    """What this endpoint read at the end of its input."""
    errors: tuple[str, ...] = ()
    """OpenSSL's error queue as ``lib=20 reason=1080 text``, for people; codes are what is compared."""
    keylog: tuple[str, ...] = ()
    """Lines of NSS key log format (SSL_CTX_set_keylog_callback)."""
    driven: bool = True
    """Whether the harness drives this endpoint; one that it does not drive is not a witness."""
    output: str = ""
    """All that the process printed during this connection."""
    commands: tuple[str, ...] = ()
    """The commands that it ran, in a form that can be pasted into a shell."""
    alerts: tuple[Alert, ...] | None = None
    """Every alert that it sent or received, in order, close_notify included; None if the stack does not report all."""
    reused_at_end: bool | None = None
    """SSL_session_reused after the last handshake; it differs from the first one's only after a renegotiation."""
    callback_calls: tuple[CallbackCall, ...] | None = None
    """The calls of a server's callbacks in this connection, and the removals since the one before, in order; None
    without such callbacks. Capability.CALLBACK_CALLS."""
    extra: Mapping[str, object] = field(default_factory=dict)
    """Further facts by name; documented by the stack that gives them."""
