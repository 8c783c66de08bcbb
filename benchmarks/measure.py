"""Alternates ways to do the same work and keeps the seconds and the processor time of each."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

WARM_UP = 5
"""Rounds that are not counted: imports, first allocations, the page cache."""
TICK = 0.01
"""The resolution of os.times in seconds."""


@dataclass
class Timing:
    """The seconds of one way, one number per round."""

    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    """Processor seconds of this process and of its finished children, which other processes hardly change."""

    @property
    def median(self) -> float:
        """Return the median, which a few disturbed rounds do not change much."""
        return median(self.seconds)

    @property
    def least(self) -> float:
        """Return the seconds of the least disturbed round."""
        return min(self.seconds)


def alternate(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Timing]:
    """Do each way once per round, in turn, so that whatever slows the machine down slows all of them."""
    timings = {name: Timing() for name in ways}
    for number in range(-min(WARM_UP, rounds), rounds):
        for name, work in ways.items():
            start, used = time.perf_counter(), processor()
            work()
            if number >= 0:
                timings[name].seconds.append(time.perf_counter() - start)
                timings[name].cpu.append(processor() - used)
    return timings


def processor() -> float:
    """Return the processor seconds of this process and of its children that have ended (getrusage(2))."""
    return sum(os.times()[:4])


def table(timings: Mapping[str, Timing], base: str, *, cpu: bool = False) -> list[str]:
    """Return a line per way: median and least milliseconds, and both as multiples of the base.

    With ``cpu``, also the least CPU time as a multiple; only for ways whose processes have all ended.
    """
    width = max(map(len, timings))
    lines = [f"{'':{width}}  {'median':>9}  {'least':>9}  {'ratio':>6}  {'of least':>8}" + "  of CPU" * cpu]
    for name, timing in timings.items():
        ratios = timing.median / timings[base].median, timing.least / timings[base].least
        of_cpu = f"  {min(timing.cpu) / max(min(timings[base].cpu), TICK):6.2f}" * cpu
        lines.append(
            f"{name:{width}}  {timing.median * 1e3:6.2f} ms  {timing.least * 1e3:6.2f} ms"
            f"  {ratios[0]:6.2f}  {ratios[1]:8.2f}{of_cpu}"
        )
    return lines
