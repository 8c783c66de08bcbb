"""Folds text to a width and removes control characters."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

WIDTH = 100
"""The width without a terminal; only commands and longer words exceed it."""
NARROWEST = 60
"""The least width; a narrower terminal folds the text again."""
TIED = "\N{NO-BREAK SPACE}"


def printable(text: str) -> str:
    """The text with control characters, which a peer may have sent, line ends and bytes of no character as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == TIED else _escape(ord(c)) for c in text)


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - of one byte


def folded(text: str, width: int = WIDTH, first: str = "", rest: str | None = None) -> list[str]:
    """The text in lines of at most ``width`` columns, the first one after ``first``, the others after ``rest``.

    A word that is longer than a line is left whole, so that it can be found and pasted.
    """
    lines = textwrap.wrap(
        printable(text),
        width,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(TIED, " ") for line in lines]


def cut(text: str, room: int) -> str:
    """The text for a column: longer words are split, after an underscore if possible."""
    pieces = []
    for word in text.split(" "):
        rest = word
        while len(rest) > room:
            end = rest.rfind("_", 0, room) + 1 or room
            pieces.append(rest[:end])
            rest = rest[end:]
        pieces.append(rest)
    return " ".join(pieces)


def tied(parts: Iterable[str], separator: str, longest: int) -> str:
    """The parts with a separator; a part of at most ``longest`` columns is never folded."""
    room = longest - len(separator)
    return f"{separator} ".join(part.replace(" ", TIED) if len(part) <= room else part for part in parts)


def unfolded(text: Text) -> Text:
    """The text, marked so that no console folds it again: long lines are for pasting."""
    text.no_wrap, text.overflow = True, "ignore"
    return text


def joined(lines: Iterable[Text | str]) -> Text:
    """The lines joined by line ends."""
    return Text("\n").join(line if isinstance(line, Text) else Text(line) for line in lines)
