"""What is printed fits the terminal, and the encoding of stdout."""

from __future__ import annotations

import io
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from rich.text import Text

from harness.cli.console import encodable, text_width
from harness.report.text.account_text import account_text
from harness.tests.made.accounts import declined13, hostile

if TYPE_CHECKING:
    from harness.report.account import Account


def latin() -> Console:
    """A console whose characters are those of Latin-1."""
    return Console(file=io.TextIOWrapper(io.BytesIO(), encoding="latin-1"), soft_wrap=True, width=100)


@pytest.mark.parametrize(("columns", "width"), [(20, 60), (80, 80), (100, 100), (300, 120)])
def test_text_is_as_wide_as_the_terminal_within_reason(columns: int, width: int) -> None:
    assert text_width(Console(width=columns)) == width


@pytest.mark.parametrize("account", [declined13(), hostile()])
def test_a_stdout_without_arrows_is_printed_to_all_the_same(account: Account) -> None:
    text = account_text(account)
    shown = encodable(text, latin())

    assert shown.plain.encode("latin-1")
    assert list(map(len, shown.plain.splitlines())) == list(map(len, text.plain.splitlines()))


def test_who_sent_what_is_seen_without_arrows_too() -> None:
    shown = encodable(Text("  0.5 → ClientHello │   2.0 ← ServerHello 9e3d…0202"), latin())

    assert shown.plain == "  0.5 > ClientHello |   2.0 < ServerHello 9e3d~0202"


def test_colour_stays() -> None:
    assert encodable(Text("→", "red"), latin()).style == "red"


def test_nothing_changes_where_nothing_has_to() -> None:
    text = Text("→")

    assert encodable(text, Console(file=io.TextIOWrapper(io.BytesIO(), encoding="utf-8"))) is text


@pytest.mark.parametrize(("closed", "answers"), [("<&-", 1), (">&-", 0), ("2>&-", 1), ("<&- >&- 2>&-", 0)])
def test_a_closed_stream_is_as_dev_null(closed: str, answers: int) -> None:
    options = "--client libssl --server ssl --tls 1.3 -q"
    line = f"{shlex.quote(sys.executable)} -m harness.cli connect {options} {closed}"
    done = subprocess.run(["/bin/sh", "-c", line], check=False, capture_output=True, text=True, timeout=60)

    assert done.returncode == 0
    assert done.stdout.count("was resumed by psk") == answers
    assert done.stderr == ""
