"""Rules about the NewSessionTickets of TLS 1.3 (RFC 8446, 4.6.1)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from harness.explain.rules.table import When, rule
from harness.model.rule import Level
from harness.model.tls import Role
from harness.wire.hellos import PSK_KEY_EXCHANGE_MODES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.explain.rules.handshake import Handshake

LONGEST_LIFETIME = 604800


@rule(Role.SERVER, "RFC 8446, 4.6.1", When.TLS13)
def ticket_after_finished(handshake: Handshake) -> Iterator[str]:
    """A server sends tickets after its Finished, and after the client's if it asks for a certificate."""
    ticket = handshake.place("NewSessionTicket", Role.SERVER)
    if ticket is None or not handshake.readable:
        return
    for role in Role:
        asks = role is Role.SERVER or any(
            message.type == "CertificateRequest" for message in handshake.flight(Role.SERVER, "Finished")
        )
        finished = handshake.place("Finished", role)
        if asks and (finished is None or finished > ticket):
            yield f"wire: a NewSessionTicket comes before the {role}'s Finished"


@rule(Role.SERVER, "RFC 8446, 4.6.1", When.TLS13)
def ticket_lifetime_at_most_seven_days(handshake: Handshake) -> Iterator[str]:
    """A server gives a ticket a lifetime of seven days at most."""
    for ticket in handshake.tickets:
        if ticket.lifetime > LONGEST_LIFETIME:
            yield f"wire: the lifetime of a NewSessionTicket is {ticket.lifetime} s"


@rule(Role.SERVER, "RFC 8446, 4.6.1", When.TLS13)
def ticket_not_empty(handshake: Handshake) -> Iterator[str]:
    """A server sends a ticket of at least one byte."""
    if any(not ticket.ticket for ticket in handshake.tickets):
        yield "wire: the ticket of a NewSessionTicket is empty"


@rule(Role.SERVER, "RFC 8446, 4.6.1", When.TLS13)
def ticket_nonces_differ(handshake: Handshake) -> Iterator[str]:
    """A server gives each ticket of a connection another ticket_nonce."""
    nonces = [ticket.nonce for ticket in handshake.tickets]
    if len(set(nonces)) < len(nonces):
        yield f"wire: the {len(nonces)} tickets have {len(set(nonces))} different nonces"


@rule(Role.SERVER, "RFC 8446, 4.6.1", When.TLS13)
def ticket_age_adds_are_fresh(handshake: Handshake) -> Iterator[str]:
    """A server gives each ticket a fresh ticket_age_add."""
    # Two of many may be equal by chance; two in a row are not.
    for one, other in pairwise(handshake.tickets):
        if one.age_add == other.age_add:
            yield f"wire: two tickets in a row have the ticket_age_add {one.age_add}"


@rule(Role.SERVER, "RFC 8446, 4.2.9", When.TLS13, Level.SHOULD)
def no_ticket_without_modes(handshake: Handshake) -> Iterator[str]:
    """A server sends no ticket to a client without psk_key_exchange_modes."""
    hello = handshake.asked
    if handshake.tickets and hello and PSK_KEY_EXCHANGE_MODES not in hello.extensions:
        yield f"wire: the server sends {len(handshake.tickets)} tickets, and the ClientHello has no modes"
