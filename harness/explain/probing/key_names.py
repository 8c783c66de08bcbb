"""Groups sessions by the name of the key of their tickets, where the first bytes are proven to be a name."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from harness.model.tls import Mechanism

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.model.probe import Study

LEAST = 4
"""Bytes that two random tickets share once in 4 thousand million: what agrees in them is not an accident."""
MOST = 16
"""Bytes of the longest key name that a library writes (RFC 5077, 4)."""


@dataclass(frozen=True, slots=True)
class KeyNames:
    """The names of ticket keys that were seen."""

    length: int
    """Bytes of a name; 0 if none is proven."""
    sessions: Mapping[bytes, tuple[int, ...]]
    """The places of the sessions in `Study.sessions`, by name."""

    def of(self, ticket: bytes) -> bytes | None:
        """The name of the key of a ticket, if it is one that was seen."""
        name = ticket[: self.length]
        return name if self.length and name in self.sessions else None


def key_names(study: Study) -> KeyNames:
    """The names, proven by two tickets of different connections that agree in them; none for session ids."""
    tickets = () if study.mechanism is Mechanism.SESSION_ID else [session.identity for session in study.sessions]
    issued = [ticket for offer in study.offers for ticket in offer.tickets]
    length = _length([*tickets, *issued])
    names: dict[bytes, list[int]] = {}
    if length:
        for place, ticket in enumerate(tickets):
            names.setdefault(ticket[:length], []).append(place)
    return KeyNames(length, {name: tuple(places) for name, places in names.items()})


def _length(tickets: Sequence[bytes]) -> int:
    """The longest prefix, up to MOST bytes, in which all tickets agree that agree in LEAST bytes."""
    groups: dict[bytes, set[bytes]] = {}
    for ticket in tickets:
        groups.setdefault(ticket[:LEAST], set()).add(ticket)
    shared = [
        _common(a, b) for group in groups.values() for a, b in combinations(sorted(group)[:: max(1, len(group) - 1)], 2)
    ]
    return min(shared, default=0)


def _common(a: bytes, b: bytes) -> int:
    alike = [x == y for x, y in zip(a[:MOST], b[:MOST], strict=False)]
    return alike.index(False) if False in alike else len(alike)
