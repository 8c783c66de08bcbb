"""Two sequences side by side: what both have stands in one row, what only one has stands alone; nothing is compared."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

T = TypeVar("T")


def aligned(left: Sequence[T], right: Sequence[T], key: Callable[[T], Hashable]) -> list[tuple[T | None, T | None]]:
    """Rows in which the order of either side is kept; what has the same key may meet, what has not never does.

    Where both sides go ways of their own, the right one comes first: an alert follows what it answers.
    """
    matcher = SequenceMatcher(None, [key(item) for item in left], [key(item) for item in right], autojunk=False)
    rows: list[tuple[T | None, T | None]] = []
    for word, start, end, other_start, other_end in matcher.get_opcodes():
        if word == "equal":
            rows += zip(left[start:end], right[other_start:other_end], strict=True)
        else:
            rows += [(None, item) for item in right[other_start:other_end]]
            rows += [(item, None) for item in left[start:end]]
    return rows
