"""The sessions that a server gave its client, and the one that a client offers, as far as the wire shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.session import Session
from harness.model.tls import TLSVersion
from harness.model.transcript import NewSessionTicket

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.model.transcript import Message, ServerHello, Transcript

NANOSECONDS = 10**9


def issued(transcript: Transcript, began: int) -> tuple[Session, ...]:
    """The sessions of a completed first handshake, in order; ``began`` is nanoseconds since the epoch.

    In TLS 1.3 one for each ticket, before it one with the ticket and the session id that the server sent. A ticket
    that no key opens is not seen.
    """
    answer = next((hello for hello in transcript.server_hellos if not hello.hello_retry_request), None)
    if answer is None or answer.version is None:
        return ()
    tickets = [m for m in transcript.messages if isinstance(m.content, NewSessionTicket) and m.content.ticket]
    if answer.version is TLSVersion.TLSv1_3:
        return tuple(_session(answer, message, began) for message in tickets)
    if not tickets and not answer.session_id:
        return ()
    return (_session(answer, tickets[-1] if tickets else None, began, answer.session_id),)


def _session(answer: ServerHello, message: Message | None, began: int, session_id: bytes = b"") -> Session:
    ticket = message.content if message and isinstance(message.content, NewSessionTicket) else None
    known: dict[str, object] = {
        "version": answer.version,
        "cipher": answer.cipher_suite,
        "has_ticket": ticket is not None,
        "ticket": ticket.ticket if ticket else b"",
        "ticket_length": len(ticket.ticket) if ticket else 0,
        "time": (began + int((message.at if message else 0) * NANOSECONDS)) // NANOSECONDS,
    }
    if answer.version is not TLSVersion.TLSv1_3:
        known["extended_master_secret"] = answer.extended_master_secret
    if ticket is None:
        known["session_id"] = session_id  # beside a ticket it is the client's own
    else:
        known |= {"lifetime_hint": ticket.lifetime, "age_add": ticket.age_add}
        known |= {"max_early_data": ticket.max_early_data or 0}
    return Session(known)


def named(transcript: Transcript, sessions: Iterable[Session]) -> Session | None:
    """Which of these sessions the client offers, by its ticket or its session id; the latest where several match."""
    found = None
    names = frozenset(_names(transcript))
    for session in sessions:
        if session.get("ticket") in names or session.get("session_id") in names:
            found = session
    return found


def _names(transcript: Transcript) -> Iterator[bytes]:
    """Every ticket that the client sends, or its session id where it sends none."""
    for hello in transcript.client_hellos:
        sent = [name for name in (*hello.psk_tickets, hello.session_ticket) if name]
        yield from sent or ([hello.session_id] if hello.session_id else [])
