"""The example at the end of a command's help."""

from __future__ import annotations


def example(arguments: str) -> str:
    """Return the epilog of a command: one example to copy and paste."""
    return f"Example: resumption {arguments}"
