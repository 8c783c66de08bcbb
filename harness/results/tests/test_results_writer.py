"""The folder of a run: whole after the run, readable after a kill, never mixed with an earlier one's."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.model.errors import UsageError
from harness.results.writer import Results, cell_folder, default_folder, keep, usable

CELL = {"cell": "a--b-TLSv1.3", "verdict": "passed", "reason": "é"}


def test_results_json_holds_the_head_every_cell_and_how_the_run_ended(tmp_path: Path) -> None:
    results = Results(tmp_path / "run", {"clients": ["a"]})
    results.add(CELL)
    results.add(CELL)

    path = results.finish({"exit_status": 0})

    assert path is not None
    whole = json.loads(path.read_text())
    assert (whole["schema"], whole["clients"], whole["exit_status"]) == (2, ["a"], 0)
    assert whole["cells"] == [CELL, CELL]


def test_each_cell_is_a_line_as_soon_as_it_is_over(tmp_path: Path) -> None:
    results = Results(tmp_path, {})
    results.add(CELL)

    head, *cells = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()]

    assert head["schema"] == 2
    assert cells == [CELL]


def test_a_run_without_a_cell_leaves_nothing(tmp_path: Path) -> None:
    assert Results(tmp_path / "run", {}).finish({}) is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["results.json", "results.jsonl"])
def test_a_folder_with_earlier_results_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()

    with pytest.raises(UsageError, match="name another folder, or remove it"):
        usable(tmp_path)


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(UsageError, match="is not a folder"):
        usable(tmp_path / "file")


@pytest.mark.parametrize("place", ["file/below", "/dev/null/below", "/proc/below"])
def test_a_place_where_nothing_can_be_written_is_refused_before_the_run(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(UsageError, match=r"nothing can be written to .*; name another folder"):
        usable(tmp_path / place)


def test_the_default_folder_is_of_the_user_and_named_by_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")

    folder = default_folder(datetime(2026, 11, 21, 20, 50, 36, 7, UTC))

    assert folder == Path("/state/resumption-harness/results/2026-11-21T20-50-36.000007Z")


def test_the_folder_of_a_cell_has_a_name_that_file_systems_take(tmp_path: Path) -> None:
    folder = cell_folder(tmp_path, "scenarios/x.py::test_y", "a@1--b@2-TLSv1.3-server.alpn=h2/../" + "x" * 300)

    assert folder.parent == tmp_path / "cells" / "x.py_test_y"
    assert len(folder.name) <= 200


@pytest.mark.parametrize("name", ["", ".", "..", "../..", "x" * 999, "ü" * 150, "\ud800" * 300, "a\0b"])
def test_no_name_leads_the_folder_of_a_cell_out_of_those_of_cells(tmp_path: Path, name: str) -> None:
    folder = cell_folder(tmp_path, name, name)
    folder.mkdir(parents=True)

    assert folder.resolve().parents[1] == tmp_path.resolve() / "cells"


def test_only_scripts_among_what_is_kept_can_be_run(tmp_path: Path) -> None:
    keep(tmp_path / "cell", {"commands.sh": "#!/bin/sh\n", "keylog.txt": "x", "empty.txt": "", "capture": b"\xff"})

    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "cell").iterdir()}

    assert modes == {"commands.sh": 0o700, "keylog.txt": 0o600, "capture": 0o600}
