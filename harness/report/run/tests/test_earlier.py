"""What became of the cells of an earlier run, by their verdicts and by what the witnesses saw."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from harness.report.run.earlier import compare, fate_of
from harness.tests.wrong_results import read

if TYPE_CHECKING:
    from pathlib import Path

    from harness.report.json.shapes import ResultsObject
    from harness.report.run.earlier import Comparison


@pytest.fixture(scope="module")
def compared(wrong: Path, earlier: Path) -> Comparison:
    """A run in which a test fails that passed before, for what it expects has changed."""
    return compare(read(earlier), read(wrong))


def renamed(results: ResultsObject, old: str, new: str) -> ResultsObject:
    """The same run with a label changed wherever it stands."""
    made = copy.deepcopy(results)
    for cell in made["cells"]:
        cell["cell"] = cell["cell"].replace(old, new)
        cell["client"], cell["server"] = cell["client"].replace(old, new), cell["server"].replace(old, new)
    made["clients"] = [label.replace(old, new) for label in made["clients"]]
    made["servers"] = [label.replace(old, new) for label in made["servers"]]
    return made


@pytest.mark.parametrize(
    ("before", "now", "fate"),
    [
        ("passed", "failed", "newly failing"),
        ("unsupported", "error", "newly failing"),
        ("failed", "error", "still failing"),
        ("error", "passed", "newly passing"),
        ("passed", "unsupported", "no longer supported"),
        ("failed", "unsupported", "no longer supported"),
        ("unsupported", "passed", "newly supported"),
        ("passed", "passed", "changed"),
        (None, "passed", "new"),
        (None, "failed", "new"),
    ],
)
def test_the_fate_of_a_cell_follows_from_both_verdicts(before: Any, now: Any, fate: str) -> None:
    old: Any = {"verdict": before} if before else None

    assert fate_of(old, {"verdict": now}, differs=True) == fate  # type: ignore[typeddict-item]


@pytest.mark.parametrize(("before", "now"), [("error", "passed"), ("passed", "error"), ("error", "error")])
def test_what_the_harness_lost_is_no_change_of_a_cell(before: str, now: str) -> None:
    old, new = ({"verdict": verdict, "lost": verdict == "error"} for verdict in (before, now))

    assert fate_of(old, new, differs=True) == "lost"  # type: ignore[arg-type]


@pytest.mark.parametrize("odd", ["x", "", "-1", "٣", "1e5", "9" * 5000])
def test_a_field_that_is_no_number_is_compared_as_text(wrong: Path, odd: str) -> None:
    now = read(wrong)
    cases: list[Any] = [cell["case"] for cell in now["cells"] if cell["case"]]
    for message in (m for case in cases for connection in case["connections"] for m in connection["messages"]):
        if "age_add" in message["fields"]:
            message["fields"]["age_add"] = odd

    assert compare(read(wrong), now).gone == []


def test_a_cell_in_which_nothing_differs_has_no_fate() -> None:
    same: Any = {"verdict": "passed"}

    assert fate_of(same, same, differs=False) == ""


def test_cells_that_fail_now_and_passed_before_are_newly_failing(compared: Comparison) -> None:
    failing = compared.of("newly failing")

    assert len(failing) == 8
    assert {scenario for scenario, _ in failing} == {"scenarios/wrong.py::test_ticket_resumes_after_a_restart"}
    assert len(compared.of("still failing")) == 12


def test_two_runs_of_the_same_on_the_same_builds_show_no_other_observables(compared: Comparison) -> None:
    assert compared.changed == []
    assert (compared.gone, compared.rebuilt) == ([], 0)


def test_an_observable_that_changed_is_found_with_the_cell_of_this_run(wrong: Path) -> None:
    now = read(wrong)
    case: Any = now["cells"][0]["case"]
    case["connections"][1]["tickets"] = 77

    made = compare(read(wrong), now)

    assert [(found["observable"], found["after"], found["cells"]) for found in made.changed] == [("tickets", "77", 1)]
    assert made.of("changed") == [(now["cells"][0]["scenario"], now["cells"][0]["cell"])]


def test_what_results_of_before_could_not_tell_is_no_change(wrong: Path) -> None:
    older = read(wrong)
    cases: list[Any] = [cell["case"] for cell in older["cells"] if cell["case"]]
    for connection in (connection for case in cases for connection in case["connections"]):
        del connection["explanation"]

    assert compare(older, read(wrong)).changed == []


def test_cells_that_came_and_went_are_reported(wrong: Path) -> None:
    before, now = read(wrong), read(wrong)
    gone, came = now["cells"].pop(0), before["cells"].pop(5)

    made = compare(before, now)

    assert made.gone == [gone]
    assert made.of("new") == [(came["scenario"], came["cell"])]


def test_after_an_upgrade_cells_are_matched_without_their_builds(wrong: Path) -> None:
    now = read(wrong)
    label = next(label for label in now["clients"] if label.startswith("libssl"))

    made = compare(renamed(read(wrong), label, "libssl@0.9.8"), now)

    assert (made.gone, made.of("new")) == ([], [])
    assert made.rebuilt == sum(label in cell["cell"] for cell in now["cells"])


def test_builds_that_only_their_names_distinguish_are_not_matched(wrong: Path) -> None:
    now = read(wrong)
    label = next(label for label in now["clients"] if label.startswith("libssl"))
    older, oldest = renamed(read(wrong), label, "libssl@1.0.1"), renamed(read(wrong), label, "libssl@0.9.8")
    older["cells"] += oldest["cells"]
    older["clients"] += oldest["clients"]

    made = compare(older, now)

    assert made.rebuilt == 0
    assert len(made.of("new")) == sum(label in cell["cell"] for cell in now["cells"])
