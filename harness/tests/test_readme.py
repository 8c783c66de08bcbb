"""The commands that README.md shows are commands that work; those that fetch, or run everything, are only parsed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from harness.cli import main

README = Path(__file__).parent.parent.parent / "README.md"
SHOWN = re.findall(r"^    resumption (.*?)(?: +#.*)?$", README.read_text(), re.MULTILINE)
RUN = [command for command in SHOWN if command.startswith(("connect", "stacks")) and "@" not in command]
NAMED = sorted({shlex.split(command)[0] for command in SHOWN})


def test_the_readme_shows_commands() -> None:
    assert len(RUN) >= 4
    assert NAMED == ["builds", "connect", "diff", "report", "run", "session", "stacks"]


@pytest.mark.parametrize("command", RUN)
def test_a_command_of_the_readme_works(capsys: pytest.CaptureFixture[str], command: str) -> None:
    code = main(shlex.split(command))

    assert capsys.readouterr().err == ""
    assert code == 0


@pytest.mark.parametrize("name", NAMED)
def test_a_command_of_the_readme_exists(capsys: pytest.CaptureFixture[str], name: str) -> None:
    code = main([name, "--help"])

    assert code == 0
    assert f"resumption {name}" in capsys.readouterr().out
