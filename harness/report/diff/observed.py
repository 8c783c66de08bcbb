"""Formats a cell or a difference as one line, and selects differences by glob."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.report.diff.difference import Difference
    from harness.report.json.shapes import CellObject


def last_outcome(cell: CellObject) -> str:
    """Return the outcome of the last connection, or why there is none."""
    connections = cell["case"]["connections"] if cell["case"] else []
    if not connections:
        return f"{cell['verdict']}: {cell['reason']}" if cell["reason"] else cell["verdict"]
    last = connections[-1]
    return str(last["outcome"] or last["disagreement"])


def difference_line(difference: Difference) -> str:
    """Return ``connection 2: session.lifetime_hint 7200 -> 604800``."""
    where = f"connection {difference.connection}: " if difference.connection else ""
    return f"{where}{difference.observable} {difference.before} -> {difference.after}"


def matching(found: Iterable[Difference], globs: Sequence[str]) -> list[Difference]:
    """Return the differences whose observable matches a glob; all if there is no glob."""
    return [one for one in found if not globs or any(fnmatchcase(one.observable, glob) for glob in globs)]
