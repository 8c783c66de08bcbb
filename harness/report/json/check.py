"""Checks that a value from a file has one of the shapes, and reports where it does not."""

from __future__ import annotations

import math
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_origin, is_typeddict

import msgspec

from harness.report.json.shapes import fields, held

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

T = TypeVar("T")
LONGEST = 60
"""Characters of a wrong value that are shown."""
DIGITS = 19
"""The digits of numbers that always fit into 64 bits."""
NAMES: Mapping[Any, str] = {
    str: "a string",
    int: "an integer",
    float: "a number of 64 bits",
    bool: "true or false",
    NoneType: "null",
    list: "an array",
    dict: "an object",
}


class ShapeError(Exception):
    """A value does not have the shape."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path.removeprefix('.') or 'the whole'} {problem}")
        self.path = path


class OutOfRange:
    """A number in JSON that does not fit into 64 bits; it has none of the shapes."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def whole(text: str) -> int | OutOfRange:
    """For ``parse_int`` of json.loads."""
    return int(text) if len(text) <= DIGITS else OutOfRange(text)


def finite(text: str) -> float | OutOfRange:
    """For ``parse_float`` of json.loads."""
    return number if math.isfinite(number := float(text)) else OutOfRange(text)


def checked(kind: type[T], value: Any) -> T:
    """The value without unknown keys; ShapeError names the path, the value and what is allowed."""
    try:
        return msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError, UnicodeError):
        raise _located(kind, value, "") from None


def _located(kind: Any, value: Any, path: str) -> ShapeError:
    for step, inner, item in _parts(kind, value):
        try:
            msgspec.convert(item, inner)
        except (msgspec.ValidationError, RecursionError, UnicodeError):
            return _located(inner, item, path + step)
    if (kept := held(kind)) and isinstance(value, dict):
        missing = [name for name, field in fields(kept).items() if field.required and name not in value]
        if missing:
            return ShapeError(path, f"has no {missing[0]!r}, which is required")
    return ShapeError(path, f"is {shown(value)}, and must be {_allowed(kind)}")


def _parts(kind: Any, value: Any) -> Iterator[tuple[str, Any, Any]]:
    """The step, the declared type and the value of each member of a value."""
    if get_origin(kind) is UnionType:
        kind = next(part for part in get_args(kind) if part is not NoneType)
    if is_typeddict(kind) and isinstance(value, dict):
        yield from ((f".{name}", field.kind, value[name]) for name, field in fields(kind).items() if name in value)
    elif get_origin(kind) is list and isinstance(value, list):
        yield from ((f"[{place}]", get_args(kind)[0], item) for place, item in enumerate(value))
    elif get_origin(kind) is dict and isinstance(value, dict):
        yield from ((f"[{name!r}]", get_args(kind)[1], item) for name, item in value.items())


def shown(value: object) -> str:
    """A wrong value, cut if it is long."""
    text = NAMES[type(value)] if isinstance(value, dict | list) else repr(value)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def _allowed(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, get_args(kind)))}"
    if is_typeddict(kind):
        return NAMES[dict]
    parts = get_args(kind) if get_origin(kind) not in {list, dict} else ()
    return " or ".join(map(_allowed, parts)) or NAMES[get_origin(kind) or kind]
