"""What a cell's folder holds, as the page takes it: the names of files and what both ends printed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FIRST, LAST = 60, 120
"""How many lines of what an end printed the page has, of its beginning and of its end; the folder has all."""
LONGEST_LINE = 400
"""Characters of a line of that."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file in the folder of a cell."""

    name: str
    """Its path within the folder."""
    href: str
    """The address that leads to it from the page: relative and percent-encoded."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The folder of a cell."""

    files: Sequence[KeptFile] = ()
    output: Mapping[str, str] = field(default_factory=dict)
    """What each end printed, shortened, by role."""


def excerpt(text: str) -> str:
    """The text without the lines in its middle, and how many those were; long lines are cut."""
    lines = [line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…" for line in text.splitlines()]
    left = len(lines) - FIRST - LAST
    if left <= 1:
        return "\n".join(lines)
    return "\n".join([*lines[:FIRST], f"… {left} lines more in the folder of this cell …", *lines[-LAST:]])
