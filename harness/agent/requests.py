"""Reads a request line and checks it against the table of verbs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.agent.fields import RequestError
from harness.agent.verbs import VERBS
from harness.agent.vocabulary import LONGEST_LINE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.agent.verbs import Verb

COMMON = frozenset({"id", "verb"})
"""The fields of every request."""


class Request(NamedTuple):
    """One request with its decoded values: bytes for hexadecimal digits, defaults for omitted fields."""

    id: int
    row: Verb
    fields: Mapping[str, Any]

    @property
    def arguments(self) -> dict[str, Any]:
        """Return the fields without the object that the verb acts on."""
        return {name: self.fields[name] for name in self.row.fields}


class Lines:
    """Cuts what arrives into lines."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[bytes | None]:
        """Return the lines that are complete now, without their newlines; None for one that is too long, once."""
        *ended, rest = data.split(b"\n")
        lines = []
        for part in ended:
            self._keep(part)
            lines.append(None if self._size > LONGEST_LINE else b"".join(self._parts))
            self._parts, self._size = [], 0
        self._keep(rest)
        return lines

    def _keep(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > LONGEST_LINE:
            self._parts.clear()
        else:
            self._parts.append(part)


def decoded(line: bytes | None) -> Any:
    """Return the JSON value of a line; RequestError if it has none, and for None, a line that is too long."""
    if line is None:
        raise RequestError(f"a request has at most {LONGEST_LINE} bytes; this one is longer and was not read")
    try:
        return json.loads(line.decode())
    except (ValueError, RecursionError) as error:
        raise RequestError(f"a request must be one line with one JSON object: {error}") from None


def parse(message: Any) -> tuple[int | None, Mapping[str, Any]]:
    """Return the id (None if unreadable) and the object of a request; RequestError if it is not an object."""
    if not isinstance(message, dict):
        raise RequestError(f"a request must be a JSON object, not {type(message).__name__}")
    number = message.get("id")
    return (number if type(number) is int else None), message


def check(number: int | None, message: Mapping[str, Any], verbs: Mapping[str, Verb] = VERBS) -> Request:
    """Return the request in a message; RequestError says what is wrong and what is allowed."""
    if number is None:
        raise RequestError(f"id must be an integer, not {message.get('id')!r}")
    verb = message.get("verb")
    row = verbs.get(verb) if isinstance(verb, str) else None
    if row is None:
        raise RequestError(f"no verb {verb!r}; the verbs are: {', '.join(verbs)}")
    fields = row.members
    values: dict[str, Any] = {}
    read = len(COMMON)
    for name, field in fields.items():
        if name in message:
            values[name] = field.value(message[name], name, "of", row.name)
            read += 1
        elif field.required:
            raise RequestError(f"{row.name} needs {name}: {field.allowed}")
        else:
            values[name] = field.default
    if len(message) > read:
        unknown = [key for key in message if key not in fields and key not in COMMON]
        raise RequestError(
            f"{row.name} has no field {', '.join(unknown)}; its fields are: {', '.join(fields) or 'none'}"
        )
    return Request(number, row, values)
