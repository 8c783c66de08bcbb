"""Removes old runs from the default folder, by age and total size."""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from harness.model.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

ALL = "all"
DEFAULT = "30d,5GB"
"""A complete run has about 30 MB."""
DATED = "%Y-%m-%dT%H-%M-%S.%fZ"
"""The names of `harness.results.writer.default_folder`, which sort by time."""
UNFINISHED = 24 * 3600.0
"""Seconds after which a run that still has results.jsonl counts as killed."""
EXIT_STATUS = re.compile(r'^ "exit_status": (-?\d+),?$', re.MULTILINE)
HEAD = 2**16
"""The first bytes of results.json, which contain everything but the cells."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of the runs in a folder; None means that there is no limit."""

    days: int | None = None
    gigabytes: int | None = None
    """The total, without the runs that are always kept."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``30d``, ``5GB``, ``30d,5GB`` or ``all``."""
        found = re.fullmatch(r"(?:(\d{1,5})d)?(,?)(?:(\d{1,5})GB)?", text, re.ASCII)
        if text == ALL:
            return cls()
        if not text or not found or bool(found[2]) != bool(found[1] and found[3]):
            raise UsageError(
                f"--keep-results cannot be {text!r}; give an age, a total size or both, as in 30d, 5GB or 30d,5GB, "
                f"or `{ALL}` to remove nothing (default: {DEFAULT})"
            )
        return cls(*(int(number) if number else None for number in (found[1], found[3])))

    def __str__(self) -> str:
        """Describe what is removed."""
        said = [f"older than {self.days} days"] if self.days is not None else []
        said += [f"beyond {self.gigabytes} GB in all"] if self.gigabytes is not None else []
        return " or ".join(said) or "none"


def removable(place: Path, limits: Limits) -> list[Path]:
    """Return the runs in a folder that exceed the limits.

    The newest run, the newest run that did not pass, and running ones are always kept, as is every folder whose name
    is not a date: a user named it.
    """
    if limits == Limits():
        return []
    runs = sorted(((when, path) for path in place.iterdir() if (when := dated(path))), reverse=True)
    failing = next((path for _, path in runs if not _passed(path)), None)
    total = 0
    found = []
    for number, (when, run) in enumerate(runs):
        if number == 0 or run == failing or _at_work(run):
            continue
        total += _size(run)
        old = limits.days is not None and (datetime.now(UTC) - when).days >= limits.days
        if old or (limits.gigabytes is not None and total > limits.gigabytes * 10**9):
            found.append(run)
    return found


def dated(run: Path) -> datetime | None:
    """Return when a run of the default folder began; None for a folder that a user named."""
    try:
        return datetime.strptime(run.name, DATED).replace(tzinfo=UTC) if run.is_dir() else None
    except ValueError:
        return None


def _passed(run: Path) -> bool:
    """Return whether pytest exited 0; a killed run passed if it has no evidence of a failed cell."""
    try:
        with (run / "results.json").open(encoding="ascii", errors="replace") as file:
            status = EXIT_STATUS.search(file.read(HEAD))
    except OSError:
        status = None
    return int(status[1]) == 0 if status else not (run / "cells").is_dir()


def _size(run: Path) -> int:
    """Return the bytes of a run; by descriptors, as some hundred runs are ten thousands of files."""
    total = 0
    for _, _, names, folder in os.fwalk(run):
        for name in names:
            with suppress(FileNotFoundError):  # another process removes it
                total += os.stat(name, dir_fd=folder, follow_symlinks=False).st_size
    return total


def _at_work(run: Path) -> bool:
    try:
        return time.time() - (run / "results.jsonl").stat().st_mtime < UNFINISHED
    except OSError:
        return False


def tidy(place: Path, limits: Limits) -> int:
    """Remove what is removable and return the number of removed runs; one that cannot be removed is tried again."""
    gone = 0
    for run in removable(place, limits):
        shutil.rmtree(run, ignore_errors=True)
        gone += not run.exists()
    return gone
