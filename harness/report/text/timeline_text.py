"""A timeline as text: two connections side by side, or one if the width is too small for two."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.text import Text

from harness.report.alignment import aligned
from harness.report.text.lines import TIED, WIDTH, cut, folded, joined, tied
from harness.report.timeline import timeline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.model.connection import Connection
    from harness.report.timeline import Entry, Row

LEGEND = ("Timeline: ms since the client began", "→ to the server", "← to the client", "* encrypted", "(n) n bytes")
BETWEEN = "│ "
LONG = 999.95
"""Milliseconds from which tenths are not shown."""
ROOM = 72
"""The least width for two connections side by side."""
FIELD, MORE = " " * 8, " " * 10
"""The indent of a field's first line, and of its further lines."""
DIFFERS = "yellow"
"""The style of what only one connection has, or what differs."""
ALWAYS_OTHERS = frozenset({"session_id", "session_ticket", "pre_shared_key", "ticket"})
"""Fields whose values usually differ between connections."""
ARROWS = {"client": "→", "server": "←"}

Cell = list[Text]


def timeline_text(connection: Connection, before: Connection | None, heads: Sequence[Text], width: int = WIDTH) -> Text:
    """The timeline under ``heads``, one for each connection shown, that of ``before`` first."""
    legend = [Text(line, "bold") for line in folded(tied(LEGEND, ",", width), width)]
    if before is None:
        return joined([*legend, *_column(connection, heads[-1], width)])
    if width < ROOM:
        return joined([*legend, *_column(before, heads[0], width), *_column(connection, heads[-1], width, before)])
    left, right = (width - len(BETWEEN)) // 2, (width - len(BETWEEN) + 1) // 2
    lines = [*legend, *_beside(_head(heads[0], left), _head(heads[1], right), left)]
    for row in timeline(connection, before):
        for one, other, style in _row(row, left, right):
            lines += _beside(one, other, left, style)
    lines += _beside(_notes(before, left), _notes(connection, right), left)
    return joined(lines)


def _head(head: Text, width: int) -> Cell:
    return [head] if head.cell_len <= width else [Text(line, "bold red") for line in folded(head.plain, width)]


def _column(connection: Connection, head: Text, width: int, before: Connection | None = None) -> Cell:
    """One connection; ``before`` is the one that its session comes from."""
    rows = [(None, entry) for _, entry in timeline(connection, before) if entry]
    return [
        *_head(head, width),
        *(line for row in rows for _, lines, _ in _row(row, 0, width) for line in lines),
        *_notes(connection, width),
    ]


def _row(row: Row, left: int, right: int) -> Iterator[tuple[Cell, Cell, str]]:
    """The lines of both sides with their style; the same field is on the same line."""
    one, other = row
    yield _line(one, left), _line(other, right), "" if one and other else DIFFERS
    mine, theirs = one.fields if one else {}, other.fields if other else {}
    for name, its_name in aligned(list(mine), list(theirs), str):
        same = name and its_name and (name in ALWAYS_OTHERS or mine[name] == theirs[its_name])
        yield _field(one, name, left), _field(other, its_name, right), "" if same else DIFFERS


def _line(entry: Entry | None, width: int) -> Cell:
    if entry is None:
        return []
    message = entry.message
    star = "*" if message.encrypted else ""
    milliseconds = message.at * 1000
    begin = f"{milliseconds:5.{int(milliseconds < LONG)}f} {ARROWS[message.sender.value]} "
    text = cut(f"{message.type}{star} {entry.beside.replace(' ', TIED)}", width - len(begin))
    lines = folded(text, width, begin, FIELD)
    return [Text(line, "bold red" if entry.beside.startswith("fatal") else "") for line in lines]


def _field(entry: Entry | None, name: str | None, width: int) -> Cell:
    if entry is None or name is None:
        return []
    first, *more = entry.fields[name]
    room = width - len(MORE)
    text = tied([f"{name} {first}", *more], ",", room)
    return [Text(line) for line in folded(cut(text, room), width, FIELD, MORE)]


def _notes(connection: Connection, width: int) -> Cell:
    """Why no more messages are shown."""
    problem = connection.transcript.problem
    notes = [] if connection.transcript.messages else ["no messages"]
    notes += [f"not read to the end: {problem}"] if problem else []
    notes += [f"blocked: {connection.blocked}"] if connection.blocked else []
    notes += connection.tampered
    return [Text(line, "red") for note in notes for line in folded(cut(note, width - 2), width, "", "  ")]


def _beside(left: Cell, right: Cell, width: int, style: str = "") -> list[Text]:
    lines = []
    for one, other in zip_longest(left, right, fillvalue=Text()):
        for side in (one, other):
            side.stylize_before(style)
        line = Text.assemble(one, " " * (width - one.cell_len), (BETWEEN if other.plain else BETWEEN.rstrip(), "dim"))
        lines.append(line.append(other))
    return lines
