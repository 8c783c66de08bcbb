"""Hostile texts are literals and comments of sh, C and Python: read back, they are what they were, and nothing more."""

from __future__ import annotations

import ast
import subprocess

import pytest

from harness.reproduce import quoting

HOSTILE = (
    "'; touch x; '",
    '"; system("touch x"); "',
    "line\nline",
    "line\r\nline",
    "back\\slash\\",
    "*/ int x; /*",
    '""" + x + """',
    "$(touch x) `touch x` ${x}",
    "??/ ??' trigraph",
    "%s%n",
    "\x01\x1b[31m",
    "grün \u2028 \U0001f600",
    "-flag",
    "{{ 7 * 7 }}{% raw %}",
    "\xff then 1",
    "",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_shell_reads_the_word_back(text: str) -> None:
    ran = subprocess.run(["/bin/sh", "-c", f"printf %s {quoting.sh(text)}"], capture_output=True, check=True)

    assert ran.stdout.decode() == text


def test_a_shell_word_cannot_hold_nul() -> None:
    with pytest.raises(ValueError, match="NUL"):
        quoting.sh("a\0b")


@pytest.mark.parametrize("value", [*HOSTILE, b"\0\xff'\n1", 7, None, ("a", b"b"), {"a": 1}])
def test_python_reads_the_literal_back(value: object) -> None:
    literal = quoting.py(value)

    assert ast.literal_eval(literal) == value
    assert literal.isascii()


@pytest.mark.parametrize("text", HOSTILE)
def test_a_c_literal_is_one_line_of_ascii_that_only_its_own_quote_ends(text: str) -> None:
    literal = quoting.c(text)
    inside = literal[1:-1].replace("\\\\", "").replace('\\"', "")

    assert literal.isascii()
    assert literal.isprintable()
    assert '"' not in inside
    assert not inside.endswith("\\")
    assert "?" not in inside


def test_a_digit_behind_an_octal_escape_is_a_digit() -> None:
    assert quoting.c(b"\x011") == '"\\0011"'


@pytest.mark.parametrize("text", HOSTILE)
def test_a_comment_is_one_line_that_ends_no_comment(text: str) -> None:
    comment = quoting.line(text)

    assert comment.isascii()
    assert comment.isprintable()
    assert not any(end in comment for end in ("*/", "/*", '"""', "??/"))
    assert not comment.endswith("\\")
