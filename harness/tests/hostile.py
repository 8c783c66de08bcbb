"""Texts that try to be markup, put into every place of results that a peer or an editor could have written."""

from __future__ import annotations

from typing import Any, get_args, get_origin, is_typeddict

from harness.report.json.shapes import CellObject, fields

HTML = (
    """</script></style></textarea><script>window.hit=1;alert(1)</script><img src=x onerror="window.hit=2;alert(2)">"""
)
MORE = (
    "<!-- --> ]]> &lt;b&gt; {{ 7*7 }} {% raw %} \" ' ` | \\| [link](javascript:window.hit=3) ![image](http://x.test/i)"
)
LINES = "\n# heading\n\n| a | b |\n```\n</details>\n<b>bold</b> www.example.com a@example.com http://x.test *em* __st__"
UNSEEN = "\u2028\u2029\x00\x08\x1b[31m\x7f\x85\ud800\ufffe\u202e"
HOSTILE = f"{HTML} {MORE} {LINES} {UNSEEN}"
LABEL = f'x@1"><img src=x onerror=window.hit=4>{MORE}'
KEPT = {"tls", "verdict", "folder", "schema"}


def poisoned(results: Any) -> Any:
    """The results with HOSTILE after each text that is not one of the shape's words; labels too, on one line."""
    labels = {label: f"{label}{LABEL}" for label in {*results["clients"], *results["servers"]}}
    cells = [_object(CellObject, cell) for cell in results["cells"]]
    for cell, old in zip(cells, results["cells"], strict=True):
        cell["client"], cell["server"] = labels[old["client"]], labels[old["server"]]
    heads = {key: [labels[label] for label in results[key]] for key in ("clients", "servers")}
    return {**results, **heads, "started": HOSTILE, "finished": HOSTILE, "unmatched": [HOSTILE], "cells": cells}


def _object(kind: Any, value: Any) -> dict[str, Any]:
    known = fields(kind)
    return {
        key: item if key in KEPT or key not in known else _any(known[key].kind, item) for key, item in value.items()
    }


def _any(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    if is_typeddict(kind):
        return _object(kind, value)
    if kind is str:
        return value + HOSTILE
    parts = get_args(kind)
    if get_origin(kind) is list:
        return [_any(parts[0], item) for item in value]
    if get_origin(kind) is dict:
        return {key + HOSTILE: _any(parts[1], item) for key, item in value.items()}
    return next((_any(part, value) for part in parts if _fits(part, value)), value)


def _fits(kind: Any, value: Any) -> bool:
    if isinstance(value, dict):
        return is_typeddict(kind) or get_origin(kind) is dict or bool(get_args(kind))
    if isinstance(value, list):
        return get_origin(kind) is list or any(_fits(part, value) for part in get_args(kind))
    return kind is str if isinstance(value, str) else False
