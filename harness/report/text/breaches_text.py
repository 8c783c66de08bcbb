"""The rules of the RFCs that connections break, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from harness.model.rule import Level
from harness.report.text.lines import WIDTH, folded, joined

if TYPE_CHECKING:
    from harness.report.account import Account

MOST = 3
"""How many connections that break the same rule are named."""


def breaches_text(account: Account, width: int = WIDTH) -> Text:
    """Each rule that is broken, with the connections and the evidence of the first one; empty if there is none."""
    found: dict[str, list[int]] = {}
    for number, breaches in account.breaches.items():
        for breach in breaches:
            found.setdefault(breach.rule.name, []).append(number)
    first = {name: numbers[0] for name, numbers in found.items()}
    lines = []
    for name, number in first.items():
        breach = next(each for each in account.breaches[number] if each.rule.name == name)
        title = f"{_connections(found[name])}: {breach.title} [{name}]"
        style = "bold red" if breach.rule.level is Level.MUST else "yellow"
        lines += [Text(line, style) for line in folded(title, width, "  ", "    ")]
        lines += [Text(line) for fact in breach.evidence for line in folded(fact, width, "    - ", "      ")]
    return joined([Text("Rules of the RFCs that are broken", "bold"), *lines]) if lines else Text()


def _connections(numbers: list[int]) -> str:
    named = ", ".join(map(str, numbers[:MOST]))
    more = f" and {len(numbers) - MOST} more" if len(numbers) > MOST else ""
    return f"connection {named}{more}" if len(numbers) == 1 else f"connections {named}{more}"
