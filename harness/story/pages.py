"""The tables of a story's fields and steps, for docs/stories.md."""

from __future__ import annotations

import re
from typing import Any, get_type_hints

from msgspec.structs import fields

from harness.story.step import Offer
from harness.story.steps import KINDS
from harness.story.story import Story

TABLE = r"(\| {} \|\n\|(?:---\|)+\n)(?:\|.*\n)*"


def with_tables(page: str) -> str:
    """Return the page with its three tables written again."""
    parts = iter((_rows(Story), _rows(Offer)))
    page = re.sub(TABLE.format(r"field \| meaning"), lambda found: found[1] + next(parts), page)
    steps = "".join(_step(word, kind) for word, kind in KINDS.items())
    return re.sub(TABLE.format(r"step \| fields \| meaning"), lambda found: found[1] + steps, page)


def _rows(kind: type[Any]) -> str:
    return "".join(f"| `{name}` | {meaning} |\n" for name, meaning in _meanings(kind).items())


def _meanings(kind: type[Any]) -> dict[str, str]:
    """The fields with their descriptions, in the order of the type."""
    hints = get_type_hints(kind, include_extras=True)
    return {each.name: _described(hints[each.name]) for each in fields(kind)}


def _described(hint: Any) -> str:
    return str([meta.description for meta in hint.__metadata__ if meta.description][-1])


def _step(word: str, kind: type[Any]) -> str:
    found = "<br>".join(f"`{name}`: {meaning}" for name, meaning in _meanings(kind).items())
    return f"| `{word}` | {found} | {kind.__doc__} |\n"
