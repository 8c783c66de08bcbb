"""Searches for the first build whose behaviour changed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.model.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence


class Behaviour(StrEnum):
    """What a version does."""

    GOOD = "good"
    BAD = "bad"
    OTHER = "other"
    """It does neither what the good version does nor what the bad one does."""
    UNSUPPORTED = "unsupported"
    """It cannot do the case, or the harness lost it: nothing is known."""


@dataclass(frozen=True, slots=True)
class Bisected:
    """The result: two neighbours, but for what is between them."""

    last_good: str
    first_bad: str
    between: tuple[str, ...] = ()
    """The versions between both that are UNSUPPORTED."""
    first_other: str = ""
    """The first version after ``last_good`` that is OTHER; empty if ``first_bad`` follows."""
    last_other: str = ""
    """The last version before ``first_bad`` that is OTHER."""


class EndError(HarnessError):
    """An end of the range is not what it was said to be, so that there is nothing to search for."""


class UntestableEndError(EndError):
    """An end of the range cannot do the case."""


def bisect(versions: Sequence[str], look: Callable[[str], Behaviour]) -> Bisected:
    """Search ``versions``, from the good one to the bad one, in about log2 of them looks; both ends come first.

    The first version that is BAD is searched for. If the one before it is OTHER, the behaviour changed twice, and the
    last GOOD version is searched for too. EndError if an end is not what it should be. With more changes in the range,
    some of them are found.
    """
    seen = _ends(versions, look)

    def narrowed(low: int, high: int, below: Collection[Behaviour]) -> tuple[int, int]:
        while candidates := [place for place in range(low + 1, high) if seen.get(place) is not Behaviour.UNSUPPORTED]:
            middle = (low + high) / 2
            place = min(candidates, key=lambda candidate: abs(candidate - middle))
            if place not in seen:
                seen[place] = look(versions[place])
            if seen[place] in below:
                low = place
            elif seen[place] is not Behaviour.UNSUPPORTED:
                high = place
        return low, high

    low, bad = narrowed(0, len(versions) - 1, {Behaviour.GOOD, Behaviour.OTHER})
    good, first = low, bad
    if seen[low] is Behaviour.OTHER:
        good, first = narrowed(max(place for place in range(low) if seen.get(place) is Behaviour.GOOD), low, GOOD)
    if seen[first] is Behaviour.BAD:  # it came before an OTHER one
        bad = first
    between = tuple(versions[place] for place in range(good + 1, bad) if seen.get(place) is Behaviour.UNSUPPORTED)
    if first == bad:
        return Bisected(versions[good], versions[bad], between)
    return Bisected(versions[good], versions[bad], between, versions[first], versions[low])


def _ends(versions: Sequence[str], look: Callable[[str], Behaviour]) -> dict[int, Behaviour]:
    """The behaviour of the good and the bad version, by their places; EndError if one is not what it should be."""
    seen: dict[int, Behaviour] = {}
    for place, expected in ((0, Behaviour.GOOD), (len(versions) - 1, Behaviour.BAD)):
        seen[place] = found = look(versions[place])
        if found is not expected:
            kind = UntestableEndError if found is Behaviour.UNSUPPORTED else EndError
            raise kind(f"{versions[place]} was said to be {expected} and is {found}; {ADVICE[found]}")
    return seen


GOOD = frozenset({Behaviour.GOOD})
ADVICE = {
    Behaviour.GOOD: "give a build that behaves differently, or look at other observables (--on)",
    Behaviour.BAD: "give a build that behaves as it should, or another --expect",
    Behaviour.OTHER: "give a build that behaves as it should, or another --expect",
    Behaviour.UNSUPPORTED: "give a build that can do the case",
}
"""What to do about an end that is so."""
