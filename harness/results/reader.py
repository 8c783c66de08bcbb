"""Reads the folder of a finished or killed run; errors say what is wrong with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import msgspec

from harness.model.errors import UsageError
from harness.report.json.check import ShapeError, checked, finite, shown, whole
from harness.report.json.packed import PackedResults, unpacked
from harness.results.writer import SCHEMA

if TYPE_CHECKING:
    from pathlib import Path

    from harness.report.json.shapes import ResultsObject

READ = (1, SCHEMA)
"""The schemas that can be read: in both a cell says the same, once it is unpacked."""

WHOLE, LINES = "results.json", "results.jsonl"
RERUN = "run `resumption run --results DIR` again"
AGAIN = f"{RERUN}, or name another folder"
NOT_WRITTEN = {"finished": "", "exit_status": -1, "unmatched": []}
"""The fields that a killed run did not write."""
NO_EXIT_STATUS: int = cast("int", NOT_WRITTEN["exit_status"])


@dataclass(frozen=True)
class KeptRun:
    """The results in a folder, as docs/json.md defines them; ``finished`` is empty if the run is unfinished."""

    folder: Path
    results: ResultsObject
    unfinished: str = ""
    """Why it is unfinished, in one sentence; empty if it is finished."""


def kept_run(place: Path) -> KeptRun:
    """Read a folder, or the results.json or results.jsonl in it; UsageError says what is wrong and how to fix it."""
    try:
        return _read(place)
    except OSError as error:
        raise UsageError(f"{str(place)!r:.200} cannot be read: {error.strerror}; {AGAIN}") from error


def _read(place: Path) -> KeptRun:
    named = place.name in {WHOLE, LINES} and not place.is_dir()
    folder = place.parent if named else place
    if not place.exists():
        raise UsageError(f"{place} does not exist; name the folder that a run names at its end, or {RERUN}")
    if not folder.is_dir():
        raise UsageError(f"{place} is neither a folder of results nor a {WHOLE}; {AGAIN}")
    whole, lines = folder / WHOLE, folder / LINES
    if whole.is_file() and place != lines:
        try:
            return KeptRun(folder, _whole(whole))
        except UsageError:
            # A run that is killed while it writes results.json leaves a part of it, and results.jsonl.
            if not lines.is_file():
                raise
    if lines.is_file():
        return _of_lines(folder, lines)
    raise UsageError(f"{folder} holds neither {WHOLE} nor {LINES}, so it is not a folder of results; {AGAIN}")


def _whole(path: Path) -> ResultsObject:
    """Read the whole file at once; a file that is not as it should be is read again, slowly, to say where."""
    try:
        found = msgspec.json.decode(path.read_bytes(), type=PackedResults)
        if found["schema"] in READ:
            return _unpacked(found)
    except (msgspec.MsgspecError, ShapeError, RecursionError, UnicodeError):
        pass
    value = _json(_text(path), str(path))
    _right_schema(value, path)
    return _checked(value, path)


def _of_lines(folder: Path, path: Path) -> KeptRun:
    """Return a killed run from its head and its cells; the last line may be truncated."""
    first, *rest = [line for line in _text(path).split("\n") if line.strip()] or [""]
    head = _json(first, f"{path}, line 1")
    _right_schema(head, path)
    ended = (
        "The run was killed before its end, or is not over yet, or had no space for all its results: "
        f"{path.name} is still there"
    )
    cells: list[Any] = []
    parts: list[Any] = []
    for number, line in enumerate(rest, start=2):
        try:
            found = _json(line, f"{path}, line {number}")
            if isinstance(found, dict) and [*found] == ["part"]:
                parts.append(found["part"])
            else:
                cells.append(found)
        except UsageError:
            if number != len(rest) + 1:
                raise
            ended += f", and its last line (line {number}) is cut off"
    return KeptRun(folder, _checked({**head, **NOT_WRITTEN, "parts": parts, "cells": cells}, path), ended)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not text: {error.reason} at byte {error.start}; {AGAIN}") from error


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_json, parse_float=finite, parse_int=whole)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{where} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}; {AGAIN}"
        ) from error
    except RecursionError as error:
        raise UsageError(f"{where} is nested too deeply to be a result; {AGAIN}") from error
    except ValueError as error:
        raise UsageError(f"{where} is not JSON: {error}; {AGAIN}") from error


def _no_json(constant: str) -> None:
    raise ValueError(f"{constant} is not a number of JSON")


def _right_schema(value: Any, path: Path) -> None:
    if not isinstance(value, dict):
        raise UsageError(f"{path} holds no object, so it is not a {WHOLE}; {AGAIN}")
    if "schema" not in value:
        raise UsageError(f"{path} has no 'schema', so it is not a {WHOLE} of this harness; {AGAIN}")
    if type(value["schema"]) is not int or value["schema"] not in READ:
        raise UsageError(
            f"{path} has schema {shown(value['schema'])}, and this version of the harness reads schemas "
            f"{' and '.join(map(str, READ))}; "
            "use the version that wrote it, or run again with this one"
        )


def _checked(value: Any, path: Path) -> ResultsObject:
    try:
        return _unpacked(checked(PackedResults, value))
    except ShapeError as error:
        where = cell_name(value.get("cells"), error.path)
        raise UsageError(
            f"{path}: {error}{where}. It was written by another version, or edited; docs/json.md says what each key "
            f"holds; {AGAIN}"
        ) from error


def _unpacked(value: Any) -> ResultsObject:
    return {**unpacked(value), "schema": SCHEMA}


def cell_name(cells: Any, path: str) -> str:
    """Return the scenario and cell at a path such as ``.cells[3].tls``, in brackets; empty if it is not in a cell."""
    if not path.startswith(".cells["):
        return ""
    cell: Any = cells[int(path.removeprefix(".cells[").partition("]")[0])]
    names = [cell.get(key) for key in ("scenario", "cell")] if isinstance(cell, dict) else []
    return (
        f" (in {names[0]!r:.100}, {names[1]!r:.100})" if all(isinstance(name, str) for name in names) and names else ""
    )
