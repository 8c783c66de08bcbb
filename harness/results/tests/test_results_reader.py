"""A folder of results is read whole or half-written, and whatever else it is, is said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from harness.model.errors import UsageError
from harness.results.reader import kept_run
from harness.results.writer import Results

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CELL: dict[str, Any] = {
    "cell": "libssl@1--libssl@1-TLSv1.3",
    "scenario": "scenarios/x.py::test_y",
    "client": "libssl@1",
    "server": "libssl@1",
    "tls": "1.3",
    "verdict": "unsupported",
    "reason": "it lacks what is needed",
    "seconds": 0,
    "folder": None,
    "case": None,
}
HEAD = {"clients": ["libssl@1"], "servers": ["libssl@1"]}


def whole(folder: Path, **changes: Any) -> Path:
    """A results.json that is as it should be but for the changes to its cell."""
    results = Results(folder, HEAD)
    results.add(CELL)
    path = results.finish({"exit_status": 0, "unmatched": []})
    assert path is not None
    path.write_text(json.dumps({**json.loads(path.read_text()), "cells": [{**CELL, **changes}]}))
    return path


def killed(folder: Path, *more: str) -> Path:
    """The lines that a run leaves which is killed after its first cell, and what follows them."""
    Results(folder, HEAD).add(CELL)
    lines = folder / "results.jsonl"
    lines.write_text(lines.read_text() + "".join(more))
    return lines


def test_a_whole_run_is_read_from_its_folder_and_from_its_file(tmp_path: Path) -> None:
    path = whole(tmp_path)

    assert kept_run(tmp_path).results["cells"] == [CELL]
    assert kept_run(path).folder == tmp_path
    assert kept_run(tmp_path).unfinished == ""


def test_a_killed_run_is_read_and_said_to_be_unfinished(tmp_path: Path) -> None:
    killed(tmp_path)

    run = kept_run(tmp_path)

    assert run.results["cells"] == [CELL]
    assert run.results["finished"] == ""
    assert run.unfinished.startswith("The run was killed before its end, or is not over yet")


def test_the_last_line_of_a_killed_run_may_be_cut_off(tmp_path: Path) -> None:
    killed(tmp_path, json.dumps(CELL)[:40])

    run = kept_run(tmp_path)

    assert run.results["cells"] == [CELL]
    assert run.unfinished.endswith("its last line (line 3) is cut off")


def test_any_other_line_of_a_killed_run_may_not(tmp_path: Path) -> None:
    killed(tmp_path, json.dumps(CELL)[:40] + "\n", json.dumps(CELL) + "\n")

    with pytest.raises(UsageError, match=r"results.jsonl, line 3 is not JSON"):
        kept_run(tmp_path)


def test_lines_replace_a_results_json_cut_short_by_a_killed_run(tmp_path: Path) -> None:
    killed(tmp_path)
    (tmp_path / "results.json").write_text('{"schema": 1, "cel')

    assert kept_run(tmp_path).results["cells"] == [CELL]


def test_later_keys_may_be_missing_and_unknown_keys_may_be_present(tmp_path: Path) -> None:
    whole(tmp_path, some_later_key=1)

    assert kept_run(tmp_path).results["cells"][0]["verdict"] == "unsupported"


FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda folder: folder.rmdir(), "does not exist; name the folder"),
    "empty": (lambda _: None, "holds neither results.json nor results.jsonl"),
    "an empty file": (lambda folder: (folder / "results.json").touch(), "is not JSON: Expecting value at line 1"),
    "empty lines": (lambda folder: (folder / "results.jsonl").write_text("\n\n"), "line 1 is not JSON"),
    "binary": (lambda folder: (folder / "results.json").write_bytes(b"\x7fELF\x02\xff"), "is not text: .* at byte 5"),
    "a folder in its place": (lambda folder: (folder / "results.json").mkdir(), "holds neither"),
    "a list": (lambda folder: (folder / "results.json").write_text("[]"), "holds no object"),
    "no schema": (lambda folder: (folder / "results.json").write_text("{}"), "has no 'schema'"),
    "a later schema": (
        lambda folder: (folder / "results.json").write_text('{"schema": 3}'),
        "has schema 3, and this version of the harness reads schemas 1 and 2; use the version that wrote it",
    ),
    "a schema that is none": (lambda folder: (folder / "results.json").write_text('{"schema": true}'), "schema True"),
    "nothing but a schema": (
        lambda folder: (folder / "results.json").write_text('{"schema": 1}'),
        "the whole has no 'started', which is required",
    ),
    "NaN": (
        lambda folder: (folder / "results.json").write_text('{"schema": NaN}'),
        "is not JSON: NaN is not a number of JSON",
    ),
    "a huge number": (
        lambda folder: (folder / "results.json").write_text(f'{{"schema": {"9" * 5000}}}'),
        r"has schema 9{60}…, and this version",
    ),
    "deep nesting": (
        lambda folder: (folder / "results.json").write_text('{"schema":' + "[" * 100_000),
        "is nested too deeply",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_what_is_no_results_is_said_and_what_to_do(tmp_path: Path, name: str) -> None:
    make, message = FILES[name]
    folder = tmp_path / "results"
    folder.mkdir()
    make(folder)

    with pytest.raises(UsageError, match=message) as caught:
        kept_run(folder)

    assert "again" in str(caught.value)


def test_a_file_of_another_name_is_no_results(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(UsageError, match=r"is neither a folder of results nor a results\.json"):
        kept_run(tmp_path / "file")


CASE = {
    "schema": 1,
    "client": "a",
    "server": "b",
    "tls": "1.3",
    "knobs": {"client": {}, "server": {}, "then_client": {}, "then_server": {}},
    "connections": [],
    "counters": None,
}
EDITS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown verdict": (
        {"verdict": "greenish"},
        r"cells\[0\].verdict is 'greenish', and must be one of passed, failed, unsupported, error \(in 'scenarios/x.py",
    ),
    "a number for a text": ({"reason": 3}, r"cells\[0\].reason is 3, and must be a string"),
    "a text for a number": ({"seconds": "3"}, r"cells\[0\].seconds is '3', and must be a number"),
    "true for a number": ({"seconds": True}, r"cells\[0\].seconds is True, and must be a number"),
    "null for a text": ({"client": None}, r"cells\[0\].client is None, and must be a string"),
    "a list for an object": ({"case": []}, r"cells\[0\].case is an array, and must be an object"),
    "a number for one of several": ({"tls": 1.3}, r"cells\[0\].tls is 1.3, and must be one of 1.0, 1.1, 1.2, 1.3"),
    "a list where one of several is": ({"tls": ["1.3"]}, r"cells\[0\].tls is an array, and must be one of"),
    "an object without its keys": ({"case": {}}, r"cells\[0\].case has no 'connections', which is required"),
    "a wrong knob": (
        {"case": {**CASE, "knobs": {**CASE["knobs"], "client": {"alpn": 1}}}},  # type: ignore[dict-item]
        r"cells\[0\].case.knobs.client\['alpn'\] is 1, and must be a string",
    ),
    "a wrong connection": (
        {"case": {**CASE, "connections": [7]}},
        r"cells\[0\].case.connections\[0\] is 7, and must be an object",
    ),
    "a long value": ({"verdict": "x" * 9999}, r"is 'x{59}…, and must be"),
    "a number that is too large": ({"seconds": 10**400}, r"seconds is 10{59}…, and must be a number of 64 bits"),
    "control characters": ({"verdict": "\x1b[31m"}, r"verdict is '\\x1b\[31m', and must be"),
}


@pytest.mark.parametrize("name", EDITS)
def test_what_was_edited_by_hand_is_named_with_what_is_allowed(tmp_path: Path, name: str) -> None:
    changes, message = EDITS[name]
    whole(tmp_path, **changes)

    with pytest.raises(UsageError, match=message):
        kept_run(tmp_path)


def test_what_no_version_knows_is_left_out(tmp_path: Path) -> None:
    path = whole(tmp_path)
    path.write_text(path.read_text().replace('"cell":', f'"later": {"[" * 300}{"]" * 300}, "cell":'))

    assert kept_run(tmp_path).results["cells"] == [CELL]


def test_a_name_that_no_file_system_takes_is_no_results(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: File name too long; run `resumption run"):
        kept_run(tmp_path / ("x" * 999))


def test_infinity_is_no_duration(tmp_path: Path) -> None:
    path = whole(tmp_path, seconds=1.5)
    path.write_text(path.read_text().replace("1.5", "1e999"))

    with pytest.raises(UsageError, match="seconds is 1e999, and must be a number of 64 bits"):
        kept_run(tmp_path)


@pytest.mark.parametrize("key", [*CELL])
def test_every_key_of_a_cell_must_be_there(tmp_path: Path, key: str) -> None:
    path = whole(tmp_path)
    results = json.loads(path.read_text())
    del results["cells"][0][key]
    path.write_text(json.dumps(results))

    with pytest.raises(UsageError, match=rf"cells\[0\] has no '{key}', which is required"):
        kept_run(tmp_path)
