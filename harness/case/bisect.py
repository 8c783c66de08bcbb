"""Searches for the first build whose behaviour changed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.model.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Behaviour(StrEnum):
    """What a version does."""

    GOOD = "good"
    BAD = "bad"
    UNSUPPORTED = "unsupported"
    """It cannot do the case, so that it is neither."""


@dataclass(frozen=True, slots=True)
class Bisected:
    """The result: two neighbours, but for those between them that are UNSUPPORTED."""

    last_good: str
    first_bad: str
    between: tuple[str, ...] = ()


class EndError(HarnessError):
    """An end of the range is not what it was said to be, so that there is nothing to search for."""


class UntestableEndError(EndError):
    """An end of the range cannot do the case."""


def bisect(versions: Sequence[str], look: Callable[[str], Behaviour]) -> Bisected:
    """Search ``versions``, from the good one to the bad one, in about log2 of them looks; both ends come first.

    EndError if an end is not what it should be. With more than one change in the range, one of them is found.
    """
    for version, expected in ((versions[0], Behaviour.GOOD), (versions[-1], Behaviour.BAD)):
        if (found := look(version)) is not expected:
            kind = UntestableEndError if found is Behaviour.UNSUPPORTED else EndError
            raise kind(f"{version} was said to be {expected} and is {found}; {ADVICE[found]}")
    good, bad = 0, len(versions) - 1
    unsupported: set[int] = set()
    while candidates := [place for place in range(good + 1, bad) if place not in unsupported]:
        middle = (good + bad) / 2
        place = min(candidates, key=lambda candidate: abs(candidate - middle))
        found = look(versions[place])
        if found is Behaviour.GOOD:
            good = place
        elif found is Behaviour.BAD:
            bad = place
        else:
            unsupported.add(place)
    return Bisected(versions[good], versions[bad], tuple(versions[good + 1 : bad]))


ADVICE = {
    Behaviour.GOOD: "give a build that behaves differently, or look at other observables (--on)",
    Behaviour.BAD: "give a build that behaves as it should, or another --expect",
    Behaviour.UNSUPPORTED: "give a build that can do the case",
}
"""What to do about an end that is so."""
