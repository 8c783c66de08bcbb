"""Two runs are compared cell by cell, whatever their builds are called, and what differs is grouped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from rich.console import Console

from harness.report.diff.difference_text import LONGEST, cut, difference_text, summary
from harness.report.diff.run_difference import run_difference, without_builds
from harness.report.diff.tests.test_difference import FIRST, cell

if TYPE_CHECKING:
    from harness.report.json.shapes import DiffObject, ResultsObject


def results(version: str, *cells: dict[str, Any]) -> ResultsObject:
    """A run of one build; the ids of its cells are given without it."""
    label = f"libssl@{version}"
    ends = {"client": label, "server": label}
    named = [{**one, **ends, "cell": one["cell"].replace("libssl@1", label)} for one in cells]
    return cast("ResultsObject", {"clients": [label], "servers": [label], "cells": named})


def of(name: str, **changes: Any) -> dict[str, Any]:
    return cell(scenario=f"scenarios/a.py::{name}", **changes)


MORE = {f"{FIRST}tickets": 2}


def shown(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> DiffObject:
    return run_difference(results("3.0.19", *before), results("3.5.6", *after))


def test_cells_are_matched_without_their_builds() -> None:
    found = shown([of("a")], [of("a")])

    assert (found["compared"], found["one_sided"], found["differences"]) == (1, [], [])


def test_one_difference_in_two_cells_is_one_line() -> None:
    (found,) = shown([of("a"), of("b")], [of("a", **MORE), of("b", **MORE)])["differences"]

    assert (found["observable"], found["before"], found["after"], found["cells"]) == ("tickets", "1", "2", 2)
    assert [place["scenario"] for place in found["places"]] == ["scenarios/a.py::a", "scenarios/a.py::b"]
    assert found["places"][0]["cell"] == "libssl--libssl-TLSv1.3"
    assert found["places"][0]["connection"] == 2


def test_a_cell_that_one_build_cannot_do_is_distinguished() -> None:
    found = shown([of("a", verdict="unsupported", reason="it lacks x", case=None)], [of("a")])

    assert found["one_sided"] == [
        {
            "scenario": "scenarios/a.py::a",
            "cell": "libssl--libssl-TLSv1.3",
            "before": "unsupported",
            "after": "passed",
            "reason": "it lacks x",
        }
    ]
    assert (found["compared"], found["differences"]) == (0, [])


@pytest.mark.parametrize("other", ["passed", "unsupported", "error"])
def test_a_cell_that_the_harness_lost_is_set_aside(other: str) -> None:
    lost = of("a", verdict="error", reason="TimedOutError: waited 10 s", case=None, lost=True)
    found = shown([lost], [of("a", verdict=other)])

    assert (found["compared"], found["differences"], found["one_sided"]) == (0, [], [])
    assert found["lost"] == [
        {
            "scenario": "scenarios/a.py::a",
            "cell": "libssl--libssl-TLSv1.3",
            "before": "error",
            "after": other,
            "reason": "TimedOutError: waited 10 s",
        }
    ]


def test_a_cell_that_is_in_one_run_alone_is_distinguished() -> None:
    (found,) = shown([], [of("a")])["one_sided"]

    assert (found["before"], found["after"]) == ("absent", "passed")


def test_a_cell_that_no_build_can_do_is_counted() -> None:
    lacking = of("a", verdict="unsupported", case=None)

    assert shown([lacking], [lacking])["unsupported"] == 1


def test_a_cell_that_has_no_case_on_one_side_differs_in_its_verdict() -> None:
    found = shown([of("a")], [of("a", verdict="error", case=None)])

    assert [d["observable"] for d in found["differences"]] == ["verdict", "case"]


def test_a_version_that_begins_another_is_not_mistaken_for_it() -> None:
    assert without_builds("a@3.5--a@3.5.6-TLSv1.3-then=a@3.5", ["a@3.5", "a@3.5.6"]) == "a--a-TLSv1.3-then=a"


def printed(found: DiffObject) -> str:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(difference_text(found))
    return " ".join(capture.get().split())


def test_the_table_has_a_line_a_difference_with_an_example() -> None:
    text = printed(shown([of("a")], [of("a", **MORE)]))

    assert "tickets 1 2 1 a.py::a[libssl--libssl-TLSv1.3], connection 2" in text
    assert "1 cells compared: 1 distinct differences" in text


def test_the_table_says_why_a_cell_is_on_one_side_alone() -> None:
    text = printed(shown([of("a", verdict="unsupported", reason="it lacks x", case=None)], [of("a")]))

    assert "unsupported passed it lacks x 1" in text


def test_the_summary_names_both_builds() -> None:
    assert summary(shown([of("a")], [of("a")])) == (
        "libssl@3.0.19 -> libssl@3.5.6\n1 cells compared: no distinct differences"
    )


def test_a_long_value_is_cut() -> None:
    assert len(cut("x" * 500)) == LONGEST
