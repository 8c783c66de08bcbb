"""The types of request fields: JSON type, allowed values, and the error for a wrong value."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}\Z")
INT64 = 1 << 63
SHOWN = 80
"""Maximum characters of a wrong value in an error."""


class RequestError(Exception):
    """An invalid request; the text says what is allowed (error kind ``usage``)."""


@dataclass(frozen=True)
class Field:
    """One field: ``read`` converts JSON to the agent's value, or raises ValueError."""

    read: Callable[[Any], Any]
    allowed: str
    """The allowed values, in words."""
    required: bool = True
    default: Any = None
    """The value if the field is omitted or null, unless it is required."""
    shown: str = ""
    """Its type in PROTOCOL.md."""

    def about(self, shown: str) -> Field:
        """Return the same field with its type for PROTOCOL.md."""
        return replace(self, shown=shown if self.required else f"{shown}, optional")

    def value(self, raw: Any, *where: str) -> Any:
        """Read the value; RequestError names the field, after the words of ``where``, and what is allowed."""
        try:
            return self.read(raw)
        except ValueError:
            shown = repr(raw)
            shown = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}..."
            raise RequestError(f"{' '.join(where)} cannot be {shown}; allowed: {self.allowed}") from None


def of(kind: type, raw: Any) -> Any:
    """Return the value if it has exactly that JSON type (true is not an integer), else ValueError."""
    if type(raw) is not kind:
        raise ValueError(raw)
    return raw


def name(raw: Any) -> str:
    """A name of an object."""
    if NAME.match(of(str, raw)) is None:
        raise ValueError(raw)
    return str(raw)


def octets(raw: Any) -> bytes:
    """Bytes from hexadecimal digits."""
    return bytes.fromhex(of(str, raw))


def word(*words: str) -> Field:
    """One of the given words."""

    def read(raw: Any) -> str:
        if of(str, raw) not in words:
            raise ValueError(raw)
        return str(raw)

    return Field(read, " | ".join(f'"{each}"' for each in words))


def integer(low: int, high: int, what: str) -> Field:
    """An integer within a range, both ends included."""

    def read(raw: Any) -> int:
        if not low <= of(int, raw) <= high:
            raise ValueError(raw)
        return int(raw)

    return Field(read, what)


def mapping(raw: Any) -> dict[str, Any]:
    """A JSON object."""
    return dict(of(dict, raw))


def texts(raw: Any) -> list[str]:
    """A list of strings."""
    return [str(of(str, each)) for each in of(list, raw)]


def optional(given: Field, default: Any = None) -> Field:
    """Return the same field, but optional: the default if it is omitted or null."""

    def read(raw: Any) -> Any:
        return default if raw is None else given.read(raw)

    return Field(read, f"{given.allowed}, or null", required=False, default=default)


OBJECT_NAME = Field(name, "1 to 64 letters, digits, '_', '.' or '-'")
HEX = Field(octets, "bytes as hexadecimal digits, two per byte")
BOOL = Field(lambda raw: of(bool, raw), "true or false")
TEXT = Field(lambda raw: of(str, raw), "a string")
OBJECT = Field(mapping, "an object")
INT = integer(-INT64, INT64 - 1, "a 64-bit integer")
