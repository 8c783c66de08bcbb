"""What all commands say alike: the example in a command's help, and errors, which no terminal obeys."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from harness.cli import FULL, UNUSABLE

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_WORD = 1000
"""Characters of a word of the command line that an error repeats."""


def example(arguments: str) -> str:
    """Return the epilog of a command: one example to copy and paste."""
    return f"Example: resumption {arguments}"


def of_system(error: OSError) -> str:
    """Return what an error of the system says: its file, or stdout, the reason, and what to do where that is known."""
    known = {**FULL, **UNUSABLE}
    place = f"{error.filename}: " if error.filename else "standard output: " if error.errno in FULL else ""
    return f"{place}{error.strerror or error}" + (f"; {known[error.errno]}" if error.errno in known else "")


def show_error(error: object, arguments: Sequence[str] | None = None) -> None:
    """Print an error to stderr; ``arguments`` is the command line, by default sys.argv."""
    text = of_system(error) if isinstance(error, OSError) else str(error)
    click.echo(f"error: {quoted(text, sys.argv[1:] if arguments is None else arguments)}", err=True)


def quoted(text: str, arguments: Sequence[str]) -> str:
    r"""Return a message with each word of the command line on one line and short: ``a\x0ab``, ``aa… (5000 …)``.

    Other control characters in it are escaped as well.
    """
    from harness.report.text.lines import printable  # noqa: PLC0415 - only an error needs it

    words = {part for argument in arguments for part in _parts(argument)}
    for word in sorted(words, key=len, reverse=True):
        shown = printable(word)
        if len(word) > LONGEST_WORD:
            shown = f"{shown[:LONGEST_WORD]}… ({len(word)} characters)"
            text = text.replace(repr(word)[1:-1], shown)
        text = text.replace(word, shown) if shown != word else text
    return "\n".join("\t".join(map(printable, line.split("\t"))) for line in text.split("\n"))


def _parts(argument: str) -> list[str]:
    """What a message may repeat of a word: all of it, the value of its option, the file of its test."""
    value = argument.partition("=")[2]
    found = [argument, value, argument.partition("::")[0], value.partition("::")[0]]
    return [part for part in found if len(part) > 1]
