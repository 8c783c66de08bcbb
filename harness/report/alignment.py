"""Aligns two sequences: common items share a row, other items have their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

T = TypeVar("T")


def _always_one(_item: object) -> int:
    return 1


def aligned(
    left: Sequence[T],
    right: Sequence[T],
    key: Callable[[T], Hashable],
    weight: Callable[[T], int] = _always_one,
) -> list[tuple[T | None, T | None]]:
    """Rows that keep the order of both sides and pair only items with the same key.

    The pairs have the greatest total ``weight``. Between pairs, items of the right side come first, so that an alert
    follows what it answers. The time grows with the product of both lengths.
    """
    keys = [key(item) for item in left], [key(item) for item in right]
    best = _most(keys, [weight(item) for item in left])
    rows: list[tuple[T | None, T | None]] = []
    at, other = 0, 0
    while at < len(left) or other < len(right):
        alike = at < len(left) and other < len(right) and keys[0][at] == keys[1][other]
        if alike and best[at][other] == best[at + 1][other + 1] + weight(left[at]):
            rows.append((left[at], right[other]))
            at, other = at + 1, other + 1
        elif other < len(right) and best[at][other] == best[at][other + 1]:
            rows.append((None, right[other]))
            other += 1
        else:
            rows.append((left[at], None))
            at += 1
    return rows


def _most(keys: tuple[list[Hashable], list[Hashable]], weights: list[int]) -> list[list[int]]:
    """The greatest weight that can be paired from each pair of positions on."""
    best = [[0] * (len(keys[1]) + 1) for _ in range(len(keys[0]) + 1)]
    for at in reversed(range(len(keys[0]))):
        for other in reversed(range(len(keys[1]))):
            meet = best[at + 1][other + 1] + weights[at] if keys[0][at] == keys[1][other] else 0
            best[at][other] = max(meet, best[at + 1][other], best[at][other + 1])
    return best
