"""The table of builds as rows of text and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEMA = 1
HEADS = ("version", "provider", "here", "has", "stacks", "from")


@dataclass(frozen=True, slots=True)
class Row:
    """One build. ``bytes`` and ``seconds`` are None if it is not in the cache."""

    version: str
    provider: str
    has: tuple[str, ...]
    stacks: tuple[str, ...]
    source: str
    folder: str | None = None
    bytes: int | None = None
    seconds: float | None = None
    unserved: str | None = None
    """Why this machine cannot have it."""

    def cells(self) -> tuple[str, ...]:
        """As a row of the table under HEADS."""
        here = "no" if self.bytes is None else f"{self.bytes / 1e6:.0f} MB"
        if self.folder and self.bytes is None:
            here = "yes"
        return (
            self.version,
            self.provider,
            "not on this machine" if self.unserved else here,
            ", ".join(self.has),
            ", ".join(self.stacks),
            self.source,
        )

    def as_json(self) -> dict[str, Any]:
        """As an object of the JSON."""
        return {
            "version": self.version,
            "provider": self.provider,
            "here": self.folder is not None,
            "has": list(self.has),
            "stacks": list(self.stacks),
            "from": self.source,
            "folder": self.folder,
            "bytes": self.bytes,
            "seconds": self.seconds,
            "unserved": self.unserved,
        }


def builds_json(cache: str, rows: Sequence[Row], unserved: dict[str, str], damaged: dict[str, str]) -> dict[str, Any]:
    """The JSON of `resumption builds --json`; ``unserved`` has the reason of each provider that serves nothing here.

    ``damaged`` has what is wrong with each cached build that is, by the name of its folder.
    """
    listed = [row.as_json() for row in rows]
    return {"schema": SCHEMA, "cache": cache, "builds": listed, "unserved": unserved, "damaged": damaged}
