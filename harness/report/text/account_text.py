"""Several connections as text: the explanation, the timeline, the sessions, the witnesses, the commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from harness.report.text.breaches_text import breaches_text
from harness.report.text.commands_text import commands_text
from harness.report.text.connection_text import connection_text
from harness.report.text.lines import WIDTH, folded, joined, unfolded
from harness.report.text.session_difference_text import session_alone_text, session_difference_text
from harness.report.text.timeline_text import timeline_text
from harness.report.text.why_text import answer, expiry_text, headline, why_text
from harness.report.text.witnesses_text import counters_text, disagreement_text, outcome_line, witnesses_text

if TYPE_CHECKING:
    from harness.report.account import Account

MOST = 3
"""How many connections beyond the timeline, and how many of their reasons, are listed."""


def account_text(account: Account, width: int = WIDTH, *, whole: bool = False, report: str = "") -> Text:
    """The answer in one line, then its evidence; ``whole`` adds every message and field of every connection.

    ``report`` is pytest's report, which comes after the reason. Only an answer, a command and a longer word exceed
    ``width`` columns. Empty if there is neither a connection nor a report.
    """
    if not account.connections:
        return Text(report)
    first, reason = answer(account), why(account, width)
    parts = [
        Text() if reason.plain.startswith(first.plain) else first,
        reason,
        expiry(account, width),
        breaches_text(account, width),
        Text(report),
        beside(account, width),
        sessions(account, width),
        *(_all_connections(account, width) if whole else _two_connections(account, width)),
        counters_text(account.counters, width) if account.counters else Text(),
        commands_text(account.connections, width),
    ]
    return unfolded(Text("\n\n").join(part for part in parts if part.plain))


def why(account: Account, width: int = WIDTH) -> Text:
    """The explanation or the disagreement of the subject, then the reasons of others, one line each."""
    lines = [disagreement_text(account.subject, width)] if account.subject.disagreement else []
    explanation = account.explanations.get(account.subject.number)
    if explanation:
        lines.append(why_text(account.subject, explanation, width))
    others = [c for c in account.connections if c.number in account.explanations and c is not account.subject]
    lines += [headline(connection, account.explanations[connection.number]) for connection in others[:MOST]]
    if len(others) > MOST:
        lines.append(Text(f"{len(others) - MOST} more connections have a reason; --json shows them"))
    return joined(lines)


def expiry(account: Account, width: int = WIDTH) -> Text:
    """How long the session of the subject lasts, if it was resumed."""
    found = account.expiries.get(account.subject.number)
    return expiry_text(account.subject.number, found, width) if found else Text()


def beside(account: Account, width: int = WIDTH) -> Text:
    """The timeline of the subject beside that of the connection that its session comes from."""
    shown = [connection for connection in (account.before, account.subject) if connection]
    heads = [outcome_line(connection, len(account.connections)) for connection in shown]
    return timeline_text(account.subject, account.before, heads, width)


def sessions(account: Account, width: int = WIDTH) -> Text:
    """How the session that the subject yielded differs from the one that it offered or could have offered."""
    subject, before = account.subject, account.before
    offered, yielded = subject.offered or (before.last_session if before else None), subject.last_session
    number = subject.number
    if offered is None and yielded is None:
        return Text()
    if before is None or offered is None or yielded is None:
        title = f"The session that connection {number} {'yielded' if yielded else 'offered; it yielded none'}"
        return session_alone_text(title, yielded or offered, width)  # type: ignore[arg-type] # one of them is there
    if subject.offered is None:
        title, head = f"The sessions that connections {before.number} and {number} yielded", "before"
    elif subject.was_offered:
        title, head = f"The session that connection {number} offered, and the one that it yielded", "offered"
    else:
        title, head = f"The session that connection {number} was given but did not offer, and its own", "given"
    text = session_difference_text(title, (head, "yielded"), offered, yielded, width)
    edits = ", ".join(account.origin.edits) if account.origin else ""
    edited = f"edited since connection {before.number} yielded it: {edits}" if edits else ""
    return joined([text, *(Text(line, "yellow") for line in folded(edited, width, "  ", "    "))])


def _all_connections(account: Account, width: int) -> list[Text]:
    return [connection_text(connection, len(account.connections), width) for connection in account.connections]


def _two_connections(account: Account, width: int) -> list[Text]:
    """What the witnesses observed of both connections, and which others `resumption connect --all` shows."""
    pair = [connection for connection in (account.before, account.subject) if connection]
    texts = [witnesses_text(connection, len(account.connections), width) for connection in pair]
    if len(account.others) > MOST:
        return [*texts, Text(f"--all shows {len(account.others)} more connections")]
    others = "; ".join(outcome_line(connection).plain for connection in account.others)
    return [*texts, joined(folded(f"--all shows {others}" if others else "", width, "", "  "))]
