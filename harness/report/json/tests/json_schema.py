"""The part of JSON Schema that the harness's own schema uses; stricter, for an undocumented key is an error."""

from __future__ import annotations

from typing import Any

TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}


def errors(value: Any, schema: dict[str, Any], defs: dict[str, Any], path: str = "$") -> list[str]:
    """Where the value is not as the schema says, as ``$.connections[0].number is not of type integer``."""
    if "$ref" in schema:
        return errors(value, defs[schema["$ref"].rpartition("/")[2]], defs, path)
    if "enum" in schema:
        return [] if value in schema["enum"] else [f"{path} is {value!r}, none of {schema['enum']}"]
    if "anyOf" in schema:
        tried = [errors(value, part, defs, path) for part in schema["anyOf"]]
        return [] if [] in tried else tried[0]
    kind = schema["type"]
    if kind == "array":
        found = enumerate(value) if isinstance(value, list) else ()
        inner = [e for at, item in found for e in errors(item, schema["items"], defs, f"{path}[{at}]")]
        return inner if isinstance(value, list) else [f"{path} is not an array"]
    if kind == "object":
        return _object(value, schema, defs, path) if isinstance(value, dict) else [f"{path} is not an object"]
    right = isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
    return [] if right else [f"{path} is not of type {kind}"]


def _object(value: dict[str, Any], schema: dict[str, Any], defs: dict[str, Any], path: str) -> list[str]:
    known = schema.get("properties", {})
    other = schema.get("additionalProperties")
    found = [f"{path}.{name} is missing" for name in schema.get("required", []) if name not in value]
    for name, item in value.items():
        part = known.get(name, other)
        found += [f"{path}.{name} is not documented"] if part is None else errors(item, part, defs, f"{path}.{name}")
    return found
