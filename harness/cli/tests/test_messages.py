"""An error repeats what was typed on one line, readable and short, and holds nothing that a terminal obeys."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from harness.cli import main
from harness.cli.messages import quoted, show_error

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "arguments", "shown"),
    [
        ("there is no a\nb; name one", ["a\nb"], r"there is no a\x0ab; name one"),
        ("there is no a\nb; name one", ["--path=a\nb"], r"there is no a\x0ab; name one"),
        ("there is no /here/a\nb", ["a\nb"], r"there is no /here/a\x0ab"),
        ("two lines:\nthe second", ["a"], "two lines:\nthe second"),
        ("red: \x1b[31m, \u202e", [], r"red: \x1b[31m, \u202e"),
        ("bytes: \udcff", ["\udcff"], r"bytes: \udcff"),
        ("no build " + repr("x" * 2000), ["x" * 2000], f"no build '{'x' * 1000}… (2000 characters)'"),
        ("a\tb", [], "a\tb"),
        ("plain", ["", "=", "\n"], "plain"),
    ],
)
def test_what_was_typed_is_on_one_line(text: str, arguments: list[str], shown: str) -> None:
    assert quoted(text, arguments) == shown


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (OSError(errno.EACCES, "Permission denied", "/a\nb"), r"error: /a\x0ab: Permission denied"),
        (OSError(errno.ENAMETOOLONG, "File name too long", "/a"), "error: /a: File name too long; give a shorter path"),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            "error: standard output: No space left on device; free",
        ),
        (OSError("fileno"), "error: fileno"),
        (ValueError("of 2"), "error: of 2"),
    ],
)
def test_an_error_of_the_system_names_its_file(
    error: Exception, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    show_error(error, ["/a\nb"])

    assert capsys.readouterr().err.startswith(shown)


@pytest.mark.parametrize(
    "arguments",
    [
        ["report", "a\nb\x1b[31m"],
        ["builds", "make", "a\nb\x1b[31m"],
        ["explore", "libssl", "--from=a\nb\x1b[31m"],
        ["explore", "libssl", "--known=a\nb\x1b[31m"],
        ["watch", "--kind=a\nb\x1b[31m", "true", "{url}"],
        ["connect", "--story=a\nb\x1b[31m"],
        ["session", "a\nb\x1b[31m"],
    ],
    ids=" ".join,
)
def test_an_error_is_one_line_and_colours_nothing(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code = main(arguments)
    error = capsys.readouterr().err.splitlines()[-1]

    assert code == 2
    assert error.lower().startswith("error: ")
    assert r"a\x0ab\x1b[31m" in error or r"a\nb\x1b[31m" in error
    assert error.isprintable()


def test_a_path_of_bytes_that_are_no_text_is_shown(tmp_path: Path) -> None:
    done = subprocess.run(
        [os.fsencode(sys.executable), b"-m", b"harness.cli", b"report", b"\xff\xfe"],
        capture_output=True,
        cwd=tmp_path,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.startswith(rb"error: \udcff\udcfe does not exist; ")
