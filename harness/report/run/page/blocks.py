"""Details of cells as compressed base64 blocks, which the script decompresses when a cell is opened."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CELLS = 64
"""Cells per block: enough to compress well, few enough to decompress at once."""


def blocks(details: Iterable[Any]) -> Iterator[str]:
    """Each block a JSON array of CELLS details, as zlib's format (RFC 1950) in base64."""
    waiting: list[Any] = []
    for one in details:
        waiting.append(one)
        if len(waiting) == CELLS:
            yield _block(waiting)
            waiting = []
    if waiting:
        yield _block(waiting)


def _block(details: list[Any]) -> str:
    return b64encode(zlib.compress(json.dumps(details, separators=(",", ":")).encode("ascii"))).decode("ascii")
