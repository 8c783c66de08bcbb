"""The shapes as documents: docs/json.md and the JSON Schema docs/case.schema.json."""

from __future__ import annotations

from types import NoneType
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, is_typeddict

import msgspec

from harness.report.json.foreign_shapes import BetweenObject, WatchObject
from harness.report.json.probe_shapes import ProbesObject
from harness.report.json.shapes import BehavioursObject, CaseObject, DiffObject, ResultsObject, fields, objects

if TYPE_CHECKING:
    from harness.report.json.shapes import Field

INTRODUCTION = """# The JSON of a case

`resumption connect --json` prints one such object, and `resumption run` writes one for each cell into
[`results.json`](#results).
`resumption session --json` prints a [session](#session) for each that a file has, `resumption diff --json` what
[differs](#diff) between two
builds, `resumption behaviours --json` the [map](#behaviours) over many, `resumption probe --json` its
[probes](#probes), `resumption watch --json` what a client [did](#watch), and
`resumption between --json` what [passed](#between) between both ends. As a JSON Schema a case is
[case.schema.json](case.schema.json), and probes are [probe.schema.json](probe.schema.json).

Every key is present unless its row says *optional*: results of older versions do not have such a key. `null` means
unknown or none, as its row says. `schema` is raised when a key changes its meaning or is removed, but not when a key
is added. Bytes are lower-case hex, times are seconds since the epoch, durations seconds, lengths
bytes, unless a row says otherwise. `python -m docs.generate` writes the three files.
"""
DIALECT = "https://json-schema.org/draft/2020-12/schema"
WORDS = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}


def case_schema() -> dict[str, Any]:
    """The JSON Schema of a case (draft 2020-12). Further keys are allowed, for later versions."""
    return {"$schema": DIALECT, "title": "A case of the resumption harness", **msgspec.json.schema(CaseObject)}


def probe_schema() -> dict[str, Any]:
    """The JSON Schema of probes, in the same form."""
    return {"$schema": DIALECT, "title": "Probes of the resumption harness", **msgspec.json.schema(ProbesObject)}


def page() -> str:
    """The whole page in Markdown."""
    tops = (CaseObject, ResultsObject, DiffObject, BehavioursObject, ProbesObject, WatchObject, BetweenObject)
    kinds = dict.fromkeys([kind for top in tops for kind in objects(top)])
    return "\n".join([INTRODUCTION, *map(_section, kinds)])


def _section(kind: Any) -> str:
    rows = [_row(name, field) for name, field in fields(kind).items()]
    return "\n".join(
        [f"## {_name(kind)}", "", kind.__doc__, "", "| key | type | meaning |", "|---|---|---|", *rows, ""]
    )


def _row(name: str, field: Field) -> str:
    optional = "" if field.required else ", optional"
    return f"| `{name}` | {_type(field.kind)}{optional} | {field.meaning.replace('|', '&#124;')} |"


def _name(kind: Any) -> str:
    return str(kind.__name__).removesuffix("Object").lower()


def _type(kind: Any) -> str:
    if kind is Any:
        return "any"
    if is_typeddict(kind):
        return f"[{_name(kind)}](#{_name(kind)})"
    parts = get_args(kind)
    if get_origin(kind) is Literal:
        return ", ".join(f"`{word}`" for word in parts)
    if get_origin(kind) in {list, dict}:
        return f"{'array' if get_origin(kind) is list else 'object'} of {_type(parts[-1])}"
    return " or ".join(map(_type, parts)) or WORDS[kind]
