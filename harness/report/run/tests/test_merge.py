"""Several runs become one, and what does not fit together is named."""

from __future__ import annotations

from typing import Any, cast

import pytest

from harness.model.errors import UsageError
from harness.report.run.merge import NOTED, merge

ENDS = ["libssl@3.0", "openssl@3.0"]


def run(*cells: tuple[str, str], **more: Any) -> Any:
    """A run with a cell of each name and verdict."""
    made = [{"scenario": "a.py::test", "cell": name, "verdict": verdict} for name, verdict in cells]
    head = {"schema": 1, "started": "2026-01-02", "finished": "2026-01-03", "exit_status": 0, "unmatched": []}
    return cast("Any", {**head, "clients": ENDS, "servers": ENDS, "cells": made, **more})


def verdicts(*runs: Any) -> dict[str, str]:
    merged = merge({f"run-{place}": one for place, one in enumerate(runs, start=1)})
    return {cell["cell"]: cell["verdict"] for cell in merged.results["cells"]}


def notes(*runs: Any) -> list[str]:
    return list(merge({f"run-{place}": one for place, one in enumerate(runs, start=1)}).notes)


def test_the_cells_of_all_shards_are_one_run() -> None:
    shards = run(("x", "passed"), shard="1/2"), run(("y", "failed"), shard="2/2")

    assert verdicts(*shards) == {"x": "passed", "y": "failed"}
    assert notes(*shards) == []


def test_a_cell_that_agrees_in_two_shards_counts_once() -> None:
    shards = run(("x", "passed")), run(("x", "passed"))

    assert verdicts(*shards) == {"x": "passed"}
    assert notes(*shards) == []


@pytest.mark.parametrize("first", ["passed", "failed"])
def test_of_two_verdicts_the_worse_one_stays_and_both_are_named(first: str) -> None:
    second = {"passed": "failed", "failed": "passed"}[first]
    shards = run(("x", first)), run(("x", second))

    assert verdicts(*shards) == {"x": "failed"}
    assert notes(*shards) == [f"a.py::test[x] has different verdicts: {first} in run-1, {second} in run-2"]


def test_three_verdicts_are_all_named() -> None:
    shards = run(("x", "passed")), run(("x", "error")), run(("x", "failed"))

    assert verdicts(*shards) == {"x": "error"}
    assert notes(*shards)[0].endswith("passed in run-1, error in run-2, failed in run-3")


def test_many_conflicts_are_counted() -> None:
    names = [str(number) for number in range(NOTED + 2)]
    shown = notes(run(*((name, "passed") for name in names)), run(*((name, "failed") for name in names)))

    assert len(shown) == NOTED + 1
    assert shown[-1] == "2 more cells have different verdicts"


def test_each_cell_knows_the_run_that_it_is_from() -> None:
    merged = merge({"one": run(("x", "passed"), ("y", "passed")), "two": run(("x", "failed"))})

    assert merged.origin == {("a.py::test", "x"): "two", ("a.py::test", "y"): "one"}


def test_missing_shards_are_named() -> None:
    assert notes(run(shard="2/4"), run(shard="3/4")) == ["Missing: shards 1, 4 of 4. Their cells are not included"]


def test_of_many_missing_shards_the_first_are_named() -> None:
    (shown,) = notes(run(shard="1/999999"), run(shard="2/999999"))

    assert shown == "Missing: shards 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 and more of 999999. Their cells are not included"


def test_a_shard_that_is_there_twice_is_named() -> None:
    assert notes(run(shard="1/1"), run(shard="1/1")) == ["Shard 1 of 1 is included 2 times: run-1 and run-2"]


def test_shards_of_different_divisions_are_named() -> None:
    (shown,) = notes(run(shard="1/2"), run(shard="2/3"))

    assert shown == "The shards come from different divisions: run-1 of 2; run-2 of 3. Cells may be missing"


def test_a_whole_run_among_shards_is_named() -> None:
    assert "Not a shard, unlike the others: run-2" in notes(run(shard="1/1"), run())


@pytest.mark.parametrize("shard", ["", "3", "0/3", "4/3", "1/0", "-1/3", "1/3/5", "a/b", "1/ 3", "٣/٣", "1/9999999"])
def test_what_no_shard_can_be_is_refused(shard: str) -> None:
    with pytest.raises(UsageError, match=r"run-2 has the invalid shard .*; a shard is K/N"):
        notes(run(shard="1/3"), run(shard=shard))


def test_other_builds_are_named() -> None:
    (shown,) = notes(run(), run(clients=["libssl@3.5", *ENDS]))

    assert shown == "Not every run has the endpoints of run-2: libssl@3.5"


def test_other_code_is_named() -> None:
    (shown,) = notes(run(code={"a.py": "1", "b.py": "1"}), run(code={"a.py": "2"}))

    assert shown == "The runs used different code: a.py"


def test_runs_that_do_not_know_their_code_are_no_other_code() -> None:
    assert notes(run(code={"a.py": "1"}), run()) == []


def test_times_exit_codes_and_unmatched_expectations_are_those_of_all() -> None:
    first = run(started="2", finished="5", unmatched=["a", "b"])
    merged = merge({"one": first, "two": run(started="1", finished="4", exit_status=1, unmatched=["b"])}).results

    assert (merged["started"], merged["finished"]) == ("1", "5")
    assert merged["exit_status"] == 1
    assert merged["unmatched"] == ["b"]
