"""Alternates ways to do the same work and keeps the seconds of each."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WARM_UP = 5
"""Rounds that are not counted: imports, first allocations, the page cache."""


@dataclass
class Timing:
    """The seconds of one way, a number a round."""

    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The middle one: what a busy machine adds to some rounds does not move it much."""
        return median(self.seconds)

    @property
    def least(self) -> float:
        """The round that was disturbed least."""
        return min(self.seconds)


def alternate(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Timing]:
    """Do each way once a round, in turn, so that whatever slows the machine down slows all of them."""
    timings = {name: Timing() for name in ways}
    for number in range(-min(WARM_UP, rounds), rounds):
        for name, work in ways.items():
            start = time.perf_counter()
            work()
            if number >= 0:
                timings[name].seconds.append(time.perf_counter() - start)
    return timings


def table(timings: Mapping[str, Timing], base: str) -> list[str]:
    """A line each way: median and least milliseconds, and both as multiples of the way that is the base."""
    width = max(map(len, timings))
    lines = [f"{'':{width}}  {'median':>9}  {'least':>9}  {'ratio':>6}  {'of least':>8}"]
    for name, timing in timings.items():
        ratios = timing.median / timings[base].median, timing.least / timings[base].least
        lines.append(
            f"{name:{width}}  {timing.median * 1e3:6.2f} ms  {timing.least * 1e3:6.2f} ms"
            f"  {ratios[0]:6.2f}  {ratios[1]:8.2f}"
        )
    return lines
