"""What the pattern of accepted offers says: single use, a round of back ends, how many groups there are."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING

from harness.explain.probing.rate import Rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.probe import Offer, Study

LONGEST_ROUND = 8
"""Back ends of the longest round that is looked for."""
ENOUGH = 5
"""Offers of sessions that had been accepted before: if all are declined, that is not an accident."""
TICK = 1.0
"""Seconds to which servers count the age of a session."""
ACCIDENT = 100
"""Orders of accepted and declined offers of which one is by accident the one that their age gives."""


@dataclass(frozen=True, slots=True)
class Accepts:
    """The offers of a study, by whether their session had been accepted before."""

    unused: Rate | None
    """Of sessions that had never been accepted; None if there was no such offer."""
    used: Rate | None
    """Of sessions that had been accepted; None if there was no such offer."""

    @property
    def single_use(self) -> bool | None:
        """Whether a session resumes once only; None if too few sessions were offered again."""
        if self.used is None:
            return None
        if self.used.accepted:
            return False
        return True if self.used.offers >= ENOUGH else None


def accepts(study: Study) -> Accepts:
    """Count the offers apart."""
    before: set[int] = set()
    unused: list[Offer] = []
    used: list[Offer] = []
    for offer in study.offers:
        (used if offer.session in before else unused).append(offer)
        if offer.accepted:
            before.add(offer.session)
    return Accepts(_rate(unused), _rate(used))


def _rate(offers: Sequence[Offer]) -> Rate | None:
    return Rate(sum(offer.accepted for offer in offers), len(offers)) if offers else None


def rounds(study: Study) -> int | None:
    """The back ends of a strict round robin: a session is accepted exactly at each so-many-th connection.

    None if the offers show no such round, which is also so for one back end and for a single use.
    """
    if study.accepted in {0, len(study.offers)}:
        return None
    for length in range(2, LONGEST_ROUND + 1):
        due = [(offer.number - study.sessions[offer.session].number) % length == 0 for offer in study.offers]
        if due == [offer.accepted for offer in study.offers]:
            return length
    return None


def age_limit(study: Study) -> tuple[float, float] | None:
    """The age in seconds up to which sessions were accepted, and from which on they were declined.

    None if age does not decide, or may seem to by accident. Within TICK it may go either way.
    """
    accepted, declined = ([one.age for one in study.offers if one.accepted is is_so] for is_so in (True, False))
    if not accepted or not declined or max(accepted) - min(declined) >= TICK:
        return None
    young = [age for age in accepted if age < min(declined)]
    old = [age for age in declined if age > max(accepted)]
    if comb(len(young) + len(old), len(old)) < ACCIDENT:
        return None
    return max(accepted), min(old)


def groups(rate: Rate) -> tuple[int, int]:
    """The least and the most back ends, if each takes as many connections and accepts what it issued alone."""
    low, high = rate.interval
    return max(1, round(1 / high)), max(1, round(1 / low)) if low else 0
