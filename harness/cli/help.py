"""The example at the end of a command's help."""

from __future__ import annotations


def example(arguments: str) -> str:
    """The epilog of a command: one line to paste."""
    return f"Example: resumption {arguments}"
