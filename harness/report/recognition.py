"""Recognises tickets, session ids and identities of one connection in another.

A long value is shown by its beginning, its end and its length: all tickets of one OpenSSL server begin with the name
of its key (RFC 5077, 4) and differ only at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model.tls import BEFORE_1_3

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model.connection import Connection
    from harness.model.transcript import ClientHello

HALF = 2
"""Bytes shown of the beginning and of the end of a long value."""


def abbreviated(value: bytes) -> str:
    """``9e3d…0202(208)``, with the length in bytes; ``empty``; a short value is whole."""
    if not value:
        return "empty"
    text = value.hex() if len(value) <= 2 * HALF else f"{value[:HALF].hex()}…{value[-HALF:].hex()}"
    return f"{text}({len(value)})"


@dataclass(frozen=True)
class Recognition:
    """What the connections before and after reveal about the values of one connection."""

    connection: Connection
    before: Connection | None = None
    """The connection that the offered session comes from."""
    after: Connection | None = None
    """The connection that offered a session of this one."""

    def ticket_offered(self, ticket: bytes) -> str:
        """Where a ticket in a ClientHello comes from; empty if unknown."""
        if self.before is None:
            return ""
        known = received(self.before)
        if known is None:
            held = (session.get("ticket") for session in (*self.before.sessions, self.before.last_session) if session)
            return f"a ticket of connection {self.before.number}" if ticket in held else ""
        if ticket in known:
            which = f"ticket {known.index(ticket) + 1}" if len(known) > 1 else "the ticket"
            return f"{which} of connection {self.before.number}"
        return f"no ticket of connection {self.before.number}"

    def ticket_received(self, ticket: bytes) -> str:
        """Whether a ticket in a NewSessionTicket was offered later; empty if it was not."""
        return self._offered_later if self.after and ticket in _tickets_offered(self.after) else ""

    def id_offered(self, session_id: bytes) -> str:
        """Where a session id in a ClientHello comes from; empty if unknown, as for a random one (RFC 8446, D.4)."""
        if not session_id:
            return ""
        if self.before and session_id in _ids_given(self.before):
            return f"that of connection {self.before.number}"
        offered = self.connection.offered
        return "the offered session's" if offered and offered.get("session_id") == session_id else ""

    def id_answered(self, session_id: bytes, hello: ClientHello | None) -> str:
        """How a session id in a ServerHello relates to that in the ClientHello, or to one offered later."""
        if hello and hello.session_id:
            return "echoed" if hello.session_id == session_id else "not echoed"
        later = self.after and any(sent.session_id == session_id for sent in self.after.transcript.client_hellos)
        return self._offered_later if later and session_id else ""

    def age(self, identity: bytes, obfuscated: int) -> str:
        """The age that a client states for a TLS 1.3 ticket, in seconds (RFC 8446, 4.2.11.1); empty if unknown."""
        add = self._age_add(identity)
        if add is None:
            return ""
        age = (obfuscated - add) % 2**32
        return f"age {(age if age < 2**31 else age - 2**32) / 1000:g} s"

    def _age_add(self, identity: bytes) -> int | None:
        offered = self.connection.offered
        if offered and offered.get("ticket") == identity:
            age_add = offered.get("age_add")
            return age_add if isinstance(age_add, int) else None
        tickets = (self.before.transcript.tickets if self.before else None) or ()
        return next((ticket.age_add for ticket in tickets if ticket.ticket == identity), None)

    @property
    def _offered_later(self) -> str:
        return f"offered in connection {self.after.number}" if self.after else ""


def received(connection: Connection) -> list[bytes] | None:
    """The tickets that a connection gave to its client, in order; None if they could not be decrypted."""
    tickets = connection.transcript.tickets
    return None if tickets is None else [ticket.ticket for ticket in tickets]


def _tickets_offered(connection: Connection) -> Iterator[bytes]:
    for hello in connection.transcript.client_hellos:
        yield from hello.psk_tickets
        if hello.session_ticket:
            yield hello.session_ticket


def _ids_given(connection: Connection) -> list[bytes]:
    """The session ids that a server sent before TLS 1.3; in TLS 1.3 it is only an echo (RFC 8446, 4.1.3)."""
    return [
        hello.session_id
        for hello in connection.transcript.server_hellos
        if hello.version in BEFORE_1_3 and hello.session_id
    ]
