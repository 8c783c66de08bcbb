"""The verbs with their fields, and the reading of a request line; carries out nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.agent.fields import (
    BOOL,
    HEX,
    INT,
    OBJECT,
    OBJECT_NAME,
    RequestError,
    integer,
    optional,
    word,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.agent.fields import Field

ALWAYS = frozenset({"id", "verb"})
"""The fields of every request."""
ROLE = word("client", "server")
PORT = integer(1, 65535, "a port, 1 to 65535")
SIZE = integer(0, (1 << 31) - 1, "a number of entries, 0 or more")

ON_CONTEXT: dict[str, dict[str, Field]] = {
    "free_context": {},
    "counters": {},
    "flush": {"at": INT},
    "resize_cache": {"size": SIZE},
    "remove": {"session_id": HEX},
    "age_sessions": {"seconds": INT},
    "has_session": {"session_id": HEX},
    "listen": {"as": OBJECT_NAME},
    "connect": {"as": OBJECT_NAME, "port": PORT, "session": optional(OBJECT)},
}
"""The verbs that name a ``context``."""

ON_CONNECTION: dict[str, dict[str, Field]] = {
    "handshake": {},
    "write": {"data": HEX},
    "read_line": {},
    "renegotiate": {"abbreviated": optional(BOOL)},
    "session": {},
    "sessions": {},
    "keep_session": {},
    "shutdown": {},
    "await_end": {},
    "release": {},
}
"""The verbs that name a ``connection``; they are carried out in the order in which they come."""

VERBS: dict[str, dict[str, Field]] = {
    "hello": {},
    "context": {"as": OBJECT_NAME, "role": ROLE, "knobs": optional(OBJECT), "files": optional(OBJECT)},
    **{verb: {"context": OBJECT_NAME, **fields} for verb, fields in ON_CONTEXT.items()},
    "accept": {"listener": OBJECT_NAME, "as": OBJECT_NAME},
    "unlisten": {"listener": OBJECT_NAME},
    **{verb: {"connection": OBJECT_NAME, **fields} for verb, fields in ON_CONNECTION.items()},
}
"""Every verb with its fields, ``id`` and ``verb`` apart."""


@dataclass(frozen=True)
class Request:
    """One request; ``fields`` holds values that were read, bytes for hexadecimal digits; left out ones are None."""

    id: int
    verb: str
    fields: Mapping[str, Any]


def parse(line: bytes) -> tuple[int | None, Mapping[str, Any]]:
    """The id (None if there is none that can be read) and the object of a line; RequestError if it is no object."""
    try:
        message = json.loads(line.decode())
    except (ValueError, RecursionError) as error:
        raise RequestError(f"a request must be one line with one JSON object: {error}") from None
    if not isinstance(message, dict):
        raise RequestError(f"a request must be a JSON object, not {type(message).__name__}")
    number = message.get("id")
    return (number if type(number) is int else None), message


def check(number: int | None, message: Mapping[str, Any]) -> Request:
    """The request in a message; RequestError says what is wrong and what is allowed."""
    if number is None:
        raise RequestError(f"id must be an integer, not {message.get('id')!r}")
    verb = message.get("verb")
    fields = VERBS.get(verb) if isinstance(verb, str) else None
    if fields is None or not isinstance(verb, str):
        raise RequestError(f"no verb {verb!r}; the verbs are: {', '.join(VERBS)}")
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name in message:
            values[name] = field.value(message[name], name, "of", verb)
        elif field.required:
            raise RequestError(f"{verb} lacks {name}: {field.allowed}")
        else:
            values[name] = None
    if message.keys() - fields.keys() > ALWAYS:
        unknown = [key for key in message if key not in fields and key not in ALWAYS]
        raise RequestError(f"{verb} has no field {', '.join(unknown)}; its fields are: {', '.join(fields) or 'none'}")
    return Request(number, verb, values)
