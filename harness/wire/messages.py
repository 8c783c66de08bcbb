"""Handshake messages other than hellos: tickets, and the fields of others that are worth printing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.model.transcript import EARLY_DATA, NewSessionTicket
from harness.wire.cursor import Cursor
from harness.wire.hellos import ALPN, Extensions, protocols_of
from harness.wire.names import EXTENSIONS, list_of, name_of

if TYPE_CHECKING:
    from collections.abc import Callable

NEW_SESSION_TICKET: Final = 4
ENCRYPTED_EXTENSIONS: Final = 8
CERTIFICATE: Final = 11
KEY_UPDATE: Final = 24


def new_session_ticket(body: bytes, offset: int, *, tls13: bool) -> NewSessionTicket:
    """Read a NewSessionTicket (RFC 8446, 4.6.1; before TLS 1.3 RFC 5077, 3.3); WireFormatError says what is wrong."""
    cursor = Cursor(body, "NewSessionTicket", offset)
    lifetime = cursor.number(4)
    if not tls13:
        ticket = cursor.vector(2)
        cursor.end()
        return NewSessionTicket(lifetime, ticket)
    age_add, nonce, ticket = cursor.number(4), cursor.vector(1), cursor.vector(2)
    extensions = Extensions(cursor)
    cursor.end()
    early = extensions.open(EARLY_DATA).number(4) if EARLY_DATA in extensions else 0
    return NewSessionTicket(lifetime, ticket, age_add, nonce, early)


def _certificate(cursor: Cursor, *, tls13: bool) -> dict[str, str]:
    """How many certificates there are and how long each is (RFC 8446, 4.4.2; RFC 5246, 7.4.2)."""
    if tls13:
        cursor.vector(1)
    entries = cursor.inner(3)
    lengths = []
    while entries.left:
        lengths.append(f"{len(entries.vector(3))} bytes")
        if tls13:
            entries.vector(2)
    cursor.end()
    return {"certificates": ", ".join(lengths) or "none"}


def _encrypted_extensions(cursor: Cursor, *, tls13: bool) -> dict[str, str]:  # noqa: ARG001 - called as its siblings are
    extensions = Extensions(cursor)
    shown = {"extensions": list_of(EXTENSIONS, tuple(extensions.bodies)) or "none"}
    if EARLY_DATA in extensions:
        shown["early_data"] = "accepted"
    if ALPN in extensions:
        shown["alpn"] = ", ".join(protocols_of(extensions.open(ALPN)))
    return shown


def _key_update(cursor: Cursor, *, tls13: bool) -> dict[str, str]:  # noqa: ARG001 - called as its siblings are
    return {"request_update": name_of({0: "update_not_requested", 1: "update_requested"}, cursor.number(1))}


FIELDS: dict[int, Callable[..., dict[str, str]]] = {
    ENCRYPTED_EXTENSIONS: _encrypted_extensions,
    CERTIFICATE: _certificate,
    KEY_UPDATE: _key_update,
}


def fields_of(kind: int, body: bytes, offset: int, *, tls13: bool) -> dict[str, str]:
    """What is worth printing of a message that is neither a hello nor a ticket; most have nothing."""
    read = FIELDS.get(kind)
    return read(Cursor(body, "the message", offset), tls13=tls13) if read else {}
