"""Digests of the code that a run used, to detect shards of different code and to find the results of the same code."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HARNESS = Path(__file__).parents[1]
LENGTH = 16
"""Hex digits of a digest."""
READERS = ("cli", "explore", "report/diff", "report/run", "report/text")
"""The rooms below the harness that only read what a cell leaves: what they do changes no result."""
PROJECT = ("pyproject.toml", "pytest.ini", "tox.ini", "setup.cfg", "setup.py")
"""Files of which the nearest one above a test is where its project begins, and pytest's names of its tests."""
SOURCES = frozenset({".py", ".go", ".java", ".js", ".mod", ".toml", ".csv"})


def digests(root: Path, files: Iterable[str]) -> dict[str, str]:
    """Return the digest of each existing file below ``root``, and of ``harness``, its modules without tests."""
    modules = sorted(path for path in HARNESS.rglob("*.py") if "tests" not in path.parts)
    own = {"harness": _digest(modules)}
    return own | {file: _digest([root / file]) for file in sorted(set(files)) if (root / file).is_file()}


def running_code() -> str:
    """Return a digest of all that a cell's result depends on: the harness, its agents, and the certificates' table."""
    found = hashlib.sha256()
    issued = HARNESS.parent / "certs"
    for path in sorted(path for place in (HARNESS, issued) for path in place.rglob("*") if path.suffix in SOURCES):
        name = path.relative_to(HARNESS.parent)
        if "tests" not in name.parts and not any(path.is_relative_to(HARNESS / room) for room in READERS):
            found.update(f"{name} ".encode())
            found.update(content(path).encode())
    return found.hexdigest()[:LENGTH]


def content(path: Path) -> str:
    """Return a digest of what is in a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def beside(test: Path) -> Iterator[tuple[str, Path]]:
    """Each file that a test file of any project may depend on, by its path in the project; the test file is the first.

    Those are the modules in its folder, and every conftest.py and the settings above it.
    """
    above = list(test.parents)
    project = next((folder for folder in above if any((folder / name).is_file() for name in PROJECT)), Path.cwd())
    folders = above[: above.index(project) + 1] if project in above else above[:1]
    upwards = [folder / name for folder in folders for name in ("conftest.py", *PROJECT)]
    for path in dict.fromkeys([test, *sorted(test.parent.glob("*.py")), *upwards]):
        if path.is_file():
            yield os.path.relpath(path, project), path


def _digest(paths: Iterable[Path]) -> str:
    found = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        found.update(f"{path.name} {len(content)}\n".encode())
        found.update(content)
    return found.hexdigest()[:LENGTH]
