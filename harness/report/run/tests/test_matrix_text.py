"""A run's verdicts add up in the table, the totals, the reasons and the list of failures."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from harness.model.tls import TLSVersion
from harness.model.verdict import CellResult, Verdict
from harness.report.run.matrix_text import MOST, failures, matrix_text, totals, unsupported, without_value


def cell(client: str, server: str, verdict: Verdict, reason: str = "", folder: Path | None = None) -> CellResult:
    name = f"{client}--{server}-TLSv1.3"
    return CellResult(name, "scenarios/a.py::test_b", client, server, TLSVersion.TLSv1_3, verdict, reason, 0.5, folder)


RESULTS = [
    cell("openssl@3", "openssl@3", Verdict.PASSED),
    cell("openssl@3", "openssl@3", Verdict.PASSED),
    cell("openssl@3", "ssl@3", Verdict.UNSUPPORTED, "ssl@3 lacks knob timeout: no call"),
    cell("openssl@3", "ssl@3", Verdict.FAILED, "assert full is resumed\nmore", Path("/results/1")),
    cell("ssl@3", "openssl@3", Verdict.UNSUPPORTED, "openssl@3 lacks knob cache_size: fixed"),
    cell("ssl@3", "openssl@3", Verdict.UNSUPPORTED, "openssl@3 lacks knob cache_size: fixed"),
    cell("ssl@3", "openssl@3", Verdict.ERROR, ""),
]

GOLDEN = """\
client (rows) x server (columns)
┏━━━━━━━━━━━┳━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃           ┃ openssl@3     ┃ ssl@3         ┃
┡━━━━━━━━━━━╇━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ openssl@3 │ 2 passed      │ 1 failed      │
│           │               │ 1 unsupported │
├───────────┼───────────────┼───────────────┤
│ ssl@3     │ 2 unsupported │ -             │
│           │ 1 error       │               │
└───────────┴───────────────┴───────────────┘
7 cells: 2 passed, 1 failed, 3 unsupported, 1 error

Unsupported, by reason
      2  openssl@3 lacks knob cache_size: fixed
      1  ssl@3 lacks knob timeout: no call

FAILED scenarios/a.py::test_b[openssl@3--ssl@3-TLSv1.3]
  assert full is resumed
  evidence: /results/1
ERROR scenarios/a.py::test_b[ssl@3--openssl@3-TLSv1.3]
  no reason was given
  no evidence was kept
"""


def printed(results: list[CellResult]) -> str:
    console = Console(file=StringIO(), width=100, soft_wrap=True)
    console.print(matrix_text(results))
    file = console.file
    if not isinstance(file, StringIO):
        raise TypeError(file)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def test_a_run_reads_so() -> None:
    assert printed(RESULTS) == GOLDEN


MANY = [cell(f"libssl@3.{c}.1", f"libssl@3.{s}.1", Verdict.PASSED) for c in range(9) for s in range(9)]

STACKS = """\
stack          as client              as server
libssl@3.0.1   9 passed               9 passed
libssl@3.1.1   9 passed, 1 failed     9 passed
"""


def test_pairs_that_do_not_fit_give_way_to_a_line_a_stack() -> None:
    lines = printed([*MANY, cell("libssl@3.1.1", "libssl@3.8.1", Verdict.FAILED)]).splitlines()

    assert [line.split() for line in lines[:3]] == [line.split() for line in STACKS.splitlines()]
    assert lines[9].split() == ["libssl@3.8.1", "9", "passed", "9", "passed,", "1", "failed"]


def test_nothing_at_all_is_no_cells() -> None:
    assert totals([]).plain == "0 cells"


def test_without_unsupported_cells_no_reasons_are_listed() -> None:
    assert unsupported(RESULTS[:2]).plain == ""


def test_without_failures_none_are_listed() -> None:
    assert failures(RESULTS[:3]).plain == ""


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("ssl@3 lacks server knob timeout=-1: no call", "ssl@3 lacks server knob timeout: no call"),
        ("ssl@3 lacks client knob groups=X:Y: one: only (possible: one)", "ssl@3 lacks client knob groups: one: only"),
        ("ssl@3 lacks session data as client: no i2d", "ssl@3 lacks session data as client: no i2d"),
    ],
)
def test_a_knob_is_one_reason_whatever_its_value(reason: str, shown: str) -> None:
    assert without_value(reason) == shown


def test_only_the_most_frequent_reasons_are_shown_and_the_rest_is_counted() -> None:
    results = [
        cell("a@1", "b@2", Verdict.UNSUPPORTED, f"b@2 lacks {chr(97 + number)}: no way")
        for number in range(MOST + 3)
        for _ in range(MOST + 3 - number)
    ]

    lines = unsupported(results).plain.splitlines()

    assert len(lines) == 1 + MOST + 1
    assert lines[1] == "     13  b@2 lacks a: no way"
    assert lines[-1] == "      6  for 3 other reasons, listed in results.json"
