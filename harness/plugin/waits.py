"""What the cells of a run wait for: each process writes it to a file of its own, and the progress reads them.

PYTEST_DONT_REWRITE: it asserts nothing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FOLDER = pytest.StashKey["Path"]()
"""The private folder of the process that the user started."""
INPUT = "resumption_waits"
"""The folder's name among the inputs of a worker of pytest-xdist."""
SUFFIX = ".waits"
USUAL_VERSIONS = "PYTEST_CURRENT_TEST"
"""The test that runs and its phase, ``x.py::test_y[z] (call)``, as pytest sets it."""


def writer(folder: Path, process: str) -> Callable[[str], None]:
    """Return a function that keeps what this process waits for in its file; it removes the file for an empty text."""
    file = folder / f"{process}{SUFFIX}"

    def write(what: str) -> None:
        if not what:
            file.unlink(missing_ok=True)
            return
        staged = file.with_suffix(".new")
        staged.write_text(f"{os.environ.get(USUAL_VERSIONS, '').rpartition(' (')[0]}\n{what}", encoding="utf-8")
        staged.replace(file)

    return write


def waits(folder: Path) -> dict[str, str]:
    """Return what is waited for by the node id of its test: the first thing, and how many come after it."""
    found = {}
    for file in folder.glob(f"*{SUFFIX}"):
        try:
            test, _, what = file.read_text(encoding="utf-8").partition("\n")
        except FileNotFoundError:  # the wait is over
            continue
        first, *more = " ".join(what.split()).split("; ")
        found[test] = f"{first} and {len(more)} more" if more else first
    return found
