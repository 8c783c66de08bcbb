"""The answer about a connection as text: the reason in one line, then its evidence, the remedy and the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from harness.explain.facts.origin import origin_of
from harness.model.reason import Question
from harness.model.tls import Outcome
from harness.report.text.lines import WIDTH, folded, joined, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model.connection import Connection
    from harness.model.reason import Expiry, Explanation, Finding
    from harness.report.account import Account

HEADS = {
    Question.NOT_OFFERED: ("offered no session: ", "cyan"),
    Question.DECLINED: ("was declined: ", "yellow"),
    Question.ABORTED: ("was aborted: ", "red"),
    Question.PSK_NOT_USED: ("was a full handshake without its external PSK: ", "cyan"),
    Question.RESUMED_BUT: ("was resumed{}, but ", "green"),
}
"""The answer to each question after "Connection 2", and the colour of its outcome."""


def answer(account: Account) -> Text:
    """One line with the outcome of the last connection, and the reason if there is one."""
    last = account.connections[-1]
    explanation = account.explanations.get(last.number)
    if last.disagreement:
        saw = ", ".join(f"{view.witness} {view.saw}" for view in last.views)
        return Text(f"The witnesses of connection {last.number} disagree: {saw}", "bold red")
    if explanation:
        return headline(last, explanation)
    if last.observed_outcome() is Outcome.FULL:
        why = "it had no session to offer" if last.client.driven else "it offered no session"
        return Text(f"Connection {last.number} was a full handshake{_by_psk(last)}: {why}", "bold cyan")
    if last.observed_outcome() is not Outcome.RESUMED:
        return Text(f"Connection {last.number} was {last.observed_outcome().value}", "bold")
    origin = origin_of(last.offered, account.connections[:-1])
    session = f" with the session of connection {origin.connection.number}" if origin else ""
    expiry = account.expiries.get(last.number)
    copy = f", the client's copy alone made {_older(expiry.copy)}" if expiry and expiry.copy else ""
    return Text(f"Connection {last.number} was resumed{_mechanism(last)}{session}{copy}", "bold green")


def _by_psk(connection: Connection) -> str:
    """The external PSK that the server chose; empty without one."""
    psk = connection.observed_external_psk
    return f" by the external PSK {psk.decode(errors='backslashreplace')!r}" if psk else ""


def why_text(connection: Connection, explanation: Explanation, width: int = WIDTH) -> Text:
    """The whole answer for a connection; several findings are numbered, in their order."""
    lines = [headline(connection, explanation)]
    if len(explanation.findings) == 1:
        return joined([*lines, *_finding(explanation.findings[0], width, "  ")])
    for place, finding in enumerate(explanation.findings, 1):
        title = folded(finding.title, width, f"  {place}. ", " " * 5)
        lines += [Text(line, "bold") for line in title]
        lines += map(Text, _finding(finding, width, " " * 5))
    return joined(lines)


def expiry_text(number: int, expiry: Expiry, width: int = WIDTH) -> Text:
    """How old the session was, the first age at which it does not resume, and the rule of each end."""
    first = expiry.first
    said = f"expires first at the {first[0]}, at an age of {first[1]} s" if first else "expires at neither end"
    lines = folded(f"The session that connection {number} resumed {said}", width, "", "  ")
    for name, limit in (("client", expiry.client), ("server", expiry.server)):
        if limit.why:
            line = limit_line(name, limit.age, limit.first_expired, limit.why)
            lines += folded(line, width, "  - ", "    ")
    return joined([Text(lines[0], "bold"), *lines[1:]])


def limit_line(name: str, age: int | None, first_expired: int | None, why: str) -> str:
    """How old the session was for an end, the first age in seconds at which it is too old, and the rule."""
    old = "of unknown age" if age is None else f"{age} s old"
    least = "" if first_expired is None else f", not resumed from {first_expired} s on"
    return f"{name}: {old}{least}; {why}"


def _older(seconds: int) -> str:
    return f"{abs(seconds)} s {'older' if seconds > 0 else 'younger'}"


def headline(connection: Connection, explanation: Explanation) -> Text:
    """The outcome of the connection, and the reason if there is exactly one, in one line of any length."""
    head, colour = HEADS[explanation.question]
    text = f"Connection {connection.number} {head.format(_mechanism(connection))}{_answer(explanation)}"
    return Text(printable(text), f"bold {colour}")


def _mechanism(connection: Connection) -> str:
    mechanism = connection.observed_mechanism
    return f" by {mechanism.value}" if mechanism else ""


def _answer(explanation: Explanation) -> str:
    """The only reason, or the number of reasons and whether they exclude each other."""
    findings = explanation.findings
    if len(findings) == 1:
        return findings[0].title
    if explanation.question is Question.RESUMED_BUT:
        return f"{len(findings)} things differ from a full handshake"
    return f"one of {len(findings)} reasons, the most likely first"


def _finding(finding: Finding, width: int, indent: str) -> Iterator[str]:
    for fact in finding.evidence:
        yield from folded(fact, width, f"{indent}- ", f"{indent}  ")
    for name, text in (
        ("What would confirm it", finding.tell_apart),
        ("What would change it", finding.remedy),
        ("Source", finding.source),
    ):
        if text:
            yield from folded(f"{name}: {text}", width, indent, f"{indent}  ")
