"""How long results stay where a user named no folder: the newest runs do, older ones are removed; others are let be."""

from __future__ import annotations

import re
import shutil
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NEWEST = 5
"""Runs that are kept by default; a whole run is some 200 MB."""
DATED = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{6}Z")
"""The names of `harness.results.writer.default_folder`, which sort by their time."""
UNFINISHED = 24 * 3600.0
"""Seconds after which a run that still has results.jsonl was killed, and is no longer at work."""


def removable(place: Path, newest: int) -> list[Path]:
    """The folders of runs beyond the ``newest`` ones in a place, without those that are still at work; 0 keeps all."""
    runs = sorted((path for path in place.iterdir() if DATED.fullmatch(path.name)), reverse=True)
    return [run for run in runs[newest:] if not _at_work(run)] if newest else []


def _at_work(run: Path) -> bool:
    try:
        return time.time() - (run / "results.jsonl").stat().st_mtime < UNFINISHED
    except OSError:
        return False


def tidy(place: Path, newest: int) -> int:
    """Remove what is removable; how many runs are gone. One that cannot be removed stays, and is tried again."""
    gone = 0
    for run in removable(place, newest):
        shutil.rmtree(run, ignore_errors=True)
        gone += not run.exists()
    return gone
