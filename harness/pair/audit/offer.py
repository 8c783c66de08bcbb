"""Whether the session on the wire is the one that the client was given to offer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.tls import Role
from harness.model.transcript import PRE_SHARED_KEY
from harness.model.view import Contradiction, Witness
from harness.pair.audit.shown import readable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from harness.model.session import Session
    from harness.model.transcript import ClientHello
    from harness.pair.audit.shown import Wire


def offers(wire: Wire) -> Iterator[Contradiction]:
    """The first ClientHello: another session than the given one, or one although none was given."""
    if not wire.transcript.client_hellos or wire.mutated(Role.CLIENT):
        return
    hello, given = wire.transcript.client_hello, wire.connection.offered
    if given is None:
        shown = _anything(hello) or ("a resumed session" if wire.resumed else "")
        if shown:
            yield Contradiction(Witness.CLIENT, "offered session", "that none was given", f"the wire shows {shown}")
        return
    setup = wire.connection.setup
    for shown, differs in _differences(hello, given, setup.issued_ids if setup else frozenset()):
        if differs:
            reported = f"that the given session has {_described(given)}"
            yield Contradiction(Witness.CLIENT, "offered session", reported, f"the wire shows {shown} (ClientHello)")


def _anything(hello: ClientHello) -> str:
    if PRE_SHARED_KEY in hello.extensions and (hello.psk_tickets or not hello.external_psks):
        return "pre_shared_key in ClientHello"
    return f"a ticket of {readable(hello.session_ticket)} in ClientHello" if hello.session_ticket else ""


def _described(session: Session) -> str:
    ticket, length, name = session.get("ticket"), session.get("ticket_length"), session.get("session_id")
    if ticket:
        return f"the ticket {readable(ticket)}"
    return f"a ticket of {length} bytes" if length else f"no ticket and the session id {readable(name)}"


def _differences(hello: ClientHello, given: Session, issued: Collection[bytes]) -> Iterator[tuple[str, bool]]:
    """What is offered, and whether it is another session's; a session id that no server issued is not an offer."""
    if hello.psk_tickets:
        yield f"the identity {readable(hello.psk_tickets[0])}", _other_ticket(given, hello.psk_tickets)
    if hello.session_ticket:
        yield f"the ticket {readable(hello.session_ticket)}", _other_ticket(given, (hello.session_ticket,))
    elif hello.session_id in issued:
        name = given.get("session_id")
        held = given.get("has_ticket") is False and isinstance(name, bytes) and bool(name)
        yield f"the session id {readable(hello.session_id)}", held and name != hello.session_id


def _other_ticket(given: Session, sent: tuple[bytes, ...]) -> bool:
    """Whether none of the tickets that were sent can be the session's, as far as its ticket or its length is known."""
    ticket, length = given.get("ticket"), given.get("ticket_length")
    if isinstance(ticket, bytes):
        return ticket not in sent
    return length is not None and length not in {len(each) for each in sent}
