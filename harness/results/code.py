"""Digests of the code that a run used, to detect shards of different code."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

HARNESS = Path(__file__).parents[1]
LENGTH = 16
"""Hex digits of a digest."""


def digests(root: Path, files: Iterable[str]) -> dict[str, str]:
    """Return the digest of each existing file below ``root``, and of ``harness``, its modules without tests."""
    modules = sorted(path for path in HARNESS.rglob("*.py") if "tests" not in path.parts)
    own = {"harness": _digest(modules)}
    return own | {file: _digest([root / file]) for file in sorted(set(files)) if (root / file).is_file()}


def _digest(paths: Iterable[Path]) -> str:
    found = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        found.update(f"{path.name} {len(content)}\n".encode())
        found.update(content)
    return found.hexdigest()[:LENGTH]
