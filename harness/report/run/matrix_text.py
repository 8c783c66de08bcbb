"""The verdicts of a run as text: a table client x server, unsupported cells by reason, and failures."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Group
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from harness.model.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from harness.model.verdict import CellResult

STYLES = {
    Verdict.PASSED: "green",
    Verdict.FAILED: "bold red",
    Verdict.UNSUPPORTED: "yellow",
    Verdict.ERROR: "bold magenta",
}

WIDEST = 10_000
"""Columns for measuring a table without a limit."""
MOST = 10
"""How many reasons for UNSUPPORTED are shown."""


def matrix_text(results: Sequence[CellResult]) -> RenderableType:
    """Everything about a run: table, totals, unsupported cells by reason, then each cell that failed or is an ERROR."""
    parts: list[RenderableType] = [Matrix(results), totals(results)]
    for part in (unsupported(results), failures(results)):
        if part.plain:
            parts += ["", part]
    return Group(*parts)


class Matrix:
    """The table of pairs if it fits the console, else the table of stacks.

    Ten builds do not fit side by side on a terminal, and cut names would be ambiguous.
    """

    def __init__(self, results: Sequence[CellResult]) -> None:
        self._results = results

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table that fits."""
        pairs = matrix_table(self._results)
        needed = Measurement.get(console, options.update(max_width=WIDEST), pairs).maximum
        yield pairs if needed <= options.max_width else stacks_table(self._results)


def stacks_table(results: Iterable[CellResult]) -> Table:
    """One row per stack: the cells by verdict as client and as server."""
    counts: dict[str, tuple[Counter[Verdict], Counter[Verdict]]] = {}
    for result in results:
        counts.setdefault(result.client, (Counter(), Counter()))[0][result.verdict] += 1
        counts.setdefault(result.server, (Counter(), Counter()))[1][result.verdict] += 1
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for head in ("stack", "as client", "as server"):
        table.add_column(head, overflow="fold")
    for stack in sorted(counts):
        table.add_row(Text(stack), *(counted(count, ", ") for count in counts[stack]))
    return table


def matrix_table(results: Iterable[CellResult]) -> Table:
    """One row per client, one column per server: the cells by verdict, or ``-`` if there are none."""
    counts: dict[tuple[str, str], Counter[Verdict]] = {}
    for result in results:
        counts.setdefault((result.client, result.server), Counter())[result.verdict] += 1
    servers = list(dict.fromkeys(server for _, server in counts))
    table = Table(title="client (rows) x server (columns)", title_justify="left", title_style="bold", show_lines=True)
    table.add_column("")
    for server in servers:
        table.add_column(Text(server), overflow="fold")
    for client in dict.fromkeys(client for client, _ in counts):
        table.add_row(Text(client, "bold"), *(counted(counts.get((client, server), Counter())) for server in servers))
    return table


def counted(counts: Counter[Verdict], between: str = "\n") -> Text:
    """``3 passed``, ``1 failed``, one per line, for the verdicts that occurred."""
    lines = [Text(f"{counts[verdict]} {verdict}", style) for verdict, style in STYLES.items() if counts[verdict]]
    return Text(between).join(lines) if lines else Text("-", "dim")


def totals(results: Sequence[CellResult]) -> Text:
    """``12 cells: 9 passed, 1 failed, 2 unsupported``; the verdicts that did not occur are left out."""
    counts = Counter(result.verdict for result in results)
    found = [Text(f"{counts[verdict]} {verdict}", style) for verdict, style in STYLES.items() if counts[verdict]]
    cells = f"{len(results)} cell{'' if len(results) == 1 else 's'}"
    return Text.assemble(cells, ": " if found else "", Text(", ").join(found))


def unsupported(results: Iterable[CellResult]) -> Text:
    """How many cells each reason made UNSUPPORTED, the most frequent first; empty if there were none.

    A knob is one reason for all its values. Only the first MOST are shown; results.json has the reason of each cell.
    """
    reasons = Counter(without_value(result.reason) for result in results if result.verdict is Verdict.UNSUPPORTED)
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    lines = [f"  {count:>5}  {reason}" for reason, count in ordered[:MOST]]
    if rest := ordered[MOST:]:
        lines.append(f"  {sum(count for _, count in rest):>5}  for {len(rest)} other reasons, listed in results.json")
    return Text("\n").join([Text("Unsupported, by reason", "bold"), *map(Text, lines)] if lines else [])


def broken_rules(results: Iterable[CellResult]) -> Text:
    """In how many cells each rule of the RFCs is broken, each MUST first; empty if none is."""
    rules = Counter(rule for result in results for rule in result.breaches)
    ordered = sorted(rules.items(), key=lambda item: (item[0].partition(" ")[0], -item[1], item[0]))
    lines = [f"  {count:>5}  {rule}" for rule, count in ordered]
    return Text("\n").join(
        [Text("Rules of the RFCs that are broken, by cells", "bold"), *map(Text, lines)] if lines else []
    )


def without_value(reason: str) -> str:
    """``ssl@3 lacks knob timeout=5: why (possible: 1)`` as ``ssl@3 lacks knob timeout: why``."""
    return re.sub(r" \(possible: [^()]*\)$", "", re.sub(r"( knob \w+)=\S+?(?=: )", r"\1", reason, count=1))


def failures(results: Iterable[CellResult]) -> Text:
    """Each cell that failed or is an ERROR, with the first line of its reason and the folder of its evidence."""
    text = Text()
    for result in results:
        if result.verdict in {Verdict.FAILED, Verdict.ERROR}:
            text.append("\n" if text.plain else "").append(result.verdict.upper(), STYLES[result.verdict])
            text.append(f" {result.name}\n  {(result.reason.splitlines() or ['no reason was given'])[0]}")
            text.append(f"\n  evidence: {result.folder}" if result.folder else "\n  no evidence was kept")
    return text
