"""The console that subcommands print to: colour on terminals only, and a fixed width elsewhere."""

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
"""Maximum width of text on a wide terminal."""
PLAINER = str.maketrans("→←│…", "><|~")
"""Replacements for characters that the encoding of stdout cannot represent."""


def console() -> Console:
    """Return a console on stdout. It wraps tables but never text, so commands can be copied and pasted.

    NO_COLOR and FORCE_COLOR are honoured.
    """
    width = None if sys.stdout.isatty() else WIDTH
    return Console(file=sys.stdout, width=width, soft_wrap=True, highlight=False, markup=False, emoji=False)


def text_width(console: Console) -> int:
    """Return the width that text is wrapped to: the terminal's, up to a readable maximum."""
    return max(min(console.width, WIDEST), NARROWEST)


def encodable(text: Text, console: Console) -> Text:
    """Return the text in characters of the console's encoding, in the same width; ``?`` if there is no equivalent."""
    try:
        text.plain.encode(console.encoding)
    except UnicodeEncodeError:
        shown = text.copy()
        shown.plain = text.plain.translate(PLAINER).encode(console.encoding, "replace").decode(console.encoding)
        return shown
    return text
