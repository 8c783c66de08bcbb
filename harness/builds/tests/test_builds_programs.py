"""A program that fails, hangs or is not there becomes an error that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.builds.programs import CommandError, command, followed
from harness.model.errors import stretched

if TYPE_CHECKING:
    from pathlib import Path


def test_what_a_program_prints_is_given() -> None:
    assert command(["sh", "-c", "echo out; echo err >&2"], 10) == "out\nerr\n"


@pytest.mark.parametrize(
    ("argv", "seconds", "said"),
    [
        (["/nowhere/openssl"], 10, "did not start: No such file or directory"),
        (["sh", "-c", "echo why; exit 3"], 10, r"(?s)failed \(exit code 3\).*why"),
        (["sh", "-c", "exec sleep 60"], 0.1, "was not done after SECONDS s"),
    ],
)
def test_a_program_that_does_not_work_says_why(argv: list[str], seconds: float, said: str) -> None:
    with pytest.raises(CommandError, match=said.replace("SECONDS", f"{stretched(seconds):g}")):
        command(argv, seconds)


def test_lines_are_handed_over_as_they_come(tmp_path: Path) -> None:
    lines: list[str] = []
    followed(["sh", "-c", "echo one; echo two"], 10, tmp_path, lines.append)

    assert lines == ["one", "two"]


@pytest.mark.parametrize(
    ("argv", "seconds", "said"),
    [
        (["/nowhere/make"], 10, "did not start"),
        (["sh", "-c", "echo why; exit 3"], 10, r"(?s)failed \(exit code 3\).*why"),
        (["sh", "-c", "exec sleep 60"], 0.1, "was not done after"),
    ],
)
def test_a_followed_program_that_does_not_work_says_why(
    argv: list[str], seconds: float, said: str, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match=said):
        followed(argv, seconds, tmp_path, lambda _line: None)
