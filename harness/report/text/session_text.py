"""The fields of a session as text, one row each: bytes as hex with their length, times as ISO 8601 in UTC."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from harness.model.session import SESSION_FIELDS
from harness.model.tls import TLSVersion
from harness.wire.names import GROUPS
from harness.wire.session.certificate import VERIFY_RESULTS
from harness.wire.suites import SUITES

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table

    from harness.model.session import Session

UNKNOWN = "unknown"
FRAGMENTS = {1: 512, 2: 1024, 3: 2048, 4: 4096}
"""TLSEXT_max_fragment_length_* and the bytes that they stand for (RFC 6066, 4)."""


def session_rows(session: Session, longest: int | None = None) -> list[tuple[str, str]]:
    """Name and value of every field, in the order of SESSION_FIELDS; ``unknown`` if the stack does not report it.

    Hex beyond ``longest`` bytes is cut; the length before it is always the full one.
    """
    return [(name, _shown(session, name, longest)) for name in SESSION_FIELDS]


def session_table(session: Session) -> Table:
    """The rows as a table, with full values folded to the available width."""
    from rich.table import Table  # noqa: PLC0415 - only `resumption session` shows one
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in session_rows(session):
        table.add_row(Text(name), Text(value, style="dim" if value == UNKNOWN else ""))
    return table


def moment(seconds: int) -> str:
    """Seconds since the epoch as ``2026-11-21T20:58:06Z``; empty for a time beyond the calendar."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, OSError, ValueError):
        return ""


def hexadecimal(value: bytes, longest: int | None = None) -> str:
    """``3 bytes  0a0b0c``, with the text in quotes where it is printable ASCII."""
    if not value:
        return "empty"
    text = value.decode("ascii", "replace") if value.isascii() else ""
    quoted = f'  "{text}"' if text and text.isprintable() and len(text) <= (longest or len(text)) else ""
    return f"{len(value)} byte{'s' if len(value) > 1 else ''}  {_cut(value, longest)}{quoted}"


def _cut(value: bytes, longest: int | None) -> str:
    return value.hex() if longest is None or len(value) <= longest else f"{value[:longest].hex()}…"


def _shown(session: Session, name: str, longest: int | None) -> str:
    value = session.get(name)
    if name == "timeout" and isinstance(value, int):
        return _timeout(value, session.get("time"))
    if name in {"peer_certificate", "peer_rpk"} and isinstance(value, bytes) and value:
        return f"{len(value)} bytes  SHA-256 {_cut(hashlib.sha256(value).digest(), longest)}"
    if isinstance(value, bytes):
        return hexadecimal(value, longest)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return NUMBERS.get(name, str)(value)
    return _none(session, name) if value is None else _text(value)


def _none(session: Session, name: str) -> str:
    return "none that the harness speaks" if name == "version" and session.get("protocol") else UNKNOWN


def _text(value: object) -> str:
    if isinstance(value, TLSVersion):
        return value.label
    text = str(value)
    return (text if text.isprintable() else text.encode("unicode_escape").decode()) or "empty"


def _timeout(seconds: int, start: object) -> str:
    end = moment(start + seconds) if isinstance(start, int) else ""
    return f"{seconds} s, until {end}" if end else f"{seconds} s"


def _cipher(number: int) -> str:
    suite = SUITES.get(number)
    return f"0x{number:04x}  {suite.name}" if suite else f"0x{number:04x}"


def _named(number: int, name: str | None) -> str:
    return f"{number}  {name}" if name else str(number)


NUMBERS: dict[str, Callable[[int], str]] = {
    "cipher": _cipher,
    "master_key_length": "{} bytes".format,
    "time": lambda n: _named(n, moment(n)),
    "verify_result": lambda n: _named(n, VERIFY_RESULTS.get(n)),
    "ticket_length": "{} bytes".format,
    "lifetime_hint": lambda n: f"{n} s" if n else "0  none",
    "max_early_data": "{} bytes".format,
    "max_fragment_length_mode": lambda n: _named(n, f"{FRAGMENTS[n]} bytes" if n in FRAGMENTS else None),
    "flags": "0x{:x}".format,
    "compression": lambda n: _named(n, {0: "none", 1: "DEFLATE"}.get(n)),
    "kex_group": lambda n: _named(n, GROUPS.get(n)) if n else "0  not recorded",
}
"""How a number is shown: with its unit or its name."""
