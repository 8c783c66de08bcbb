"""An option or argument that names a file or a folder is a path that a file can have."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest

from harness.cli import main
from harness.cli.tests.test_help import ALL

if TYPE_CHECKING:
    from pathlib import Path

PATHS = [
    (*words, parameter.opts[0] if isinstance(parameter, click.Option) else "")
    for words, command in ALL.items()
    for parameter in command.params
    if isinstance(parameter.type, click.Path)
]
"""The words of a command and the option; no option for an argument."""


def test_the_paths_of_all_commands_are_walked() -> None:
    assert {("connect", "--story"), ("report", ""), ("builds", "make", "")} <= set(PATHS)


@pytest.mark.parametrize("words", PATHS, ids=" ".join)
def test_an_empty_path_is_refused_by_its_name(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    code = main([*words, ""] if words[-1] else [*words[:-1], ""])
    shown = capsys.readouterr()

    assert code == 2
    assert shown.out == ""
    assert shown.err.splitlines()[-1].startswith(f"Error: Invalid value for '{words[-1]}")
    assert shown.err.splitlines()[-1].endswith("': it is empty; give a path")


@pytest.mark.parametrize("words", PATHS, ids=" ".join)
def test_a_path_too_long_for_a_file_is_refused_and_cut(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    long = "x" * 5000
    code = main([*words, long] if words[-1] else [*words[:-1], long])
    shown = capsys.readouterr()

    assert code == 2
    assert shown.out == ""
    assert shown.err.splitlines()[-1].startswith(f"Error: Invalid value for '{words[-1]}")
    assert shown.err.splitlines()[-1].endswith(
        f"': '{'x' * 1000}… (5000 characters)': File name too long; give a shorter path"
    )


def test_a_link_to_itself_is_no_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "circle").symlink_to("circle")
    code = main(["report", str(tmp_path / "circle" / "results")])

    assert code == 2
    assert "Too many levels of symbolic links; give a path without links in a circle" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["diff", "libssl", "libssl"], ["behaviours"]], ids=" ".join)
@pytest.mark.parametrize("name", ["x" * 5000, f"{'x' * 5000}.py", f"{'x' * 5000}/test.py::test_it"], ids=len)
def test_a_long_argument_for_pytest_is_bad_usage(
    words: list[str], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([*words, name])

    assert code == 2
    assert capsys.readouterr().err.endswith(" characters): File name too long; give a shorter path\n")
