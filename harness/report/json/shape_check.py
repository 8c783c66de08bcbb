"""Whether a value from a file has the shape of one of the TypedDicts here, and where it has not; it reads no file."""

from __future__ import annotations

import math
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin, is_typeddict

from harness.report.json.schema import members

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Check = Callable[[Any], None]
    """Returns if the value is right, and raises ShapeError if it is not."""

ADDED = frozenset({"explanation", "circumstances", "session_difference"})
"""Keys that came without a new schema; results from before are without them."""
LARGEST = 2**64
LONGEST = 60
"""Characters of a wrong value that are shown."""
NAMES: Mapping[Any, str] = {
    str: "a string",
    int: "an integer",
    float: "a number",
    bool: "true or false",
    NoneType: "null",
}


class ShapeError(Exception):
    """A value is not of the shape; ``path`` leads to it, ``told`` says what it is and what is allowed."""

    def __init__(self, told: str) -> None:
        super().__init__(told)
        self.told = told
        self.path = ""

    def within(self, key: str) -> ShapeError:
        """The same, seen from the object that holds the value."""
        self.path = key + self.path
        return self

    def __str__(self) -> str:
        return f"{self.path.removeprefix('.') or 'the whole'} {self.told}"


def check(kind: Any, value: Any) -> None:
    """Raise ShapeError where the value is not as the type says; keys that the type does not have are taken out of it.

    Those are of a later version, or nobody knows what they hold.
    """
    checker(kind)(value)


@cache
def checker(kind: Any) -> Check:
    """The check of a type, compiled once: a run has millions of values."""
    if is_typeddict(kind):
        return _object(kind)
    make = MAKERS.get(get_origin(kind))
    return make(kind) if make else _scalar((kind,))


def _object(kind: Any) -> Check:
    parts: list[tuple[str, Check]] = []

    def checked(value: Any) -> None:
        if type(value) is not dict:
            raise _wrong(value, "an object")
        for key, part in parts:
            if key in value:
                try:
                    part(value[key])
                except ShapeError as error:
                    raise error.within(f".{key}") from None
            elif key not in ADDED:
                raise ShapeError(f"has no {key!r}, which must be there")
        for key in value.keys() - known:
            del value[key]

    parts += [(key, checker(member)) for key, member in members(kind).items()]
    known = frozenset(members(kind))
    return checked


def _list(kind: Any) -> Check:
    part = checker(get_args(kind)[0])

    def checked(value: Any) -> None:
        if type(value) is not list:
            raise _wrong(value, "an array")
        for place, item in enumerate(value):
            try:
                part(item)
            except ShapeError as error:
                raise error.within(f"[{place}]") from None

    return checked


def _texts(kind: Any) -> Check:
    part = checker(get_args(kind)[1])

    def checked(value: Any) -> None:
        if type(value) is not dict:
            raise _wrong(value, "an object")
        for key, item in value.items():
            try:
                part(item)
            except ShapeError as error:
                raise error.within(f"[{key!r}]") from None

    return checked


def _one_of(kind: Any) -> Check:
    words = frozenset(get_args(kind))

    def checked(value: Any) -> None:
        if type(value) is not str or value not in words:
            raise _wrong(value, f"one of {', '.join(map(str, get_args(kind)))}")

    return checked


def _union(kind: Any) -> Check:
    kinds = get_args(kind)
    if all(part in NAMES for part in kinds):
        return _scalar(kinds)
    (inner,) = (checker(part) for part in kinds if part is not NoneType)

    def checked(value: Any) -> None:
        if value is not None:
            inner(value)

    return checked


def _scalar(kinds: tuple[Any, ...]) -> Check:
    right = frozenset((*kinds, int) if float in kinds else kinds)
    allowed = " or ".join(NAMES[kind] for kind in kinds)

    def checked(value: Any) -> None:
        if type(value) not in right:
            raise _wrong(value, allowed)
        if (type(value) is int and abs(value) >= LARGEST) or (type(value) is float and not math.isfinite(value)):
            raise _wrong(value, f"{allowed} of 64 bits")

    return checked


def _wrong(value: Any, allowed: str) -> ShapeError:
    shown = repr(value) if isinstance(value, str | int | float | NoneType) else HOLDERS[type(value)]
    return ShapeError(f"is {shown if len(shown) <= LONGEST else shown[:LONGEST] + '…'}, and must be {allowed}")


HOLDERS: Mapping[Any, str] = {dict: "an object", list: "an array"}

MAKERS: Mapping[Any, Callable[[Any], Check]] = {
    Annotated: lambda kind: checker(get_args(kind)[0]),
    Literal: _one_of,
    Union: _union,
    UnionType: _union,
    list: _list,
    dict: _texts,
}
"""How the check of a generic type is made, by the type's origin."""
