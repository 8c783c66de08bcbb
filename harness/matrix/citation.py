"""Checks that the docstring of a scenario file cites an RFC or a man page."""

from __future__ import annotations

import re

SOURCE = re.compile(r"\bRFC \d{3,5}\b|\b[\w-]+\([1-8]\w*\)")
"""What a scenario's docstring must cite: an RFC, or a man page such as SSL_CTX_set_timeout(3)."""


def uncited(docstring: str | None) -> str:
    """What is wrong with the docstring of a scenario file, empty if it says what it rests on."""
    if not docstring:
        return "a scenario file begins with a docstring: what happens, and the RFC section or man page that says so"
    if not SOURCE.search(docstring):
        return f"the docstring {docstring.splitlines()[0]!r} cites neither an RFC nor a man page, as in SSL_shutdown(3)"
    return ""
