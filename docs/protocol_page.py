"""The tables of the page of the agent's protocol that are made from the code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docs.api_page import members
from harness.agent.library import REQUIRED_FACTS, Facts
from harness.model.capability import Capability
from harness.report.ability_tables import markdown
from harness.report.knobs_page import protocol_knobs
from harness.report.verbs_page import with_verbs

if TYPE_CHECKING:
    from collections.abc import Callable

TYPES = {
    "bool": "boolean",
    "str": "string",
    "int": "integer",
    "Bytes": "bytes",
    "list[str]": "list of strings",
    "list[dict[str, Any]]": "list",
    "dict[str, int]": "object",
}
"""What the page calls a type of Python."""
LEFT_OUT = ". May be left out"


def capabilities() -> str:
    """The table of the capabilities, each with its docstring."""
    notes = members(Capability)
    rows = [(f"`{each.value}`", " ".join(notes[each.name].split())) for each in Capability]
    return markdown(rows, ("capability", "what an agent that has it can do")) + "\n"


def facts() -> str:
    """The table of the facts that `release` gives."""
    rows = []
    notes = members(Facts)
    for name, annotation in Facts.__annotations__.items():
        kind, *null = str(annotation).split(" | ")
        shown = TYPES[kind] + (" or null" if null else "")
        meaning = " ".join(notes[name].split())
        rows.append((f"`{name}`", shown, meaning + ("" if name in REQUIRED_FACTS else LEFT_OUT)))
    return markdown(rows, ("fact", "type", "meaning")) + "\n"


TABLES: dict[str, Callable[[], str]] = {
    "| knob | JSON |": protocol_knobs,
    "| capability |": capabilities,
    "| fact |": facts,
}
"""By how the head of each begins."""


def protocol_page(page: str) -> str:
    """The page with its tables and its section of verbs made again."""
    for head, table in TABLES.items():
        old = re.search(re.escape(head) + r".*\n(?:\|.*\n)+", page)
        if old is None:
            raise ValueError(f"the page has no table that begins with {head!r}")
        page = page.replace(old[0], table())
    return with_verbs(page)
