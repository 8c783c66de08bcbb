"""How the cells of another library ended in a run against builds of OpenSSL."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, slots=True)
class Fare:
    """The cells of a library in one role."""

    stack: str
    """``stack@build``."""
    role: str
    """``client`` or ``server``."""
    against: tuple[str, ...]
    """Each ``stack@build`` that it met."""
    passed: int
    """Cells that passed with what is expected of every library."""
    classified: int
    """Cells that passed because a scenario declares what this library does differently."""
    unsupported: int
    failed: tuple[str, ...]
    """Each cell that failed or was an error, as pytest names it."""

    @property
    def cells(self) -> int:
        """How many cells there are."""
        return self.passed + self.classified + self.unsupported + len(self.failed)


def fare(stack: str, role: str, cells: Iterable[Mapping[str, Any]]) -> Fare:
    """Count the cells of results.json in which ``stack``, a ``stack@build``, plays ``role``."""
    own = [cell for cell in cells if cell[role] == stack]
    peer = "server" if role == "client" else "client"
    passed = [cell for cell in own if cell["verdict"] == "passed"]
    classified = sum(1 for cell in passed if _is_classified(stack, role, cell))
    return Fare(
        stack,
        role,
        tuple(sorted({cell[peer] for cell in own})),
        len(passed) - classified,
        classified,
        sum(1 for cell in own if cell["verdict"] == "unsupported"),
        tuple(f"{cell['scenario']}[{cell['cell']}]" for cell in own if cell["verdict"] in {"failed", "error"}),
    )


def _is_classified(stack: str, role: str, cell: Mapping[str, Any]) -> bool:
    """Whether a difference that is declared of this library is why it passed."""
    return any(each["role"] == role and _names(each["builds"], stack) for each in cell.get("declared", ()))


def _names(builds: str, stack: str) -> bool:
    """Whether a range of builds names the library: ``gnutls``, ``gnutls@>=3.7`` or ``gnutls:*@>=3.7``."""
    return stack.partition("@")[0] in {builds.partition("@")[0], builds.partition(":")[0]}
