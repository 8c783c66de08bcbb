"""A run is kept by build, scenarios and code; one that is damaged or of other code is not used."""

from __future__ import annotations

import gzip
import os
from typing import TYPE_CHECKING, cast

import pytest

from harness.model.build import Build
from harness.results import run_cache as module
from harness.results.run_cache import JOURNAL, PART, STALE, RunCache, Unit, identity, merged
from harness.results.writer import Results

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.report.json.shapes import CellObject, ResultsObject
    from harness.results.run_cache import Journal

RESULTS = cast(
    "ResultsObject",
    {
        "schema": 2,
        "started": "2026-11-29T00:00:00+00:00",
        "clients": ["libssl@3.0.19"],
        "servers": ["libssl@3.0.19"],
        "finished": "2026-11-29T00:00:01+00:00",
        "exit_status": 0,
        "unmatched": [],
        "cells": [],
    },
)


OTHER_SHAPE = gzip.compress(b'{"cells": 1}')
LABELS = ("libssl@3.0.19",)
BUILD, OTHER = Unit("build", LABELS, LABELS), Unit("other", ("libssl@3.5.9",), ("libssl@3.5.9",))


def cell(number: int, file: str = "scenarios/a.py", **more: object) -> dict[str, object]:
    """A cell of a test, numbered."""
    return {
        "scenario": f"{file}::test_a",
        "cell": str(number),
        "client": "libssl@3.0.19",
        "server": "libssl@3.0.19",
        "tls": "1.3",
        "verdict": "passed",
        "reason": "",
        "seconds": 0.1,
        "folder": None,
        "case": None,
        **more,
    }


def run_of(*cells: object) -> ResultsObject:
    """A run with these cells."""
    return cast("ResultsObject", {**RESULTS, "cells": list(cells)})


def names(results: ResultsObject | None) -> list[str]:
    """The ids of the cells."""
    return [one["cell"] for one in results["cells"]] if results else []


def fill(journal: Journal, cells: Sequence[object]) -> None:
    """Write what a run has written when it is killed."""
    assert journal.results is not None
    results = Results(journal.results, {"clients": list(LABELS), "servers": list(LABELS)})
    for one in cells:
        results.add(cast("dict[str, object]", one))


@pytest.fixture
def said() -> list[str]:
    return []


def test_results_are_used_again_for_the_same_build_and_code(tmp_path: Path) -> None:
    kept = {**RESULTS, "code": {}}
    RunCache(tmp_path / "runs", "code").put(BUILD, RESULTS, whole=True)

    assert RunCache(tmp_path / "runs", "code").get("build") == kept
    assert RunCache(tmp_path / "runs", "code").get("other") is None
    assert RunCache(tmp_path / "runs", "changed").get("build") is None
    assert list(RunCache(tmp_path / "runs", "code").others([])) == [kept]
    assert list(RunCache(tmp_path / "runs", "code").others(["build"])) == []


@pytest.mark.parametrize("damage", [b"", b"no gzip", b"\x1f\x8b\x08\x00", OTHER_SHAPE], ids=range(4))
def test_results_that_are_damaged_are_not_used(tmp_path: Path, damage: bytes, said: list[str]) -> None:
    cache = RunCache(tmp_path, "code", say=said.append)
    cache.put(BUILD, RESULTS, whole=True)
    (tmp_path / "code-build.json.gz").write_bytes(damage)

    assert cache.get("build") is None
    assert said == [f"{tmp_path / 'code-build.json.gz'} is damaged; its cells run again"]


def test_cells_of_a_changed_scenario_are_not_used(tmp_path: Path) -> None:
    cells = cell(1), cell(2, "scenarios/b.py"), cell(3, "other.py")
    RunCache(tmp_path, "code", {"scenarios/a.py": "1", "scenarios/b.py": "1"}).put(BUILD, run_of(*cells), whole=True)
    found = RunCache(tmp_path, "code", {"scenarios/a.py": "1", "scenarios/b.py": "2"}).get("build")

    assert names(found) == ["1", "3"]
    assert found is not None
    assert found["finished"] == ""


