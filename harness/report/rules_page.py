"""The rules of the RFCs as a page of the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.rules import MODULES, ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

HEAD = """# Rules of the RFCs

`python docs/generate.py` writes this page from the functions in `harness/explain/rules`.

Each connection of `resumption connect` and of every run is checked against these {count} rules, by what the wire shows,
decrypted with the key log, and by the earlier connection that made the session. What the wire does not show breaks no
rule. `connect`, the results (`breaches` of each connection) and the report show each rule that is broken, with its
evidence.

A cell fails if a connection breaks a MUST that its scenario does not [declare](scenarios.md#declare-a-broken-rule). A
SHOULD is shown, and fails nothing. A rule without a keyword in its section defines what a field means, and counts as a
MUST.
"""


def rules_page() -> str:
    """The page in Markdown, a table for each module of the rules."""
    return "\n".join([HEAD.format(count=len(ROWS)), *(line for module in MODULES for line in _chapter(module))])


def _chapter(module: ModuleType) -> Iterator[str]:
    title = (module.__doc__ or "").partition("\n")[0].removeprefix("Rules about ").removesuffix(".")
    yield f"## {title[0].upper()}{title[1:]}\n"
    yield "| rule | who | level | section | |"
    yield "|---|---|---|---|---|"
    for row in ROWS:
        if row.check.__module__ == module.__name__:
            rule = row.rule
            who = rule.who or "either"
            yield f"| `{rule.name}` | {who} | {rule.level} | {rule.source} | {rule.sentence} |"
    yield ""
