"""What the page shows of one cell, as plain JSON values; the script only lays out the texts."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from harness.report.json.shapes import SESSION_RULES
from harness.report.run.run_summary import BAD, connections
from harness.report.text.session_text import session_rows
from harness.report.text.why_text import limit_line
from harness.wire.session.json_fields import from_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.report.json.shapes import CellObject
    from harness.report.run.page.kept import Kept
    from harness.report.run.page.shared import Shared

SHORT = 16
"""Bytes of a ticket, an id or a digest that the page shows for a cell that passed; lengths are never cut."""
LEFT_OUT = ("hellos", "offered", "session", "messages", "views")
"""Keys of a connection that the page has in another form or does not have."""
ALONE = ("endpoints", "explanation", "commands", "circumstances")
"""Keys that many connections have with the same value."""

TRUNCATED = re.compile(r"\n\s*\.\.\.Full output truncated[^\n]*$")
"""pytest's hint at the end of the text of a failed assert."""


def detail(cell: CellObject, shared: Shared, kept: Kept | None = None) -> dict[str, Any]:
    """The object of a cell that the script shows, with the places of its connections; ``kept`` is its folder."""
    case: Mapping[str, Any] = cell["case"] or {}
    longest = None if cell["verdict"] in BAD else SHORT
    return {
        "reason": TRUNCATED.sub("\n… the rest is in evidence.txt", cell["reason"]),
        "assertion": cell.get("assertion"),
        "knobs": case.get("knobs", {}),
        "counters": case.get("counters"),
        "connections": [
            shared.of(connection, partial(_connection, longest=longest, shared=shared), longest)
            for connection in connections(cell)
        ],
        "files": [{"name": file.name, "href": file.href, "size": file.size} for file in kept.files] if kept else [],
        "output": dict(kept.output) if kept else {},
    }


def _connection(connection: Mapping[str, Any], longest: int | None, shared: Shared) -> dict[str, Any]:
    """Its own keys, and the places of those that other connections have as well."""
    own = {key: value for key, value in connection.items() if key not in LEFT_OUT and key not in ALONE}
    session = partial(_session, longest=longest, brief=connection.get("brief", False))
    parts = {key: shared.place(connection[key]) for key in ALONE if key in connection}
    parts["views"] = shared.of(connection["views"], _views)
    parts["messages"] = shared.place([shared.of(message, _message) for message in connection["messages"]])
    parts |= {key: shared.of(connection[key], session, longest) for key in ("offered", "session")}
    return {"own": {**own, "expiry": _expiry(connection.get("expiry"))}, "parts": parts}


def _views(views: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"witness": witness, **view} for witness, view in views.items()]


def _expiry(expiry: Mapping[str, Any] | None) -> list[str]:
    """A line for each end that is known to let the session of a resumed connection expire."""
    ends = [(name, expiry[name]) for name in ("client", "server")] if expiry else []
    return [limit_line(name, end["age"], end["first_expired"], end["why"]) for name, end in ends if end["why"]]


def _message(message: Mapping[str, Any]) -> list[Any]:
    """A message as a list, to save space: at, sender, type, length, encrypted, fields."""
    at = message["at"] if message["at"] is None else round(message["at"], 1)
    return [at, *(message[key] for key in ("sender", "type", "length", "encrypted", "fields"))]


def _session(session: Mapping[str, Any] | None, longest: int | None, *, brief: bool) -> dict[str, Any] | None:
    """Its client and its peer, and the name and text of each field; invalid values are shown unchanged."""
    if session is None:
        return None
    fields = {key: value for key, value in session.items() if key not in {"taken_by", "taken_from"}}
    texts = {name: fields[name] for name in SESSION_RULES if brief and isinstance(fields[name], str) and fields[name]}
    try:
        known = from_fields({name: value for name, value in fields.items() if name not in texts}, None)
        rows = [(name, texts.get(name, shown)) for name, shown in session_rows(known, longest)]
    except ValueError:
        rows = [(name, str(value)) for name, value in fields.items()]
    return {"by": session["taken_by"], "from": session["taken_from"], "rows": rows}
