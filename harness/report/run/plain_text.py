"""The explanation of a cell, and a time, as plain text for Markdown and JUnit."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from harness.report.run.run_summary import breaches, explained

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.report.json.shapes import CellObject

ADVICE = (("What would confirm it", "tell_apart"), ("What would change it", "remedy"), ("Source", "source"))
MOST = 3
"""How many connections of a cell are explained; the page has all."""
ASKED = {
    "not_offered": "offered no session",
    "declined": "was declined",
    "aborted": "was aborted",
    "resumed_but": "was resumed, but",
    "psk_not_used": "did not use its external PSK",
}


def findings_text(cell: CellObject) -> str:
    """The explanations of the last connections that have one, and the broken rules; empty if there are none."""
    lines = [line for connection in explained(cell)[:MOST] for line in _explanation(connection)]
    return "\n".join([*lines, *breach_lines(cell)])


def breach_lines(cell: CellObject) -> list[str]:
    """The rules of the RFCs that its connections break, each with its evidence."""
    lines = []
    for breach in breaches(cell).values():
        who = breach["who"] or "an endpoint"
        lines.append(f"{who} breaks {breach['source']} ({breach['level']}): {breach['sentence']} [{breach['rule']}]")
        lines += [f"    - {line}" for line in breach["evidence"]]
    return lines


def _explanation(connection: Mapping[str, Any]) -> list[str]:
    explanation = connection["explanation"]
    head = f"Connection {connection['number']} {ASKED[explanation['question']]}:"
    return [head, *(line for one in explanation["findings"] for line in _finding(one))]


def _finding(one: Mapping[str, Any]) -> list[str]:
    lines = [f"  {one['title']} [{one['reason']}]", *(f"    - {line}" for line in one["evidence"])]
    advice = ((name, one[key]) for name, key in ADVICE)
    return [*lines, *(f"    {name}: {text}" for name, text in advice if text)]


def well_formed(text: str) -> str:
    """The text with U+FFFD for each lone surrogate, which an address cannot have."""
    return re.sub("[\ud800-\udfff]", "\ufffd", text)


def moment(stamp: str) -> str:
    """``2026-11-21 23:36:21 UTC`` from an ISO 8601 text; other text is returned unchanged."""
    try:
        return datetime.fromisoformat(stamp).strftime("%Y-%m-%d %H:%M:%S %Z").strip()
    except ValueError:
        return stamp
