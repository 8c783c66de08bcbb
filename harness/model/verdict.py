"""The verdict of a cell, and its record for tables and results.json."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from harness.model.tls import TLSVersion


class Verdict(StrEnum):
    """The verdict of a cell."""

    PASSED = "passed"
    FAILED = "failed"
    """An expectation of the scenario did not hold."""
    UNSUPPORTED = "unsupported"
    """A stack lacks what the cell needs; the reason says which stack, what, and why."""
    ERROR = "error"
    """No verdict about the scenario: a time-out, an endpoint that died, witnesses that disagree."""


@dataclass(frozen=True, slots=True)
class CellResult:
    """One finished cell."""

    cell: str
    """The cell's id, ``openssl@3.0.19--libssl@3.0.19-TLSv1.3-client.middlebox_compat=off``."""
    scenario: str
    """The file and the test, ``scenarios/tls13_ticket.py::test_ticket_resumes``."""
    client: str
    """``stack@build``."""
    server: str
    """``stack@build``."""
    tls: TLSVersion
    verdict: Verdict
    reason: str = ""
    """Why it is not PASSED; its first line can stand alone. Empty if it passed."""
    seconds: float = 0.0
    folder: Path | None = None
    """Where its evidence is kept, None if none was."""
    breaches: frozenset[str] = frozenset()
    """Each rule of the RFCs that a connection breaks, as ``MUST name``."""

    @property
    def name(self) -> str:
        """The scenario with the cell in brackets, as pytest names it."""
        return f"{self.scenario}[{self.cell}]"
