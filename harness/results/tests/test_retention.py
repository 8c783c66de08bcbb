"""The newest runs stay; what is at work, what a user named and what is no run is never removed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from harness.results.retention import UNFINISHED, removable, tidy

if TYPE_CHECKING:
    from pathlib import Path

NAMES = [f"2026-11-2{day}T10-00-00.000000Z" for day in range(4)]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Four runs, and two things that are none."""
    for name in [*NAMES, "mine", "2026-11-20"]:
        (tmp_path / name / "cells").mkdir(parents=True)
        (tmp_path / name / "results.json").touch()
    return tmp_path


def names(paths: list[Path]) -> set[str]:
    return {path.name for path in paths}


def test_the_oldest_are_removed(place: Path) -> None:
    gone = tidy(place, 3)

    assert gone == 1
    assert names(list(place.iterdir())) == {*NAMES[1:], "mine", "2026-11-20"}


def test_zero_keeps_all(place: Path) -> None:
    assert removable(place, 0) == []


def test_a_run_at_work_is_let_be(place: Path) -> None:
    (place / NAMES[0] / "results.jsonl").touch()

    assert names(removable(place, 2)) == {NAMES[1]}


def test_a_run_that_was_killed_long_ago_is_not_at_work(place: Path) -> None:
    lines = place / NAMES[0] / "results.jsonl"
    lines.touch()
    long_ago = lines.stat().st_mtime - UNFINISHED - 1
    os.utime(lines, (long_ago, long_ago))

    assert names(removable(place, 3)) == {NAMES[0]}
