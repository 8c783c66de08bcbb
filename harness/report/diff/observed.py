"""Formats a cell or a difference as one line, and selects differences by glob."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from harness.model.errors import UsageError
from harness.report.diff.difference import observables
from harness.report.json.shapes import CellObject

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from harness.report.diff.difference import Difference


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


def refuse_unknown(globs: Sequence[str], cells: Iterable[CellObject], differing: Collection[str]) -> None:
    """UsageError for a glob of --on that matches no observable: neither one of the cells nor one that differs."""
    left = [glob for glob in globs if not any(fnmatchcase(name, glob) for name in differing)]
    for cell in cells:
        if not left:
            return
        names = observables(CellObject, cell)
        left = [glob for glob in left if not any(fnmatchcase(name, glob) for name in names)]
    if left:
        others = ", ".join(sorted(set(differing)))
        raise UsageError(
            f"--on {left[0]!r} matches no observable; "
            + (f"those that differ are: {others}" if others else "an observable is, for example, session.timeout")
        )


def matching(found: Iterable[Difference], globs: Sequence[str]) -> list[Difference]:
    """Return the differences whose observable matches a glob; all if there is no glob."""
    return [one for one in found if not globs or any(fnmatchcase(one.observable, glob) for glob in globs)]
