"""Connections as text for people, whole or as one line; it prints nothing and marks no connection as looked at."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.text import Text

from harness.model.errors import DisagreementError
from harness.model.tls import Outcome
from harness.report.messages_text import messages_text, wrapped
from harness.report.session_text import UNKNOWN, session_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.connection import Connection, Counters
    from harness.model.session import Session

STYLES = {
    Outcome.FULL: "cyan",
    Outcome.DECLINED: "yellow",
    Outcome.RESUMED: "green",
    Outcome.ABORTED: "red",
}
LONGEST_HEX = 20
"""Bytes of hex that fit on a line; JSON and ``resumption session`` have the rest."""


def case_text(connections: Sequence[Connection]) -> Text:
    """Everything about several connections; its lines are never folded, so that commands can be pasted."""
    parts = [connection_text(connection, of=len(connections)) for connection in connections]
    return _unfolded(Text("\n\n").join(parts))


def connection_text(connection: Connection, of: int | None = None) -> Text:
    """Everything about one connection: outcome, views, what was offered and yielded, messages, commands."""
    text = outcome_line(connection, of)
    for line in connection.describe().splitlines()[1:]:
        text.append(f"\n{line}")
    for name, value in _facts(connection):
        text.append(f"\n  {name:<7} ", "bold").append(value)
    if connection.taken:
        text.append("\n  session", "bold").append(_session(connection.taken))
    text.append("\n  messages\n", "bold").append(messages_text(connection.transcript))
    for end in (connection.client, connection.server):
        if end.commands:
            text.append(f"\n  commands of the {end.view.witness}", "bold")
            text.append("".join(f"\n    {command}" for command in end.commands))
    return _unfolded(text)


def counters_text(counters: Counters) -> str:
    """``Counters of the server: accept 2, hits 1; 0: misses``; zeros come last, unknown ones are left out."""
    told = {name: value for name, value in asdict(counters).items() if value is not None}
    counted = ", ".join(f"{name} {value}" for name, value in told.items() if value)
    zeros = ", ".join(name for name, value in told.items() if not value)
    return f"Counters of the server: {counted or 'none'}" + (f"; 0: {zeros}" if zeros else "")


def outcome_line(connection: Connection, of: int | None = None) -> Text:
    """``Connection 2 of 2: resumed by psk``; a disagreement is named in place of the outcome."""
    text = Text(f"Connection {connection.number}{f' of {of}' if of else ''}: ", "bold")
    try:
        outcome = connection.judged()
    except DisagreementError:
        return text.append(f"{connection.disagreement}", "bold red")
    text.append(outcome.value, STYLES[outcome])
    if outcome is Outcome.RESUMED and connection.mechanism_seen:
        text.append(f" by {connection.mechanism_seen.value}")
    return text


def _facts(connection: Connection) -> list[tuple[str, str]]:
    offered = connection.offered
    facts = [("offered", _named(offered) + ("" if connection.was_offered else "; it was not sent"))] if offered else []
    alert = connection.told_alert()
    if alert:
        facts.append(("alert", str(alert)))
    client, wire = connection.told_tickets()
    shown = "unknown" if client is None and wire is None else str(client if wire is None else wire)
    if client is not None and wire is not None and client != wire:
        shown = f"the client counts {client}, the wire shows {wire}"
    facts += [("tickets", shown), ("close", connection.close.value)]
    if connection.blocked:
        facts.append(("blocked", connection.blocked))
    errors = [f"{view}: {error}" for view in ("client", "server") for error in getattr(connection, view).errors]
    return facts + [("error", error) for error in errors]


def _named(session: Session) -> str:
    """Enough to tell a session from another one."""
    identity = session.get("session_id")
    name = f"session {identity.hex()[:16]}…" if isinstance(identity, bytes) and identity else "session"
    return " ".join([name, *_origin("taken by", session.taken_by), *_origin("from", session.taken_from)])


def _origin(word: str, who: str) -> list[str]:
    return [f"{word} {who}"] if who else []


def _session(session: Session) -> str:
    rows = session_rows(session, LONGEST_HEX)
    lines = [f"    {name:<24}  {value}" for name, value in rows if value != UNKNOWN]
    unknown = [name for name, value in rows if value == UNKNOWN]
    if unknown:
        lines += wrapped(f"unknown: {', '.join(unknown)}", " " * 4)
    return "".join(f"\n{line}" for line in lines)


def _unfolded(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ignore"
    return text
