"""Reads the details of cells out of a page, as its script does."""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64decode
from typing import Any


def details(document: str) -> list[Any]:
    """The details of each cell, with its connections."""
    shared = _values(document, "shared")
    return [
        {**one, "connections": [_connection(shared, place) for place in one["connections"]]}
        for one in _values(document, "block")
    ]


def _values(document: str, kind: str) -> list[Any]:
    found = re.findall(rf'class="{kind}">([^<]*)</script>', document)
    return [one for block in found for one in json.loads(zlib.decompress(b64decode(block)))]


def _connection(shared: list[Any], place: int) -> dict[str, Any]:
    parts = {key: shared[where] for key, where in shared[place]["parts"].items()}
    return {**shared[place]["own"], **parts, "messages": [shared[where] for where in parts["messages"]]}
