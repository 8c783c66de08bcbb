"""The rate of accepted offers with its interval of confidence."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

Z = 1.959964
"""The quantile of the normal distribution for 95 %."""


@dataclass(frozen=True, slots=True)
class Rate:
    """``accepted`` of ``offers``, at least one."""

    accepted: int
    offers: int

    @property
    def share(self) -> float:
        """The share that was accepted, 0 to 1."""
        return self.accepted / self.offers

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's interval for 95 %: it stays within 0 and 1, and is of use where all or none were accepted."""
        n, share = self.offers, self.share
        middle = share + Z * Z / (2 * n)
        around = Z * sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
        whole = 1 + Z * Z / n
        return max(0.0, (middle - around) / whole), min(1.0, (middle + around) / whole)

    def __str__(self) -> str:
        low, high = self.interval
        return (
            f"{self.accepted} of {self.offers} shuffled offers "
            f"({round(100 * self.share)} %, {round(100 * low)} to {round(100 * high)} %)"
        )
