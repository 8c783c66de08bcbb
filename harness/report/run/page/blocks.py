"""Details of cells, and what they share, as compressed blocks, which the script decompresses when a cell is opened."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CELLS = 64
"""Values per block: enough to compress well, few enough to decompress at once."""


def blocks(texts: Iterable[bytes]) -> Iterator[str]:
    """Each block a JSON array of CELLS texts, as zlib's format (RFC 1950) in base64."""
    for some in _batches(texts):
        yield b64encode(zlib.compress(b"[" + b",".join(some) + b"]")).decode("ascii")


def _batches(texts: Iterable[bytes]) -> Iterator[list[bytes]]:
    waiting: list[bytes] = []
    for one in texts:
        waiting.append(one)
        if len(waiting) == CELLS:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def encoded(value: Any) -> bytes:
    """The JSON of a value; a lone surrogate, which a peer may have sent, stays one."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode("ascii")
