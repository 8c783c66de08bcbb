"""The text about several connections is byte by byte what harness/tests/golden/ holds, and fits."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from harness.model.connection import Connection
from harness.model.tls import USUAL_VERSIONS
from harness.report.account import account
from harness.report.failed_cell import files
from harness.report.text.account_text import account_text
from harness.report.text.tests import golden_texts as golden
from harness.tests.made import accounts as made

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from harness.report.account import Account

ACCOUNTS = [
    made.declined13,
    made.declined12,
    made.resumed12,
    made.resumed_but,
    made.aborted12,
    made.not_offered,
    made.edited,
    made.disagreement,
    made.several,
    made.alone,
    made.hostile,
    made.nothing,
]
ANEW = (
    "if it is meant so: python -m harness.report.text.tests.golden_texts, and look at the difference before you commit"
)


@pytest.mark.parametrize("name", golden.TEXTS)
def test_a_text_is_its_golden_file(name: str) -> None:
    assert (golden.FOLDER / name).read_bytes().decode() == golden.TEXTS[name](), ANEW


def test_each_golden_file_is_a_text() -> None:
    assert {path.name for path in golden.FOLDER.iterdir()} == set(golden.TEXTS)


def wide(text: str, width: int) -> list[str]:
    """The lines that are too wide, but for commands and for answers, which stay one line."""
    unfolded = re.compile(r"    (openssl|python) |Connection \d+ (was|offered) |The witnesses of connection ")
    return [line for line in text.splitlines() if len(line) > width and not unfolded.match(line)]


@pytest.mark.parametrize("width", [120, 100, 80, 72, 71])
@pytest.mark.parametrize("make", ACCOUNTS)
def test_only_answers_and_commands_are_wider_than_the_terminal(make: Callable[[], Account], width: int) -> None:
    text = account_text(make(), width).plain

    assert wide(text, width) == []


@pytest.mark.parametrize("make", ACCOUNTS)
def test_no_other_line_of_the_evidence_is_wider_than_100_columns(make: Callable[[], Account]) -> None:
    assert wide(files(make())["evidence.txt"], 100) == []


@pytest.mark.parametrize("make", ACCOUNTS)
def test_telling_does_not_count_as_looking(make: Callable[[], Account]) -> None:
    shown = make()
    account_text(shown, whole=True)

    assert [connection.number for connection in shown.connections if connection.asserted] == []


@pytest.mark.parametrize("make", ACCOUNTS)
def test_nothing_that_a_terminal_would_obey_is_reported(make: Callable[[], Account]) -> None:
    text = account_text(make(), whole=True).plain

    assert [line for line in text.splitlines() if not line.isprintable()] == []


def test_no_lines_are_made_of_what_a_peer_sent() -> None:
    shown = account_text(made.hostile(), whole=True).plain.splitlines()

    assert [line for line in shown if line.startswith("Connection 2: resumed")] == []


def printed(*, terminal: bool) -> str:
    out = io.StringIO()
    Console(file=out, force_terminal=terminal, width=100, soft_wrap=True).print(account_text(made.declined13()))
    return out.getvalue()


def test_colour_is_for_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")

    assert "\x1b[" in printed(terminal=True)
    assert "\x1b[" not in printed(terminal=False)


def test_colour_changes_no_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")

    assert re.sub(r"\x1b\[[\d;]*m", "", printed(terminal=True)) == printed(terminal=False)


def test_no_colour_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")

    assert not re.search(r"\x1b\[[\d;]*3\dm", printed(terminal=True))


def test_a_mask_keeps_apart_what_differs() -> None:
    shown = "  1.5 → ClientHello (216)   │ 999.9 → ClientHello (1487)\n        ticket 9e3d…0202(208)   │ 9e3d…0303(208)"

    assert golden.masked(shown) == (
        "  0.0 → ClientHello (nnn)   │   0.0 → ClientHello (nnnn)\n        ticket aaaa…aaaa(nnn)   │ bbbb…bbbb(nnn)"
    )


@pytest.mark.parametrize(
    ("make", "subject", "before"),
    [
        (made.declined13, 2, 1),
        (made.several, 2, 1),
        (made.disagreement, 2, 1),
        (made.alone, 1, None),
    ],
)
def test_the_subject_stands_beside_where_its_session_comes_from(
    make: Callable[[], Account], subject: int, before: int | None
) -> None:
    shown = make()

    assert (shown.subject.number, shown.before and shown.before.number) == (subject, before)


def test_the_subject_of_a_failed_test_is_the_last_connection() -> None:
    shown = made.declined13(latest=True, connections=made.several().connections)

    assert (shown.subject.number, shown.before and shown.before.number) == (5, 2)


@pytest.fixture(scope="module", params=USUAL_VERSIONS)
def real(request: pytest.FixtureRequest) -> Iterator[Sequence[Connection]]:
    with golden.real_connections(request.param) as connections:
        yield connections


def test_real_connections_are_reported_within_100_columns(real: Sequence[Connection]) -> None:
    text = account_text(account(real), whole=True).plain
    commands = tuple(f"    {command}" for c in real for end in (c.client, c.server) for command in end.commands)

    assert [line for line in text.splitlines() if len(line) > 100 and not line.startswith(commands)] == []


def test_the_reason_comes_first(real: Sequence[Connection]) -> None:
    assert account_text(account(real)).plain.startswith("Connection 2 was declined: ")


def test_the_text_about_many_connections_looks_at_each_a_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    first, *_ = made.declined13().connections
    many = account([replace(first, number=number) for number in range(1, 101)])
    looks: list[Connection] = []
    monkeypatch.setattr(Connection, "disagreement", property(looks.append))
    account_text(many, whole=True)

    assert len(looks) < 10 * len(many.connections)
