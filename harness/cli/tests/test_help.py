"""Every option of every command has a help text, and every command an example."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest

from harness.cli import main
from harness.cli.command import SUBCOMMANDS, cli

if TYPE_CHECKING:
    from collections.abc import Iterator


def commands(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Each command below a group, with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)


ALL = dict(commands(cli))


def test_every_command_is_walked() -> None:
    assert {path[0] for path in ALL} == set(SUBCOMMANDS)
    assert ("builds", "fetch") in ALL


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_each_option_has_a_help_text(path: tuple[str, ...]) -> None:
    options = [parameter for parameter in ALL[path].params if isinstance(parameter, click.Option)]

    assert [option.opts for option in options if not (option.help or "").strip().endswith((".", ")"))] == []
    assert [option.opts for option in options if option.hidden] == []


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_each_help_shows_an_example_of_its_command(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    code = main([*path, "--help"])
    shown = " ".join(capsys.readouterr().out.split())

    assert code == 0
    assert f"Example: resumption {' '.join(path)}" in shown
