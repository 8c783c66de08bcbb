"""How long a wait may take, and the environment variable that stretches every wait."""

from __future__ import annotations

import math
import os

from harness.model.errors import UsageError

DEADLINE = 10.0
"""Seconds that a single wait may take by default."""
VARIABLE = "RESUMPTION_DEADLINE"
"""The environment variable that replaces DEADLINE and extends every other deadline by the same factor."""


def stretched(seconds: float) -> float:
    """Return the deadline extended by RESUMPTION_DEADLINE; UsageError if that is not a number above 0."""
    text = os.environ.get(VARIABLE)
    if not text:
        return seconds
    try:
        wanted = float(text)
    except ValueError:
        wanted = math.nan
    if not 0 < wanted < math.inf:
        raise UsageError(f"{VARIABLE} cannot be {text!r}; give seconds above 0, such as 60 (default: {DEADLINE:g})")
    return seconds * wanted / DEADLINE
