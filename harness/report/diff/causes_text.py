"""The causes of a difference as text that fits on a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from harness.report.diff.difference_text import cut, difference_text, summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from harness.report.diff.causes import Cause
    from harness.report.json.shapes import DiffObject

MOST = 7
"""Causes on one screen; each has up to four lines."""
NAMED = 3
"""Observables that changed beside the first, by name."""


def causes_text(diff: DiffObject, found: Sequence[Cause], builds: Sequence[str], *, whole: bool) -> RenderableType:
    """The causes, then what was compared; ``whole`` shows every cause, and the table of all differences."""
    parts: list[RenderableType] = [Text(line, "dim") for line in builds]
    for number, cause in enumerate(found if whole else found[:MOST], 1):
        parts += _cause(number, cause)
    if not whole and len(found) > MOST:
        parts.append(Text(f"and {len(found) - MOST} more causes; -v shows all, with every difference", "bold"))
    if whole:
        return Group(*parts, "", difference_text(diff))
    aside = [(len(diff["one_sided"]), "on one side only"), (len(diff["lost"]), "lost by the harness")]
    if any(count for count, _ in aside):
        parts.append(f"set aside: {', '.join(f'{count} cells {why}' for count, why in aside if count)}; -v shows why")
    return Group(*parts, summary(diff))


def _cause(number: int, cause: Cause) -> list[RenderableType]:
    files = {scenario.partition("::")[0] for scenario, _ in cause.cells}
    more = f" (and {cause.values - 1} other values)" if cause.values > 1 else ""
    head = Text(f"{number:>2}  {cause.observable}: {cut(cause.before)} -> {cut(cause.after)}{more}", "bold")
    head.append(f"  {len(cause.cells)} cells of {len(files)} scenarios", "")
    lines: list[RenderableType] = [head]
    said = Text("    ")
    said.append(cause.declared or "undeclared", "" if cause.declared else "red")
    if cause.beside:
        names = ", ".join(cause.beside[:NAMED])
        others = len(cause.beside) - NAMED
        said.append(f"; with {names}{f' and {others} more' if others > 0 else ''}")
    lines.append(said)
    if cause.table:
        lines.append(Text("    " + " | ".join(f"{builds} {cut(value)}" for builds, value in cause.table)))
    lines.append(Text(f"    {cause.command}"))
    return lines
