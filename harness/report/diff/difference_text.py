"""The differences between two builds as a table, one line each, grouped by observable."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from harness.report.json.shapes import DifferenceObject, DiffObject, LostObject, OneSidedObject

LONGEST = 60
"""Characters of a value in the table; --json has full values."""


def difference_text(diff: DiffObject) -> RenderableType:
    """The differences, the cells of one side only, and how many cells were compared."""
    parts: list[RenderableType] = []
    if diff["differences"]:
        parts += [_differences(diff), ""]
    if diff["one_sided"]:
        parts += [not_compared(diff["one_sided"], "on one side only, because"), ""]
    if diff["lost"]:
        parts += [not_compared(diff["lost"], "set aside, because the harness lost it"), ""]
    return Group(*parts, summary(diff))


def summary(diff: DiffObject, causes: int = 0) -> str:
    """``465 cells compared, 10 unsupported with both: 12 distinct differences, of 3 causes``."""
    builds = ", ".join(diff["before"]) + ("" if diff.get("meeting") else f" -> {', '.join(diff['after'])}")
    counted = [f"{diff['compared']} cells compared"]
    if diff["unsupported"]:
        counted.append(f"{diff['unsupported']} unsupported with both")
    if diff["one_sided"]:
        counted.append(f"{len(diff['one_sided'])} on one side only")
    if diff["lost"]:
        counted.append(f"{len(diff['lost'])} lost and set aside")
    of = f", of {causes} cause{'' if causes == 1 else 's'}" if causes else ""
    return f"{builds}\n{', '.join(counted)}: {len(diff['differences']) or 'no'} distinct differences{of}"


def _differences(diff: DiffObject) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("observable", "before", "after"):
        table.add_column(name, overflow="fold")
    table.add_column("cells", justify="right")
    table.add_column("for example", overflow="fold")
    for name, group in by_observable(diff).items():
        for number, found in enumerate(group):
            values = (cut(found["before"]), cut(found["after"]))
            table.add_row(
                Text("" if number else name, "bold"), *map(Text, values), str(found["cells"]), Text(example(found))
            )
    return table


def by_observable(diff: DiffObject) -> dict[str, list[DifferenceObject]]:
    """The differences of each observable, those in the most cells first."""
    groups: dict[str, list[DifferenceObject]] = {}
    for found in diff["differences"]:
        groups.setdefault(found["observable"], []).append(found)
    return {name: sorted(group, key=lambda found: -found["cells"]) for name, group in groups.items()}


def example(found: DifferenceObject) -> str:
    """The first place, as pytest names it, and which connection."""
    place = found["places"][0]
    test = place["scenario"].removeprefix("scenarios/")
    number = f", connection {place['connection']}" if place["connection"] else ""
    return f"{test}[{place['cell']}]{number}"


def cut(text: str) -> str:
    """A value, cut to LONGEST characters."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def not_compared(cells: Sequence[OneSidedObject | LostObject], why: str) -> Table:
    """The cells by both verdicts and by the first line of the reason."""
    counts = Counter((cell["before"], cell["after"], cell["reason"].partition("\n")[0]) for cell in cells)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("before", "after", why):
        table.add_column(name, overflow="fold")
    table.add_column("cells", justify="right")
    for (before, after, reason), count in counts.items():
        table.add_row(before, after, Text(reason or "the cell does not exist there"), str(count))
    return table
