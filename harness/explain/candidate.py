"""Reasons that are considered, how much speaks for each, and the choice among them; it looks at no evidence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from harness.model.reason import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.model.reason import Reason

FEW = 3
"""More candidates than these, with nothing that speaks for any, are no answer."""


class Weight(IntEnum):
    """How much speaks for a reason that nothing contradicts; one that an observation contradicts is no candidate."""

    OPEN = 1
    """Nothing speaks for it either."""
    FITS = 2
    """The circumstances would bring it about."""
    SHOWN = 3
    """It was observed."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reason that may be given; fields as in Finding."""

    weight: Weight
    reason: Reason
    title: str
    evidence: tuple[str, ...]
    remedy: str
    source: str
    how_to_tell: str
    """What would tell whether it is this one."""

    def finding(self, *, alone: bool) -> Finding:
        """As an answer; with what would tell it from the others if there are others."""
        apart = "" if alone else self.how_to_tell
        return Finding(self.reason, self.title, self.evidence, self.remedy, self.source, apart)


def choose(candidates: Iterable[Candidate | None]) -> tuple[Finding, ...]:
    """Those for which most speaks, in the order given; empty if nothing speaks for any of more than FEW."""
    found = [candidate for candidate in candidates if candidate is not None]
    if not found:
        return ()
    most = max(candidate.weight for candidate in found)
    best = [candidate for candidate in found if candidate.weight is most]
    if most is Weight.OPEN and len(best) > FEW:
        return ()
    return findings(best)


def findings(candidates: Sequence[Candidate]) -> tuple[Finding, ...]:
    """All of them as answers."""
    return tuple(candidate.finding(alone=len(candidates) == 1) for candidate in candidates)
