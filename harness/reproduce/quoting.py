"""Quotes any text for sh, C, Python and Markdown, as a literal or in a comment."""

from __future__ import annotations

import shlex

ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}


def sh(value: object) -> str:
    """Return one word of a POSIX shell; ValueError for a NUL, which no argument can contain."""
    text = str(value)
    if "\0" in text:
        raise ValueError("no argument of a program can hold a NUL byte")
    return shlex.quote(text)


def c(value: object) -> str:
    """Return a C string literal of text (as UTF-8) or bytes, with octal escapes, whose length is fixed."""
    data = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
    return '"' + "".join(_c_byte(byte) for byte in data) + '"'


def _c_byte(byte: int) -> str:
    char = chr(byte)
    if char in ESCAPED:
        return ESCAPED[char]
    # a question mark could begin a trigraph
    plain = char.isascii() and char.isprintable() and char != "?"
    return char if plain else f"\\{byte:03o}"


def py(value: object) -> str:
    """Return a Python literal in ASCII of text, bytes, numbers, None, and tuples, lists and dicts of these."""
    return ascii(value)


def line(value: object) -> str:
    """Return one line for a comment in sh, C or Python: printable ASCII without ``*/``, ``/*`` and triple quotes.

    A backslash at the end gets a space, because it would continue a line of C.
    """
    text = str(value).encode("ascii", "backslashreplace").decode()
    text = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
    text = text.replace("*/", "* /").replace("/*", "/ *").replace('"""', "'''").replace("??/", "? ?/")
    return text + " " if text.endswith("\\") else text


def md(value: object) -> str:
    """Return text on one line without Markdown syntax, also for a table."""
    text = line(value)
    for char in "\\`*_[]<>|#&":
        text = text.replace(char, f"\\{char}")
    return text


def fence(value: object) -> str:
    """Return lines for a fence of three backticks, which they cannot close."""
    return "\n".join(line(text).rstrip().replace("```", "'''") for text in str(value).splitlines())
