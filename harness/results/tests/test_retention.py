"""Runs are removed by age and total size; the newest, the newest failing one and named ones always stay."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from harness.model.errors import UsageError
from harness.results.retention import UNFINISHED, Limits, removable, tidy
from harness.results.writer import Results, default_folder

if TYPE_CHECKING:
    from pathlib import Path

MEGABYTES = 400 * 10**6


def a_run(place: Path, days: float, *, exit_status: int = 0, size: int = 0) -> Path:
    """A finished run of so many days ago; its size takes no space on the disk."""
    folder = place / default_folder(datetime.now(UTC) - timedelta(days=days)).name
    results = Results(folder, {"clients": ["a"]})
    results.add({"cell": "a--b"})
    results.finish({"exit_status": exit_status, "unmatched": []})
    with (folder / "evidence").open("wb") as file:
        file.truncate(size)
    return folder


def test_runs_older_than_the_age_are_removed(tmp_path: Path) -> None:
    newest, recent, old = (a_run(tmp_path, days) for days in (0, 29, 31))

    assert tidy(tmp_path, Limits.parse("30d")) == 1
    assert set(tmp_path.iterdir()) == {newest, recent}
    assert not old.exists()


def test_the_oldest_runs_beyond_the_total_size_are_removed(tmp_path: Path) -> None:
    runs = [a_run(tmp_path, days, size=MEGABYTES) for days in range(5)]

    assert removable(tmp_path, Limits.parse("1GB")) == runs[3:]


def test_many_small_runs_remove_neither_the_largest_nor_the_last_failing(tmp_path: Path) -> None:
    largest = a_run(tmp_path, 20, size=10 * MEGABYTES)
    failing = a_run(tmp_path, 40, exit_status=1)
    for hours in range(12):
        a_run(tmp_path, hours / 24)

    assert removable(tmp_path, Limits.parse("30d,5GB")) == []
    assert largest.exists()
    assert failing.exists()


def test_of_failing_runs_only_the_newest_always_stays(tmp_path: Path) -> None:
    older, newer = (a_run(tmp_path, days, exit_status=1) for days in (50, 40))
    a_run(tmp_path, 0)

    assert removable(tmp_path, Limits.parse("30d")) == [older]
    assert newer.exists()


def test_the_newest_run_stays_whatever_its_age_and_size(tmp_path: Path) -> None:
    a_run(tmp_path, 99, size=MEGABYTES)

    assert removable(tmp_path, Limits.parse("1d,0GB")) == []


def test_a_folder_that_a_user_named_stays(tmp_path: Path) -> None:
    a_run(tmp_path, 0)
    a_run(tmp_path, 99).rename(tmp_path / "mine")

    assert removable(tmp_path, Limits.parse("1d")) == []


def test_all_keeps_every_run(tmp_path: Path) -> None:
    for days in (0, 999):
        a_run(tmp_path, days)

    assert removable(tmp_path, Limits.parse("all")) == []


@pytest.mark.parametrize(("age", "removed"), [(0.0, False), (UNFINISHED + 1, True)])
def test_a_run_at_work_stays_and_one_that_was_killed_long_ago_does_not(
    tmp_path: Path, age: float, *, removed: bool
) -> None:
    a_run(tmp_path, 0)
    run = a_run(tmp_path, 99)
    lines = run / "results.jsonl"
    lines.touch()
    os.utime(lines, (lines.stat().st_mtime - age, lines.stat().st_mtime - age))

    assert removable(tmp_path, Limits.parse("30d")) == ([run] if removed else [])


@pytest.mark.parametrize("text", ["", "5", "-1d", "30d5GB", ",", "30d,", "5GB,30d", "5MB", "30 d", "\u0661d"])
def test_a_wrong_limit_says_what_is_allowed(text: str) -> None:
    with pytest.raises(UsageError, match=r"--keep-results cannot be .*; give an age, a total size or both, as in 30d"):
        Limits.parse(text)
