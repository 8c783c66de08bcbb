"""One connection of a foreign client as text: the outcome and its reason in one line, or with all evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.text.breaches_text import breaches_text
from harness.report.text.lines import WIDTH, joined, unfolded
from harness.report.text.why_text import answer, expiry_text, why_text
from harness.report.text.witnesses_text import disagreement_text, witnesses_text

if TYPE_CHECKING:
    from rich.text import Text

    from harness.report.account import Account


def visit_text(account: Account, width: int = WIDTH, *, whole: bool = False) -> Text:
    """What is to be said of the last connection of an account; ``whole`` adds the evidence and both witnesses.

    A rule that the client or the server breaks is always shown.
    """
    last = account.connections[-1]
    explanation, expiry = account.explanations.get(last.number), account.expiries.get(last.number)
    parts = [why_text(last, explanation, width) if whole and explanation else answer(account)]
    if last.disagreement:
        parts.append(disagreement_text(last, width))
    if whole and expiry:
        parts.append(expiry_text(last.number, expiry, width))
    parts.append(breaches_text(account, width))
    if whole and not last.disagreement:
        parts.append(witnesses_text(last, None, width))
    return unfolded(joined([part for part in parts if part.plain]))
