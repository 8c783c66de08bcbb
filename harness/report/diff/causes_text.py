"""The causes of a difference as text that fits on a screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from harness.report.diff.difference_text import difference_text, not_compared, summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from harness.report.diff.causes import Cause
    from harness.report.json.shapes import DiffObject

MOST = 7
"""Causes on one screen; each has up to four lines."""
WIDTH = 118
"""Columns of a line other than the command."""
VALUE = 36
"""Characters of a value."""
AROUND = 12
"""Characters of a long value before the place where it differs."""
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
    if diff["one_sided"]:
        parts.append(f"{_counted(len(diff['one_sided']), 'cell')} on one side only; -v shows why")
    if diff["lost"]:
        parts.append(not_compared(diff["lost"], "set aside, because the harness lost it"))
    return Group(*parts, summary(diff, len(found)))


def apart(before: str, after: str) -> tuple[str, str]:
    """Return both values in a few characters; of long ones what is around the first place where they differ."""
    if max(len(before), len(after)) <= VALUE:
        return before, after
    same = next((place for place, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), None)
    start = max((min(len(before), len(after)) if same is None else same) - AROUND, 0)
    return _window(before, start), _window(after, start)


def undeclared(cause: Cause) -> str:
    """Return ``undeclared, since 3.0.15 (not in 3.0.13)``: the first build with the change, and the last without."""
    return f"undeclared, since {cause.between[1]} (not in {cause.between[0]})" if cause.between else "undeclared"


def _window(text: str, start: int) -> str:
    part = ("…" if start else "") + text[start:]
    return part if len(part) <= VALUE else f"{part[: VALUE - 1]}…"


def _fitting(text: str) -> str:
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"


def _cause(number: int, cause: Cause) -> list[RenderableType]:
    files = {scenario.partition("::")[0] for scenario, _ in cause.cells}
    more = f" (and {cause.values - 1} other values)" if cause.values > 1 else ""
    before, after = apart(cause.before, cause.after)
    where = f"{_counted(len(cause.cells), 'cell')} of {_counted(len(files), 'scenario')}"
    names = ", ".join(cause.beside[:NAMED])
    others = f" and {len(cause.beside) - NAMED} more" if len(cause.beside) > NAMED else ""
    beside = f"; with {names}{others}" if names else ""
    options = f"from the options of the builds: {cause.options}" if cause.options else ""
    known = cause.declared or options
    said = Text(_fitting(f"    {known or undeclared(cause)}{beside}"), "" if known else "red")
    lines: list[RenderableType] = [
        Text(_fitting(f"{number:>2}  {cause.observable}: {before} -> {after}{more}  {where}"), "bold"),
        said,
    ]
    if len(cause.table) > 1 and all(len(value) <= VALUE for _, value in cause.table):
        lines.append(Text(_fitting("    " + " | ".join(f"{builds} {value}" for builds, value in cause.table))))
    if cause.commit:
        lines.append(Text(_fitting(f"    commit {cause.commit}")))
    return [*lines, Text(f"    {cause.command}")]


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
