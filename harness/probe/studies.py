"""Studies a mechanism: some sessions from full handshakes, then shuffled offers of them."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model.probe import VERSIONS, Issued, Offer, Study
from harness.model.tls import Mechanism, Outcome
from harness.wire.session import structure

if TYPE_CHECKING:
    from harness.model.connection import Connection
    from harness.model.knobs import ClientConfig
    from harness.model.session import Session
    from harness.probe.visitor import Visitor

SESSIONS = 7
"""Sessions that are offered in turn, each from a full handshake of its own."""


@dataclass(frozen=True, slots=True)
class Held:
    """A session with what the study keeps of it."""

    session: Session
    issued: Issued


def config_of(mechanism: Mechanism, base: ClientConfig) -> ClientConfig:
    """The client that can resume by this mechanism alone."""
    tickets = False if mechanism is Mechanism.SESSION_ID else None
    changed: ClientConfig = base.changed(versions=(VERSIONS[mechanism],), tickets=tickets)
    return changed


def study(visitor: Visitor, mechanism: Mechanism, base: ClientConfig, offers: int, seed: int) -> Study:
    """Make the full handshakes, then the offers; none if the server issues nothing, or refuses the version."""
    config = config_of(mechanism, base)
    held: list[Held] = []
    full: list[int] = []
    for _ in range(min(SESSIONS, max(offers, 1))):
        connection = visitor.full(config).connection
        if connection.observed_outcome() is Outcome.ABORTED:
            return Study(mechanism, refused=ended(connection))
        full.append(connection.ticket_counts()[1] or 0)
        if found := held_of(connection, mechanism):
            held.append(found)
        elif not held:
            break  # it issues none
    seen, aborts = _offered(visitor, config, held, offers, f"{seed} {mechanism}")
    return Study(
        mechanism, tuple(one.issued for one in held), tuple(seen), tuple(full), aborts=aborts, at=int(time.time())
    )


def secret(session: Session) -> bytes:
    """The master secret or PSK of a session; empty if its client does not export it as DER."""
    if session.der is None:
        return b""
    return structure.fields(structure.read(session.der), len(session.der)).octets["master_key"]


def held_of(connection: Connection, mechanism: Mechanism) -> Held | None:
    """The session that can be offered by the mechanism, if the connection yielded one."""
    session = connection.last_session
    if session is None:
        return None
    if mechanism is Mechanism.SESSION_ID:
        identity = session.get("session_id")
        return _made(session, connection, identity) if identity and not session.get("has_ticket") else None
    return _made(session, connection, session.get("ticket")) if session.get("has_ticket") else None


def _made(session: Session, connection: Connection, identity: object) -> Held | None:
    if not isinstance(identity, bytes) or not identity:
        return None
    lifetime = session.get("lifetime_hint") if session.get("has_ticket") else None
    early = session.get("max_early_data")
    issued = Issued(
        connection.number,
        identity,
        lifetime if isinstance(lifetime, int) else None,
        early if isinstance(early, int) else 0,
        secret(session),
    )
    return Held(session, issued)


def _offered(
    visitor: Visitor, config: ClientConfig, held: list[Held], offers: int, seed: str
) -> tuple[list[Offer], tuple[str, ...]]:
    """Offer each session as often as the others, in an order that no balancer can be in step with."""
    if not held:
        return [], ()
    order = [place % len(held) for place in range(offers)]
    random.Random(seed).shuffle(order)  # noqa: S311 - it decides an order, and the seed repeats it
    seen: list[Offer] = []
    aborts: dict[str, None] = {}
    for place in order:
        connection = visitor.visit(config, held[place].session).connection
        outcome = connection.observed_outcome()
        if outcome is Outcome.ABORTED:
            aborts[ended(connection)] = None
        issued = tuple(ticket.ticket for ticket in connection.transcript.tickets or ())
        seen.append(Offer(connection.number, place, outcome, issued))
    return seen, tuple(aborts)


def ended(connection: Connection) -> str:
    """What ended a connection that was aborted."""
    alert = connection.observed_alert()
    return f"alert {alert}" if alert else next(iter(connection.wire.evidence), "the handshake was not completed")
