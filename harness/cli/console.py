"""The console that subcommands print to: colour on a terminal only, and a width where there is none."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console

from harness.report.text.lines import NARROWEST

if TYPE_CHECKING:
    from rich.text import Text

WIDTH = 100
"""Columns where there is no terminal."""
WIDEST = 120
"""Columns that text takes of a wide terminal."""
PLAINER = str.maketrans("→←│…", "><|~")
"""What stands for the characters of a text where the encoding of stdout has none of them."""


def console() -> Console:
    """A console on the present stdout. It folds no line of text, so that commands can be pasted; tables it does fold.

    NO_COLOR and FORCE_COLOR are honoured.
    """
    width = None if sys.stdout.isatty() else WIDTH
    return Console(file=sys.stdout, width=width, soft_wrap=True, highlight=False, markup=False, emoji=False)


def text_width(console: Console) -> int:
    """The columns that text is folded to: those of the terminal, but no line gets too long to be read."""
    return max(min(console.width, WIDEST), NARROWEST)


def encodable(text: Text, console: Console) -> Text:
    """The text in characters that the console's encoding has, in as many columns; ``?`` where it has none like it."""
    try:
        text.plain.encode(console.encoding)
    except UnicodeEncodeError:
        shown = text.copy()
        shown.plain = text.plain.translate(PLAINER).encode(console.encoding, "replace").decode(console.encoding)
        return shown
    return text
