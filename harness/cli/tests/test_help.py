"""Every option of every command has a help text, every command an example, and what a page names exists."""

from __future__ import annotations

import re
from itertools import takewhile
from pathlib import Path
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


ROOT = Path(__file__).parents[3]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("benchmarks/*.md"), *ROOT.glob("harness/**/*.md")]
SOURCES = [file for file in ROOT.glob("harness/**/*.py") if "tests" not in file.parts and file.stem != "declared"]
NAMED = re.compile(r"`(?:[A-Z_]+=\S+ )?resumption ([^`]+)`")
"""A command within a sentence; several in a row, joined by `&&` and the like, are not written so."""


def wrong(text: str) -> str:
    """What does not exist in the words after ``resumption``: a command, a subcommand or an option; empty if all do."""
    words, path = text.split(), tuple[str, ...]()
    while words and (*path, words[0]) in ALL:
        path = (*path, words.pop(0))
    command = ALL.get(path)
    if command is None or (isinstance(command, click.Group) and words and re.fullmatch(r"[a-z]+", words[0])):
        return text
    if command.context_settings.get("ignore_unknown_options"):
        return ""  # they are pytest's
    known = {"--help", *(name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts))}
    options = [word.partition("=")[0] for word in takewhile(lambda word: word != "--", words) if word.startswith("--")]
    return ", ".join(option for option in options if option not in known)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("builds show", "builds show"),
        ("show", "show"),
        ("report results --agains=old", "--agains"),
        ("run --matrix same --maxfail=1", ""),
        ("builds fetch --again VERSION", ""),
        ("watch --kind=tls13 -- curl --insecure {url}", ""),
    ],
)
def test_a_command_that_does_not_exist_is_found(text: str, says: str) -> None:
    assert wrong(text) == says


def test_each_command_that_a_page_or_a_message_names_exists() -> None:
    files = [*PAGES, *SOURCES]
    found = [(file.relative_to(ROOT), text) for file in files for text in NAMED.findall(file.read_text())]

    assert len(found) > 100
    assert [(str(file), text) for file, text in found if wrong(text)] == []
