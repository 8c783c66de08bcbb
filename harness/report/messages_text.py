"""The messages of a connection as a timeline: when, who, what, how long, and what of it matters for resumption."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from harness.model.transcript import Message, Transcript

WIDTH = 100
"""Columns that no line exceeds, but for a single word that is longer."""
INDENT = " " * 14
LONGEST = WIDTH - len(INDENT)
"""Columns of a field that stays on one line."""
TIED = "\N{NO-BREAK SPACE}"


def messages_text(transcript: Transcript) -> Text:
    """A line or more for each message; ``*`` marks one that was encrypted on the wire. Times are milliseconds."""
    lines = [f"    {'ms':>7}  from    bytes  message (* was encrypted)"]
    lines += [line for message in transcript.messages for line in _lines(message)]
    if not transcript.messages:
        lines = ["    none"]
    text = Text("\n".join(lines))
    if transcript.problem:
        text.append(f"\n    not read to the end: {transcript.problem}", "red")
    return text


def _lines(message: Message) -> list[str]:
    star = "*" if message.encrypted else ""
    first = f"    {message.at * 1000:7.1f}  {message.sender.value:<6} {message.length:>6}  {message.type}{star}"
    fields = [f"{name} {value}" for name, value in message.fields.items()]
    return [first, *wrapped("; ".join(field.replace(" ", TIED) if len(field) < LONGEST else field for field in fields))]


def wrapped(text: str, indent: str = INDENT) -> list[str]:
    """The text in lines of at most WIDTH columns, each indented; words that are TIED stay together."""
    lines = textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return [line.replace(TIED, " ") for line in lines]
