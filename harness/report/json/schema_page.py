"""The types of case_shape as the page docs/json.md: every key, its type, its meaning and unit; it writes no file."""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, is_typeddict

from harness.report.json.case_shape import CaseObject
from harness.report.json.difference_shape import DiffObject
from harness.report.json.run_shape import ResultsObject
from harness.report.json.schema import WORDS, members, objects

if TYPE_CHECKING:
    from collections.abc import Callable

INTRODUCTION = """# The JSON of a case

`resumption connect --json` prints one such object, and `resumption run` writes one for each cell into
[`results.json`](#results).
`resumption session --json` prints a [session](#session), `resumption diff --json` what [differs](#diff) between two
builds. As a JSON Schema it is [case.schema.json](case.schema.json).

Every key is always there; `null` means unknown, or that there is none, as its row says. `schema` is raised when a key
changes its meaning or goes away; new keys may come without that. Bytes are lower-case hex, times are seconds since the
epoch, durations seconds, lengths bytes, unless a row says otherwise. Both files are made by `python docs/generate.py`.
"""


def page() -> str:
    """The whole page in Markdown."""
    kinds = dict.fromkeys([*objects(CaseObject), *objects(ResultsObject), *objects(DiffObject)])
    return "\n".join([INTRODUCTION, *(_section(kind) for kind in kinds)])


def _section(kind: Any) -> str:
    rows = [_row(name, member) for name, member in members(kind).items()]
    text = " ".join((kind.__doc__ or "").split("\n\n", maxsplit=1)[0].split())
    return "\n".join([f"## {_name(kind)}", "", text, "", "| key | type | meaning |", "|---|---|---|", *rows, ""])


def _row(name: str, member: Any) -> str:
    kind, meaning = get_args(member)
    return f"| `{name}` | {_type(kind)} | {meaning.replace('|', '&#124;')} |"


def _name(kind: Any) -> str:
    return str(kind.__name__).removesuffix("Object").lower()


def _type(kind: Any) -> str:
    if is_typeddict(kind):
        return f"[{_name(kind)}](#{_name(kind)})"
    shape = SHAPES.get(get_origin(kind))
    return shape(get_args(kind)) if shape else WORDS[kind]


SHAPES: dict[Any, Callable[[tuple[Any, ...]], str]] = {
    Literal: lambda parts: ", ".join(f"`{word}`" for word in parts),
    Union: lambda parts: " or ".join(_type(part) for part in parts),
    UnionType: lambda parts: " or ".join(_type(part) for part in parts),
    list: lambda parts: f"array of {_type(parts[0])}",
    dict: lambda parts: f"object of {_type(parts[1])}",
}
"""The words for a generic type from its arguments, by its origin."""
