"""The difference of two sessions as text: one row per differing field, one line for the equal ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from harness.report.session_difference import session_difference
from harness.report.text.lines import WIDTH, cut, folded, joined
from harness.report.text.session_text import UNKNOWN, session_rows

if TYPE_CHECKING:
    from harness.model.session import Session

BESIDE_HEX = 12
"""Columns of a cell that are not hex: ``208 bytes  `` and the ellipsis."""
LEAST_HEX = 4
GAP = "  "


def session_difference_text(
    title: str, heads: tuple[str, str], before: Session, after: Session, width: int = WIDTH
) -> Text:
    """A title, a head for each side, then the rows."""
    found = session_difference(before, after)
    lines = [Text(line, "bold") for line in folded(title, width)]
    name_width = max(map(len, found.differing), default=0)
    room = max((width - name_width - 3 * len(GAP)) // 2, 1)
    longest = max((room - BESIDE_HEX) // 2, LEAST_HEX)
    rows = [dict(session_rows(session, longest)) for session in (before, after)]
    if found.differing:
        lines.append(Text(_row("", heads, name_width, room)[0], "bold"))
    for name in found.differing:
        lines += map(Text, _row(name, (rows[0][name], rows[1][name]), name_width, room))
    for word, names in (("equal", found.equal), ("empty, 0 or no in both", found.empty), (UNKNOWN, found.unknown)):
        if names:
            lines += [Text(line, "dim") for line in folded(f"{word}: {', '.join(names)}", width, GAP, GAP * 2)]
    return joined(lines)


def session_alone_text(title: str, session: Session, width: int = WIDTH) -> Text:
    """Every known field of one session, without a comparison."""
    rows = session_rows(session, max((width - 50) // 2, LEAST_HEX))
    lines = [Text(line, "bold") for line in folded(title, width)]
    name_width = max(len(name) for name, _ in rows)
    for name, value in rows:
        if value != UNKNOWN:
            lines += map(Text, folded(value, width, f"{GAP}{name:<{name_width}}{GAP}", " " * (name_width + 4)))
    unknown = ", ".join(name for name, value in rows if value == UNKNOWN)
    return joined([*lines, *folded(f"{UNKNOWN}: {unknown}" if unknown else "", width, GAP, GAP * 2)])


def _row(name: str, values: tuple[str, str], name_width: int, room: int) -> list[str]:
    """The lines of one field; long values continue below."""
    columns = [folded(cut(value, room), room) or [""] for value in values]
    lines = []
    for place in range(max(map(len, columns))):
        left, right = (column[place] if place < len(column) else "" for column in columns)
        shown = name if place == 0 else ""
        lines.append(f"{GAP}{shown:<{name_width}}{GAP}{left:<{room}}{GAP}{right}".rstrip())
    return lines
