"""The rules of the RFCs that connections are checked against, and their breaches."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.model.tls import Role


class Level(StrEnum):
    """How strongly an RFC demands a rule (RFC 2119)."""

    MUST = "MUST"
    """Absolute, or the meaning of a field. A breach fails a cell whose scenario does not declare it."""
    SHOULD = "SHOULD"
    """There may be reasons to do otherwise. A breach is shown, and fails nothing."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule."""

    name: str
    """Its name in scenarios and in JSON."""
    who: Role | None
    """The end that can break it; None for either."""
    level: Level
    source: str
    """The section of the RFC."""
    sentence: str
    """The rule in one sentence."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A finding: a rule that a connection breaks, with its evidence."""

    rule: Rule
    evidence: tuple[str, ...]
    """What the wire shows, one fact each."""

    @property
    def title(self) -> str:
        """``the server breaks RFC 8446, 4.2.10 (MUST): …``."""
        return f"{self.rule.who or 'an endpoint'} breaks {self.rule.source} ({self.rule.level}): {self.rule.sentence}"
