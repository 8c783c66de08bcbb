"""Offers sessions of one address to another one, for every pair of a source and a destination."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

from harness.explain.probing.between import between as judged
from harness.explain.probing.products import software_of
from harness.model.errors import UnreachableError, UsageError
from harness.model.probe import Crossing, Offer, Probe
from harness.model.tls import Outcome
from harness.probe.probing import approach, limits_of
from harness.probe.say import server_header
from harness.probe.studies import config_of, ended, held_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.model.knobs import ClientConfig
    from harness.model.tls import Mechanism
    from harness.probe.limits import Limits
    from harness.probe.probing import Keep, Wanted
    from harness.probe.studies import Held
    from harness.probe.visitor import Visitor
    from harness.runtime.address import Target
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack

OFFERS = 7
"""Offers from each source to each destination, by each mechanism, if the user says nothing else."""


def needed(sources: int, destinations: int, wanted: Wanted) -> int:
    """How many connections an address may get: full handshakes of a source, and offers to a destination."""
    return len(wanted.mechanisms) * (destinations * wanted.offers + sources * wanted.offers + 1)


class _Crossings:
    def __init__(self, visits: Mapping[Target, tuple[Visitor, ClientConfig]], wanted: Wanted) -> None:
        self._visits = visits
        self._wanted = wanted
        self.software = wanted.software

    def of(self, mechanism: Mechanism, sources: Sequence[Target], destinations: Sequence[Target]) -> list[Crossing]:
        """Make the sessions, one for each offer, then offer them in an order that no balancer is in step with."""
        pairs = [(source, destination) for source in sources for destination in destinations]
        held: dict[tuple[Target, Target], list[Held]] = {}
        refused: dict[Target, str] = {}
        for source, destination in pairs:
            held[source, destination] = [] if refused.get(source) else self._issued(mechanism, source, refused)
        own = {destination: self._own(mechanism, destination, refused) for destination in destinations}
        seen: dict[tuple[Target, Target], list[Offer]] = {pair: [] for pair in pairs}
        offers = [(pair, place) for pair in pairs if not refused.get(pair[1]) for place in range(len(held[pair]))]
        random.Random(f"{self._wanted.seed} {mechanism}").shuffle(offers)  # noqa: S311 - an order, which the seed repeats
        for pair, place in offers:
            seen[pair].append(self._offer(mechanism, pair[1], held[pair][place], place))
        return [
            Crossing(
                mechanism,
                source.text,
                destination.text,
                tuple(one.issued for one in held[source, destination]),
                tuple(seen[source, destination]),
                (*own[destination], *(ticket for offer in seen[source, destination] for ticket in offer.tickets)),
                refused.get(source) or refused.get(destination, ""),
            )
            for source, destination in pairs
        ]

    def _issued(self, mechanism: Mechanism, source: Target, refused: dict[Target, str]) -> list[Held]:
        """Sessions of full handshakes; none if the source issues none, or refuses the version."""
        made: list[Held] = []
        for _ in range(self._wanted.offers):
            held = self._full(mechanism, source, refused)
            if held is None:
                break
            made.append(held)
        return made

    def _own(self, mechanism: Mechanism, destination: Target, refused: dict[Target, str]) -> tuple[bytes, ...]:
        """A ticket of the destination itself, which shows the name of its key."""
        held = None if refused.get(destination) else self._full(mechanism, destination, refused)
        return () if held is None else (held.issued.identity,)

    def _full(self, mechanism: Mechanism, target: Target, refused: dict[Target, str]) -> Held | None:
        visitor, base = self._visits[target]
        visit = visitor.full(config_of(mechanism, base))
        self.software = self.software or software_of(server_header(visit.answer or b""))
        if visit.outcome is Outcome.ABORTED:
            refused[target] = f"{target.text}: {ended(visit.connection)}"
            return None
        return held_of(visit.connection, mechanism)

    def _offer(self, mechanism: Mechanism, destination: Target, held: Held, place: int) -> Offer:
        visitor, base = self._visits[destination]
        connection = visitor.visit(config_of(mechanism, base), held.session).connection
        issued = tuple(ticket.ticket for ticket in connection.transcript.tickets or ())
        return Offer(connection.number, place, connection.observed_outcome(), issued)


def between(
    runtime: Runtime,
    client: Stack,
    sources: Sequence[Target],
    destinations: Sequence[Target],
    wanted: Wanted,
    *,
    limits: Mapping[Target, Limits] | None = None,
    kept: Callable[[Target], Keep] = lambda _target: lambda _connections: None,
) -> Probe:
    """Offer sessions of each source to each destination; ``kept`` gets the connections to each address.

    Errors as those of a probe.
    """
    targets = tuple(dict.fromkeys((*sources, *destinations)))
    shared = limits or {target: limits_of(runtime, target, wanted) for target in targets}
    most = needed(len(sources), len(destinations), wanted)
    if any(most > one.left for one in shared.values()):
        raise UsageError(
            f"--offers {wanted.offers} may need {most} connections to an address, and --connections allows fewer; "
            "lower the one or raise the other"
        )
    begun, made = time.monotonic(), sum(one.made for one in shared.values())
    visits: dict[Target, tuple[Visitor, ClientConfig]] = {}
    try:
        for target in targets:
            visits[target] = approach(runtime, client, target, wanted, shared[target])
        crossings = _Crossings(visits, wanted)
        found = [one for mechanism in wanted.mechanisms for one in crossings.of(mechanism, sources, destinations)]
        if all(one.refused for one in found):
            raise UnreachableError(f"no full handshake: {found[0].refused}")
        return Probe(
            address=f"from {_listed(sources)} to {_listed(destinations)}",
            reached=_listed(targets, reached=True),
            client=client.label,
            software=crossings.software,
            seed=wanted.seed,
            connections=sum(one.made for one in shared.values()) - made,
            seconds=time.monotonic() - begun,
            studies=(),
            answers=tuple(judged(found, crossings.software)),
            crossings=tuple(found),
        )
    finally:
        for target, (visitor, _base) in visits.items():
            kept(target)(visitor.pair.connections)
            visitor.close()


def _listed(targets: Sequence[Target], *, reached: bool = False) -> str:
    return ", ".join(target.reached if reached else target.text for target in targets)
