"""One connection as text, with every message and field."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.text.lines import WIDTH, folded, joined
from harness.report.text.messages_text import messages_text
from harness.report.text.session_text import UNKNOWN, session_rows
from harness.report.text.witnesses_text import witnesses_text

if TYPE_CHECKING:
    from rich.text import Text

    from harness.model.connection import Connection
    from harness.model.session import Session

LONGEST_HEX = 20
"""Bytes of hex that fit on a line; JSON and ``resumption session`` have the rest."""


def connection_text(connection: Connection, of: int | None = None, width: int = WIDTH) -> Text:
    """Everything about one connection except its commands."""
    text = witnesses_text(connection, of, width)
    if connection.last_session:
        text.append("\n  session\n", "bold").append(_session(connection.last_session, width))
    return text.append("\n  messages\n", "bold").append(messages_text(connection.transcript, width))


def _session(session: Session, width: int) -> Text:
    rows = session_rows(session, LONGEST_HEX)
    lines = [
        line for name, value in rows if value != UNKNOWN for line in folded(value, width, f"    {name:<24}  ", " " * 30)
    ]
    unknown = ", ".join(name for name, value in rows if value == UNKNOWN)
    return joined([*lines, *folded(f"{UNKNOWN}: {unknown}" if unknown else "", width, " " * 4)])
