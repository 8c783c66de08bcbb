"""What a client did with each kind of server, as a table of one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from harness.report.account import latest_account
from harness.report.text.lines import folded, joined, unfolded
from harness.serve.visit_text import visit_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.serve.behaviour import Behaviour

HEADS = ("kind of server", "offers from", "which session", "age", "twice", "what came of it")


def watch_text(behaviours: Sequence[Behaviour], width: int, *, whole: bool = False) -> Text:
    """A row for each kind; ``whole`` adds what each connection was, with its evidence, and what the command printed."""
    rows = [HEADS, *map(_row, behaviours)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS) - 1)]
    lines = []
    for place, row in enumerate(rows):
        begin = "  ".join(f"{cell:<{room}}" for cell, room in zip(row, widths, strict=False))
        rest = " " * 4
        text = folded(row[-1], max(width, len(begin) + 40), f"{begin}  ", rest)
        lines += [Text(line, "bold" if not place else "") for line in text]
        if whole and place:
            lines += _evidence(behaviours[place - 1], width)
    return unfolded(joined(lines))


def _row(behaviour: Behaviour) -> tuple[str, ...]:
    offers = behaviour.offers
    age = behaviour.age(offers[0]) if offers else None
    return (
        behaviour.kind.name,
        f"{offers[0].number if offers else 'none'} of {len(behaviour.connections)}",
        behaviour.which or "-",
        "-" if age is None else f"{age:.1f} s",
        ("yes" if behaviour.twice else "no") if offers else "-",
        behaviour.says,
    )


def _evidence(behaviour: Behaviour, width: int) -> list[Text]:
    ended = ", ".join(map(str, behaviour.statuses))
    lines = [Text(f"    {behaviour.kind.meaning}; the command ended with {ended}")]
    for connection in behaviour.connections:
        account = latest_account(behaviour.connections, connection)
        lines += [Text(f"    {line}") for line in visit_text(account, width - 4, whole=True).plain.splitlines()]
    lines += [Text(f"    | {line}") for line in behaviour.output.splitlines()]
    return lines