def test_results_with_a_lost_cell_are_not_whole(tmp_path: Path) -> None:
    cache = RunCache(tmp_path, "code")
    cache.put(BUILD, run_of(cell(1), cell(2, lost=True)), whole=True)
    found = cache.get("build")

    assert names(found) == ["1"]
    assert found is not None
    assert found["finished"] == ""


def test_the_journal_of_a_killed_run_is_kept_without_what_failed(tmp_path: Path) -> None:
    cache = RunCache(tmp_path, "code")
    cache.put(BUILD, run_of(cell(0)), whole=False)
    with cache.journal([BUILD]) as journal:
        fill(journal, [cell(1), cell(2, verdict="failed"), cell(3, verdict="unsupported"), cell(4, lost=True)])
        RunCache(tmp_path, "of another").close_journals()

        assert list(tmp_path.glob(f"*{JOURNAL}")), "it is locked"

    assert names(cache.get("build")) == ["0", "1", "3"]
    assert not list(tmp_path.glob(f"*{JOURNAL}"))


def test_the_cells_of_a_journal_go_to_their_units(tmp_path: Path) -> None:
    cache, ends = RunCache(tmp_path, "code"), {"client": "libssl@3.5.9", "server": "nginx@1.22.1"}
    with cache.journal([BUILD, OTHER]) as journal:
        fill(journal, [cell(1), cell(2, **ends)])

    assert (names(cache.get("build")), names(cache.get("other"))) == (["1"], ["2"])


def test_a_journal_without_a_cell_or_with_damage_is_removed(tmp_path: Path) -> None:
    for name, about in (("a.run", ""), ("b.run", "[]"), ("c.run", '{"files": {}, "units": [["k", [], []]]}')):
        (tmp_path / name).mkdir()
        (tmp_path / name / "lock").touch()
        (tmp_path / name / "about.json").write_text(about)
    RunCache(tmp_path, "code").close_journals()

    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path, said: list[str]) -> None:
    (tmp_path / "file").touch()
    cache = RunCache(tmp_path / "file" / "runs", "code", say=said.append)
    with cache.journal([BUILD]) as journal:
        assert journal.results is None
    assert not cache.put(BUILD, RESULTS, whole=True)

    assert [line.partition(":")[0] for line in said] == ["results cannot be kept"] * 2


def test_only_the_newest_runs_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = tmp_path / f"code-a.json.gz.1{PART}"
    left.touch()
    os.utime(left, (0, left.stat().st_mtime - 2 * STALE))
    cache = RunCache(tmp_path, "code")
    cache.put(BUILD, RESULTS, whole=True)
    size = (tmp_path / "code-build.json.gz").stat().st_size
    monkeypatch.setattr(module, "MOST", 2 * size + 2)
    for number, key in enumerate("abc", 1):
        cache.put(Unit(key, LABELS, LABELS), RESULTS, whole=True)
        os.utime(tmp_path / f"code-{key}.json.gz", (number, number))

    assert sorted(path.name for path in tmp_path.iterdir()) == ["code-build.json.gz", "code-c.json.gz"]


def test_of_two_cells_with_one_name_the_last_is_taken() -> None:
    found = merged(BUILD, run_of(), [cast("CellObject", one) for one in (cell(1), cell(2), cell(1, verdict="failed"))])

    assert [(one["cell"], one["verdict"]) for one in found["cells"]] == [("1", "failed"), ("2", "passed")]


def test_a_build_is_known_by_its_content(tmp_path: Path) -> None:
    first, second = tmp_path / "a.so", tmp_path / "b.so"
    first.write_text("a")
    second.write_text("a")
    before, moved = (identity(Build("3.0.19", "prefix", libssl=path)) for path in (first, second))
    first.write_text("b")

    assert before == moved != identity(Build("3.0.19", "prefix", libssl=first))
