"""The console that subcommands print to: colour on a terminal only, and no line narrower than people can read."""

from __future__ import annotations

import sys

from rich.console import Console

WIDTH = 100
"""Columns where there is no terminal."""


def console() -> Console:
    """A console on the present stdout; NO_COLOR and FORCE_COLOR are honoured."""
    return Console(
        file=sys.stdout, width=None if sys.stdout.isatty() else WIDTH, highlight=False, markup=False, emoji=False
    )
