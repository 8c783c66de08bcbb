"""The types of case_shape as a JSON Schema (draft 2020-12); it knows no case and writes no file."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from harness.model.session import SESSION_FIELDS, Session
from harness.model.tls import TLSVersion
from harness.report.json.case_shape import CaseObject, SessionObject

if TYPE_CHECKING:
    from collections.abc import Callable

WORDS = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}


def case_schema() -> dict[str, Any]:
    """The JSON Schema of the object of a case. Every key is required; further keys are allowed, for later versions."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A case of the resumption harness",
        "$ref": f"#/$defs/{CaseObject.__name__}",
        "$defs": {kind.__name__: _object(kind) for kind in objects(CaseObject)},
    }


def objects(kind: Any) -> list[Any]:
    """The object types that a type is made of, itself first, each once, in the order in which they are met."""
    found = [kind] if is_typeddict(kind) else []
    inner = list(members(kind).values()) if is_typeddict(kind) else get_args(kind)
    return list(dict.fromkeys([*found, *(other for part in inner for other in objects(part))]))


def members(kind: Any) -> dict[str, Any]:
    """The members of an object type, each Annotated with what it means."""
    declared = get_type_hints(kind, include_extras=True)
    return {**declared, **{name: _field(name) for name in SESSION_FIELDS}} if kind is SessionObject else declared


def _field(name: str) -> Any:
    known = getattr(Session, name)
    if known.kind is bytes:
        return Annotated[str | None, f"{known.__doc__}; lower-case hex"]
    kind = Literal[tuple(v.value for v in TLSVersion)] if known.kind is TLSVersion else known.kind
    return Annotated[kind | None, known.__doc__]


def _object(kind: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "description": " ".join((kind.__doc__ or "").split("\n\n", maxsplit=1)[0].split()),
        "properties": {name: _schema(member) for name, member in members(kind).items()},
        "required": list(members(kind)),
    }


def _schema(kind: Any) -> dict[str, Any]:
    if is_typeddict(kind):
        return {"$ref": f"#/$defs/{kind.__name__}"}
    shape = SHAPES.get(get_origin(kind))
    return shape(get_args(kind)) if shape else {"type": WORDS[kind]}


SHAPES: dict[Any, Callable[[tuple[Any, ...]], dict[str, Any]]] = {
    Annotated: lambda parts: {**_schema(parts[0]), "description": parts[1]},
    Literal: lambda parts: {"enum": list(parts)},
    Union: lambda parts: {"anyOf": [_schema(part) for part in parts]},
    UnionType: lambda parts: {"anyOf": [_schema(part) for part in parts]},
    list: lambda parts: {"type": "array", "items": _schema(parts[0])},
    dict: lambda parts: {"type": "object", "additionalProperties": _schema(parts[1])},
}
"""The schema of a generic type from its arguments, by its origin."""
