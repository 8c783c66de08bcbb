"""The report sections and evidence files of a cell that did not pass, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.text.account_text import account_text, beside, sessions, why
from harness.report.text.breaches_text import breaches_text
from harness.report.text.commands_text import commands_script, commands_text
from harness.report.text.why_text import headline
from harness.report.text.witnesses_text import counters_text, witnesses_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.model.connection import Connection
    from harness.report.account import Account

LINES = 12
"""How many lines of the beginning and of the end of an end's output a report shows; the folder has all."""


def compared(account: Account) -> list[str]:
    """The lines for an unexpected outcome: the reason, and what the witnesses observed.

    They are short, because pytest cuts more than ten lines; the sections have the rest.
    """
    subject = account.subject
    explanation = account.explanations.get(subject.number)
    lines = [headline(subject, explanation).plain] if explanation else []
    return [*lines, *subject.describe().splitlines()]


def sections(account: Account) -> Iterator[tuple[str, str]]:
    """Title and text of each section about the subject of a failed test, the reason first."""
    if not account.connections:
        return
    subject, before = account.subject, account.before
    pair = [connection for connection in (before, subject) if connection]
    shown = f"connections {before.number} and {subject.number}" if before else f"connection {subject.number}"
    if reason := why(account).plain:
        yield f"explanation of connection {subject.number}", reason
    if broken := breaches_text(account).plain:
        yield "rules of the RFCs", broken
    yield f"messages of {shown}", beside(account).plain
    if difference := sessions(account).plain:
        yield f"sessions of {shown}", difference
    chosen = [c for c in account.connections if c.disagreement or c in pair]
    witnesses = [witnesses_text(connection, len(account.connections)).plain for connection in chosen]
    yield "witnesses", "\n".join(witnesses)
    if account.counters:
        yield "counters", counters_text(account.counters).plain
    if ran := commands_text(pair).plain:
        yield f"commands of {shown}", ran
    for end in (subject.client, subject.server):
        if end.output:
            title = f"output of {end.view.witness} {end.view.name}, connection {subject.number}"
            yield title, shortened(end.output)


def shortened(text: str) -> str:
    """The text without its middle lines, and how many were cut."""
    lines = text.splitlines()
    left = len(lines) - 2 * LINES
    if left <= 1:
        return text
    return "\n".join([*lines[:LINES], f"… {left} more lines in the folder of this cell …", *lines[-LINES:]])


def files(account: Account, report: str = "") -> dict[str, str]:
    """Texts by file name; ``report`` is pytest's own report of the failure."""
    connections = account.connections
    keylog = dict.fromkeys(line for c in connections for end in (c.client, c.server) for line in end.keylog)
    return {
        "evidence.txt": f"{account_text(account, whole=True, report=report).plain}\n",
        "commands.sh": commands_script(connections),
        "client-output.txt": _output(connections, "client"),
        "server-output.txt": _output(connections, "server"),
        "keylog.txt": "\n".join([*keylog, ""]) if keylog else "",
    }


def _output(connections: Sequence[Connection], role: str) -> str:
    ends = [(connection.number, getattr(connection, role)) for connection in connections]
    return "\n".join(f"== connection {number}, {end.view.name}\n{end.output}" for number, end in ends if end.output)
