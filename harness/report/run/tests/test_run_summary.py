"""Which reason is given for a cell that failed: the one that its assert is about, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.report.run.run_summary import blamed, failures, headline, kinds, matrix, reasons, seen, totals, why
from harness.tests.wrong_results import read

if TYPE_CHECKING:
    from pathlib import Path

    from harness.report.json.shapes import ResultsObject


@pytest.fixture(scope="module")
def results(wrong: Path) -> ResultsObject:
    return read(wrong)


def cell(reason: str, *connections: tuple[str, str, list[str]], verdict: str = "failed") -> Any:
    """A cell whose connections have an outcome, a question, and reasons."""
    shown = [
        {
            "outcome": outcome,
            "explanation": {"question": question, "findings": [{"reason": r, "title": f"it is {r}"} for r in found]},
        }
        for outcome, question, found in connections
    ]
    return {"scenario": "x.py::y", "cell": "a", "verdict": verdict, "reason": reason, "case": {"connections": shown}}


DECLINED = "assert declined is resumed\n  where …"


def test_a_failed_outcome_assert_has_the_reason_of_its_connection() -> None:
    made = cell(DECLINED, ("declined", "declined", ["expired_at_server"]), ("resumed", "resumed_but", ["other_alpn"]))

    assert why(made) == "it is expired_at_server"
    assert reasons(made) == ["other_alpn", "expired_at_server"]


@pytest.mark.parametrize(
    "made",
    [
        cell("assert 2 == 3", ("declined", "declined", ["expired_at_server"])),
        cell("assert resumed is declined", ("resumed", "resumed_but", ["other_alpn"])),
        cell(DECLINED, ("declined", "declined", ["expired_at_server"]), ("declined", "declined", ["not_in_cache"])),
        cell(DECLINED, ("full", "not_offered", ["no_session"])),
        cell(DECLINED, ("declined", "declined", ["expired_at_server"]), verdict="error"),
        cell(DECLINED),
    ],
    ids=["another assert", "resumed, but", "two reasons", "another outcome", "an error", "no connection"],
)
def test_an_assert_about_an_unknown_connection_has_no_reason(made: Any) -> None:
    assert blamed(made) is None
    assert why(made) == headline(made)


def test_a_passed_cell_shows_the_outcome_of_its_last_connection() -> None:
    declined = ("declined", "declined", ["not_in_cache"])

    assert seen(cell("", declined, verdict="passed")) == "it is not_in_cache"
    assert seen(cell("", declined, ("resumed", "resumed_but", ["other_alpn"]), verdict="passed")) == ""


def test_real_failures_are_given_their_reasons(results: ResultsObject) -> None:
    found = {
        (one["scenario"].partition("::")[2], (blamed(one) or {"reason": ""})["reason"])
        for _, one in kinds(results["cells"])
    }

    assert found == {
        ("test_ticket_resumes_after_a_restart", "ticket_key_unknown"),
        ("test_verifying_server_needs_no_context", "session_id_context_unset"),
        ("test_nobody_looks_at_the_second_connection", ""),
    }


def test_totals_and_matrix_count_every_cell(results: ResultsObject) -> None:
    made = matrix(results)

    assert totals(results["cells"]) == "32 cells: 12 failed, 8 error, 8 passed, 4 unsupported"
    assert sum(sum(counts.values()) for counts in made.counts.values()) == 32
    assert (len(made.clients), len(made.servers)) == (2, 2)
    assert len(failures(results["cells"])) == 20


def test_a_cell_without_a_reason_says_so() -> None:
    assert headline(cell("")) == "no reason was given"
    assert headline(cell("", verdict="passed")) == ""
    assert headline(cell("s@1 lacks knob timeout=5: why", verdict="unsupported")) == "s@1 lacks knob timeout: why"
