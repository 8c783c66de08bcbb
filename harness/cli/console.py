"""The console that subcommands print to: colour on a terminal only, and a width where there is none."""

from __future__ import annotations

import sys

from rich.console import Console

WIDTH = 100
"""Columns where there is no terminal."""


def console() -> Console:
    """A console on the present stdout. It folds no line of text, so that commands can be pasted; tables it does fold.

    NO_COLOR and FORCE_COLOR are honoured.
    """
    width = None if sys.stdout.isatty() else WIDTH
    return Console(file=sys.stdout, width=width, soft_wrap=True, highlight=False, markup=False, emoji=False)
