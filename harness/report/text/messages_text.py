"""The messages of a connection: time, sender, type, length, and every field that the wire's reader reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from harness.report.text.lines import WIDTH, folded, tied

if TYPE_CHECKING:
    from harness.model.transcript import Message, Transcript

INDENT = " " * 14


def messages_text(transcript: Transcript, width: int = WIDTH) -> Text:
    """A line or more for each message; ``*`` marks one that was encrypted on the wire. Times are milliseconds."""
    lines = [f"    {'ms':>7}  from    bytes  message (* was encrypted)"]
    lines += [line for message in transcript.messages for line in _lines(message, width)]
    if not transcript.messages:
        lines = ["    none"]
    text = Text("\n".join(lines))
    for line in folded(f"not read to the end: {transcript.problem}" if transcript.problem else "", width, " " * 4):
        text.append(f"\n{line}", "red")
    return text


def _lines(message: Message, width: int) -> list[str]:
    star = "*" if message.encrypted else ""
    first = f"    {message.at * 1000:7.1f}  {message.sender.value:<6} {message.length:>6}  {message.type}{star}"
    fields = [f"{name} {value}" for name, value in message.fields.items()]
    return [first, *folded(tied(fields, ";", width - len(INDENT) - 1), width, INDENT)]
