"""What a handshake negotiated, from the wire, or from an end's report: version, ALPN, tickets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.errors import DisagreementError, WireFormatError
from harness.model.tls import BEFORE_1_3, Outcome, TLSVersion
from harness.wire.cursor import Cursor
from harness.wire.hellos import ALPN, protocols_of

if TYPE_CHECKING:
    from harness.model.connection import Connection
    from harness.model.session import Session
    from harness.model.transcript import ClientHello, ServerHello


def answer_of(connection: Connection) -> ServerHello | None:
    """The first ServerHello that is not a HelloRetryRequest."""
    return next((hello for hello in connection.transcript.server_hellos if not hello.hello_retry_request), None)


def asked_of(connection: Connection) -> ClientHello | None:
    """The first ClientHello."""
    return next(iter(connection.transcript.client_hellos), None)


def version_of(connection: Connection) -> TLSVersion | None:
    """The protocol version."""
    answer = answer_of(connection)
    return answer.version if answer else connection.client.version or connection.server.version


def alpn_of(connection: Connection) -> str | None:
    """The protocol that the server chose, empty if none; None if unknown.

    It is in the ServerHello, or in TLS 1.3 in EncryptedExtensions, which must be decrypted (RFC 7301, 3.1).
    """
    chosen = alpn_on_wire(connection)
    return (connection.client.alpn or connection.server.alpn) if chosen is None else chosen


def alpn_on_wire(connection: Connection) -> str | None:
    """The same by the messages alone."""
    answer = answer_of(connection)
    if answer is not None and answer.version is not TLSVersion.TLSv1_3:
        return _first(answer.extensions[ALPN]) if ALPN in answer.extensions else ""
    for message in connection.transcript.messages:
        if message.type == "EncryptedExtensions" and message.fields:
            return message.fields.get("alpn", "")
    return None


def alpn_text(connection: Connection) -> str:
    """Which protocol the server chose, with the witness that shows it."""
    chosen = alpn_on_wire(connection)
    if chosen is not None:
        return f"wire: the server chose {chosen or 'none'} in connection {connection.number}"
    witness = "client" if connection.client.alpn else "server"
    return f"{witness}: the ALPN protocol is {alpn_of(connection) or 'none'} in connection {connection.number}"


def _first(body: bytes) -> str | None:
    try:
        return next(iter(protocols_of(Cursor(body, "extension ALPN", 0))), "")
    except WireFormatError:
        return None


def enabled_versions(hello: ClientHello) -> frozenset[TLSVersion]:
    """The versions, among those of the harness, that a ClientHello names (RFC 8446, 4.2.1): an old one the highest."""
    if hello.supported_versions:
        return frozenset(version for version in TLSVersion if version.wire in hello.supported_versions)
    return frozenset(v for v in TLSVersion if hello.legacy_version == v.wire)


def version_named(hello: ClientHello | None) -> TLSVersion | None:
    """The version in the legacy_version of a ClientHello, that of an offer of which nothing else shows it."""
    return next((version for version in TLSVersion if hello and hello.legacy_version == version.wire), None)


def completed(connection: Connection) -> bool:
    """Whether the witnesses agree that its handshake completed."""
    try:
        return connection.observed_outcome() is not Outcome.ABORTED
    except DisagreementError:
        return False


def holds(session: Session, version: TLSVersion | None = None) -> bool | None:
    """Whether the session has a ticket or a session id; None if unknown.

    ``version`` is its connection's, for a session whose own is unknown.
    """
    version = version if session.get("version") is None else session.version
    if session.get("has_ticket"):
        return True
    if session.get("has_ticket") is not None and version is TLSVersion.TLSv1_3:
        return False
    if session.get("has_ticket") is not None and session.get("session_id") is not None:
        return bool(session.session_id)
    return bool(session.resumable) if session.get("resumable") is not None else None


def gave(connection: Connection) -> bool | None:
    """Whether the server sent a ticket or a session id; None if unknown."""
    answer, (client, wire) = answer_of(connection), connection.ticket_counts()
    if answer is not None and answer.version in BEFORE_1_3:
        return bool(answer.session_id or any(ticket.ticket for ticket in connection.transcript.tickets or ()))
    counted = {count > 0 for count in (client, wire) if count is not None}
    return counted.pop() if len(counted) == 1 else None
