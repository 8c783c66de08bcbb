"""Lines of text that fit: folded to a width, with what must stay together, and without what a terminal would obey."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

WIDTH = 100
"""Columns that no line exceeds where there is no terminal, but for a command, and for a word that is longer."""
NARROWEST = 60
"""Columns that text is made for at least; a narrower terminal folds it once more."""
TIED = "\N{NO-BREAK SPACE}"


def printable(text: str) -> str:
    """The text with control characters, line ends too, which a peer may have sent, as their numbers in hex."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == TIED else f"\\x{ord(c):02x}" for c in text)


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
    """The text for a column: words that are longer than it are in pieces, which end with an underscore if they can."""
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
    """The parts with a separator; one of at most ``longest`` columns with it is never folded within."""
    room = longest - len(separator)
    return f"{separator} ".join(part.replace(" ", TIED) if len(part) <= room else part for part in parts)


def unfolded(text: Text) -> Text:
    """The text so that no console folds it again: what is not folded by now is to be pasted."""
    text.no_wrap, text.overflow = True, "ignore"
    return text


def joined(lines: Iterable[Text | str]) -> Text:
    """The lines one below the other."""
    return Text("\n").join(line if isinstance(line, Text) else Text(line) for line in lines)
