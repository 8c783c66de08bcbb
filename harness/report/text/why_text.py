"""Why a connection is as it is, as text: the reason first, then its evidence, what would change it, and its source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from harness.model.reason import Question
from harness.report.text.lines import WIDTH, folded, joined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model.reason import Explanation, Finding

HEADS = {
    Question.NOT_OFFERED: ("Why connection {} offered no session", "cyan"),
    Question.DECLINED: ("Why connection {} was declined", "yellow"),
    Question.ABORTED: ("Why connection {} was aborted", "red"),
    Question.RESUMED_BUT: ("Connection {} was resumed, but", "green"),
}
"""How the answer to each question begins, and the colour of the outcome that it is about."""


def why_text(number: int, explanation: Explanation, width: int = WIDTH) -> Text:
    """The whole answer for connection ``number``; several findings are numbered, in their order."""
    lines = headline(number, explanation, width)
    if len(explanation.findings) == 1:
        return joined([*lines, *_finding(explanation.findings[0], width, "  ")])
    for place, finding in enumerate(explanation.findings, 1):
        title = folded(finding.title, width, f"  {place}. ", " " * 5)
        lines += [Text(line, "bold") for line in title]
        lines += map(Text, _finding(finding, width, " " * 5))
    return joined(lines)


def headline(number: int, explanation: Explanation, width: int = WIDTH) -> list[Text]:
    """The first line, or lines: the question, and the reason if there is but one."""
    head, colour = HEADS[explanation.question]
    begin = head.format(number)
    lines = folded(f"{begin}: {_answer(explanation)}", width, "", "  ")
    return [Text(line, f"bold {colour}" if place == 0 else "bold") for place, line in enumerate(lines)]


def _answer(explanation: Explanation) -> str:
    """The only reason, or how many there are and whether they exclude each other."""
    findings = explanation.findings
    if len(findings) == 1:
        return findings[0].title
    if explanation.question is Question.RESUMED_BUT:
        return f"{len(findings)} things are not as in a full handshake"
    return f"one of {len(findings)} reasons, the most likely first"


def _finding(finding: Finding, width: int, indent: str) -> Iterator[str]:
    for fact in finding.evidence:
        yield from folded(fact, width, f"{indent}- ", f"{indent}  ")
    for name, text in (
        ("What would tell it apart", finding.tell_apart),
        ("What would change it", finding.remedy),
        ("Source", finding.source),
    ):
        if text:
            yield from folded(f"{name}: {text}", width, indent, f"{indent}  ")
