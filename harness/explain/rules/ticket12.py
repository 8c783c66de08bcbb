"""Rules about the tickets of TLS 1.2 (RFC 5077)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.rules.table import When, rule
from harness.model.rule import Level
from harness.model.tls import Role
from harness.model.transcript import SESSION_TICKET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.explain.rules.handshake import Handshake


def _announced(handshake: Handshake) -> bool | None:
    """Whether the ServerHello has session_ticket."""
    return SESSION_TICKET in handshake.answer.extensions if handshake.answer else None


@rule(Role.SERVER, "RFC 5077, 3.3", When.TLS12)
def announced_ticket_sent(handshake: Handshake) -> Iterator[str]:
    """A server whose ServerHello has session_ticket sends a NewSessionTicket."""
    if _announced(handshake) and handshake.completed and handshake.readable and not handshake.tickets:
        yield "wire: the ServerHello has session_ticket, and no NewSessionTicket follows"


@rule(Role.SERVER, "RFC 5077, 3.3", When.TLS12)
def no_ticket_unannounced(handshake: Handshake) -> Iterator[str]:
    """A server whose ServerHello lacks session_ticket sends no NewSessionTicket."""
    if _announced(handshake) is False and handshake.tickets:
        yield "wire: the ServerHello has no session_ticket, and a NewSessionTicket follows"


@rule(Role.SERVER, "RFC 5077, 3.2", When.TLS12)
def ticket_announcement_empty(handshake: Handshake) -> Iterator[str]:
    """A server sends session_ticket with an empty body."""
    if handshake.answer and handshake.answer.session_ticket:
        yield f"wire: session_ticket of the ServerHello has {len(handshake.answer.session_ticket)} bytes"


@rule(Role.SERVER, "RFC 5077, 3.3", When.TLS12)
def ticket_before_change_cipher_spec(handshake: Handshake) -> Iterator[str]:
    """A server sends NewSessionTicket before its change_cipher_spec, and after the client's Finished if it is full."""
    ticket = handshake.place("NewSessionTicket", Role.SERVER)
    if ticket is None:
        return
    change = handshake.place("ChangeCipherSpec", Role.SERVER)
    if change is not None and change < ticket:
        yield "wire: NewSessionTicket comes after the server's change_cipher_spec"
    finished = handshake.place("Finished", Role.CLIENT)
    if handshake.abbreviated is False and finished is not None and finished > ticket:
        yield "wire: NewSessionTicket comes before the client's Finished in a full handshake"


@rule(Role.SERVER, "RFC 5077, 3.4", When.TLS12, Level.SHOULD)
def ticket_with_empty_session_id(handshake: Handshake) -> Iterator[str]:
    """A server that makes a new session and issues a ticket sends an empty session id."""
    if handshake.abbreviated is False and handshake.tickets and handshake.answer and handshake.answer.session_id:
        length = len(handshake.answer.session_id)
        yield f"wire: the ServerHello has a session id of {length} bytes, and a ticket follows"
