"""Studies a mechanism: some sessions from full handshakes, then shuffled offers of them while they last."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
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
RENEWALS = 3 * SESSIONS
"""Sessions that take the place of ones that have reached their lifetime, at most."""


@dataclass(frozen=True, slots=True)
class Held:
    """A session with what the study keeps of it."""

    session: Session
    issued: Issued
    at: float
    """When it was made, monotonic seconds."""

    @property
    def over(self) -> bool:
        """Whether it has lasted as long as the server says, within the second that ends round to."""
        lifetime = self.issued.lifetime or 0
        return lifetime > 0 and self.age >= max(lifetime - 1, lifetime / 2)

    @property
    def age(self) -> float:
        """Seconds since it was made."""
        return time.monotonic() - self.at


def config_of(mechanism: Mechanism, base: ClientConfig) -> ClientConfig:
    """The client that can resume by this mechanism alone."""
    tickets = False if mechanism is Mechanism.SESSION_ID else None
    changed: ClientConfig = base.changed(versions=(VERSIONS[mechanism],), tickets=tickets)
    return changed


def study(
    visitor: Visitor, mechanism: Mechanism, base: ClientConfig, offers: int, seed: int, renewals: int = RENEWALS
) -> Study:
    """Make the full handshakes, then the offers; none if the server issues nothing, or refuses the version.

    ``renewals`` is how many more full handshakes it may make for sessions that reach their lifetime meanwhile.
    """
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
    studying = _Studying(visitor, mechanism, config, held, full, renewals)
    if held:
        studying.offer(offers, f"{seed} {mechanism}")
    return Study(
        mechanism,
        tuple(one.issued for one in held),
        tuple(studying.seen),
        tuple(full),
        aborts=tuple(studying.aborts),
        late=studying.late,
        at=int(time.time()),
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
    return Held(session, issued, time.monotonic())


@dataclass
class _Studying:
    """The offers of a study, and what they need."""

    visitor: Visitor
    mechanism: Mechanism
    config: ClientConfig
    held: list[Held]
    """Every session so far; one that takes another one's place is added."""
    full: list[int]
    """The tickets of each full handshake so far."""
    renewals: int
    """How many sessions may still be renewed."""
    seen: list[Offer] = field(default_factory=list)
    aborts: dict[str, None] = field(default_factory=dict)
    late: int = 0

    def offer(self, offers: int, seed: str) -> None:
        """Offer each session as often as the others, in an order that no balancer can be in step with."""
        present = list(range(len(self.held)))
        order = [number % len(present) for number in range(offers)]
        random.Random(seed).shuffle(order)  # noqa: S311 - it decides an order, and the seed repeats it
        for number in order:
            if self.held[present[number]].over:
                present[number] = self._renewed(present[number])
            self._offer(present[number])

    def _renewed(self, place: int) -> int:
        """The place of a new session, or the same place if there may be none or is none."""
        if not self.renewals:
            return place
        self.renewals -= 1
        connection = self.visitor.full(self.config).connection
        if connection.observed_outcome() is Outcome.ABORTED or not (found := held_of(connection, self.mechanism)):
            return place
        self.full.append(connection.ticket_counts()[1] or 0)
        self.held.append(found)
        return len(self.held) - 1

    def _offer(self, place: int) -> None:
        """Offer a session, and count that unless it is over: then the server, or the client itself, drops it."""
        one = self.held[place]
        if one.over:
            self.late += 1
            return
        connection = self.visitor.visit(self.config, one.session).connection
        outcome = connection.observed_outcome()
        if outcome is Outcome.ABORTED:
            self.aborts[ended(connection)] = None
        elif one.over or outcome is Outcome.FULL:
            self.late += 1
            return
        issued = tuple(ticket.ticket for ticket in connection.transcript.tickets or ())
        self.seen.append(Offer(connection.number, place, outcome, issued, one.age))


def ended(connection: Connection) -> str:
    """What ended a connection that was aborted."""
    alert = connection.observed_alert()
    return f"alert {alert}" if alert else next(iter(connection.wire.evidence), "the handshake was not completed")
