"""Whether the first bytes of tickets name their key: only tickets of one server that agree in them prove it."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LEAST = 4
"""Bytes that two random tickets share once in 4 thousand million: what agrees in them is not an accident."""
MOST = 16
"""Bytes of the longest key name that a library writes (RFC 5077, 4)."""


def proven(tickets: Iterable[bytes]) -> int:
    """The longest prefix, up to MOST bytes, in which all tickets agree that agree in LEAST bytes; 0 if none do."""
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
