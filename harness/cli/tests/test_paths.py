"""An option or argument that names a file or a folder is never empty."""

from __future__ import annotations

import click
import pytest

from harness.cli import main
from harness.cli.tests.test_help import ALL

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
