"""Any text as a literal of sh, of C and of Python, and as a comment of each, and in Markdown."""

from __future__ import annotations

import shlex

ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t"}


def sh(value: object) -> str:
    """One word of a POSIX shell; ValueError for a NUL, which no argument can hold."""
    text = str(value)
    if "\0" in text:
        raise ValueError("no argument of a program can hold a NUL byte")
    return shlex.quote(text)


def c(value: object) -> str:
    """A C string literal of text (as UTF-8) or bytes. Its escapes are octal: they end by themselves."""
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
    """A Python literal in ASCII: of text, bytes, numbers, None, and of tuples, lists and dicts of these."""
    return ascii(value)


def line(value: object) -> str:
    """One line for a comment of sh, C or Python: printable ASCII, no ``*/``, ``/*`` or triple quotes in it.

    A backslash at its end is escaped too, for in C it would go on with the next line.
    """
    text = str(value).encode("ascii", "backslashreplace").decode()
    text = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
    text = text.replace("*/", "* /").replace("/*", "/ *").replace('"""', "'''").replace("??/", "? ?/")
    return text + " " if text.endswith("\\") else text


def md(value: object) -> str:
    """Text on one line that Markdown takes for nothing but text, in a table too."""
    text = line(value)
    for char in "\\`*_[]<>|#&":
        text = text.replace(char, f"\\{char}")
    return text


def fence(value: object) -> str:
    """Lines within a fence of three backticks, which they cannot end."""
    return "\n".join(line(text).rstrip().replace("```", "'''") for text in str(value).splitlines())
