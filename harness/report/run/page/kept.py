"""The folder of a cell for the page: file names and the output of both ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FIRST, LAST = 60, 120
"""How many lines of the beginning and of the end of an end's output the page has; the folder has all."""
LONGEST_LINE = 400
"""The most characters of one line of output."""


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file in the folder of a cell."""

    name: str
    """Its path within the folder."""
    href: str
    """Its address relative to the page, percent-encoded."""
    size: int
    """Bytes."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The folder of a cell."""

    files: Sequence[KeptFile] = ()
    output: Mapping[str, str] = field(default_factory=dict)
    """The output of each end, shortened, by role."""


def excerpt(text: str) -> str:
    """The text without its middle lines, and how many were cut; long lines are cut too."""
    lines = [line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…" for line in text.splitlines()]
    left = len(lines) - FIRST - LAST
    if left <= 1:
        return "\n".join(lines)
    return "\n".join([*lines[:FIRST], f"… {left} more lines in the folder of this cell …", *lines[-LAST:]])
