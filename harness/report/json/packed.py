"""Results as they are in a file: what many cells share stands once, in the parts of the run."""

# Without `from __future__ import annotations`: msgspec and TypedDict read the annotations at run time.

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Annotated, Any, NotRequired, TypedDict, cast, get_type_hints

import msgspec

from harness.report.json.check import ShapeError
from harness.report.json.shapes import (
    CaseObject,
    CellObject,
    ConnectionObject,
    MessageObject,
    ResultsObject,
    about,
    fields,
)

OWN = {
    ConnectionObject: ("number", "brief", "outcome", "mechanism"),
    CaseObject: ("schema", "client", "server", "tls", "connections"),
}
"""The keys that stay in each connection and in each case."""
MANY, ONE = "messages", "message"
"""The part of many messages has the places of as many parts, with a message each."""
ALONE = (MANY, "hellos", "session", "offered", "endpoints", "views", "expiry", "knobs", "counters", "story")
"""Keys that are a part each; all others are one part together."""


def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _optional(kind: Any) -> dict[str, Any]:
    """The keys of an object type, none of which must be there."""
    return {name: NotRequired[field.declared] for name, field in fields(kind).items()}


_object_type: Any = TypedDict
"""For keys that come from another declaration, which no type checker can follow."""
NO_PARTS = ("parts", "connections")
Part: Any = _object_type(
    "Part",
    {
        **{
            n: hint
            for kind in (CaseObject, ConnectionObject)
            for n, hint in _optional(kind).items()
            if n not in NO_PARTS
        },
        MANY: NotRequired[Annotated[list[int], about("places of messages")]],
        ONE: NotRequired[Annotated[MessageObject, about("a message")]],
    },
)
_Connection: Any = _object_type("_Connection", _optional(ConnectionObject))
_Case: Any = _object_type(
    "_Case", {**_optional(CaseObject), "connections": Annotated[list[_Connection], about("every connection")]}
)
_Cell: Any = _object_type("_Cell", {**_hints(CellObject), "case": Annotated[_Case | None, about("the connections")]})
PackedResults: Any = _object_type(
    "PackedResults",
    {
        **_hints(ResultsObject),
        "parts": NotRequired[Annotated[list[Part], about("what cells share")]],
        "cells": Annotated[list[_Cell], about("every cell")],
    },
)
"""The shape of a file, whose connections and cases need not have the keys that their parts have."""


class Packer:
    """Moves what brief connections and their cases share into parts, each of which it gives out once."""

    def __init__(self) -> None:
        self._places: dict[bytes, int] = {}

    def pack(self, cell: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], Mapping[str, Any]]:
        """Return the parts that are new, and the cell with the places of all its parts."""
        case = cell.get("case")
        if not case or not any(connection.get("brief") for connection in case["connections"]):
            return [], cell
        new: list[Mapping[str, Any]] = []
        connections = [
            self._packed(ConnectionObject, one, new) if one.get("brief") else one for one in case["connections"]
        ]
        return new, {**cell, "case": self._packed(CaseObject, {**case, "connections": connections}, new)}

    def forget(self, parts: Sequence[Mapping[str, Any]]) -> None:
        """Take back the last parts, which could not be written."""
        for part in parts:
            del self._places[_digest(part)]

    def _packed(self, kind: Any, value: Mapping[str, Any], new: list[Mapping[str, Any]]) -> dict[str, Any]:
        own = {key: value[key] for key in OWN[kind] if key in value}
        parts: list[Mapping[str, Any]] = [{key: value[key]} for key in ALONE if key in value]
        if messages := value.get(MANY):
            places = [self._place({ONE: message}, new) for message in messages]
            parts[0] = {MANY: places}
        rest = {key: part for key, part in value.items() if key not in own and key not in ALONE}
        places = [self._place(part, new) for part in [*parts, *([rest] if rest else [])]]
        return {**own, "parts": places}

    def _place(self, part: Mapping[str, Any], new: list[Mapping[str, Any]]) -> int:
        digest = _digest(part)
        if digest not in self._places:
            self._places[digest] = len(self._places)
            new.append(part)
        return self._places[digest]


def _digest(part: Mapping[str, Any]) -> bytes:
    return blake2b(msgspec.json.encode(part), digest_size=16).digest()


def unpacked(packed: Any) -> ResultsObject:
    """Return PackedResults with the keys of all parts where they belong; ShapeError if one is missing.

    Equal connections of several cells are the same object, so that 20,000 cells fit into memory: change none in place.
    """
    joined = _Joined(packed.pop("parts", []))
    for number, cell in enumerate(packed["cells"]):
        if case := cell["case"]:
            path = f".cells[{number}].case"
            case["connections"] = [
                joined.of(ConnectionObject, one, f"{path}.connections[{place}]")
                for place, one in enumerate(case.get("connections", ()))
            ]
            cell["case"] = joined.of(CaseObject, case, path)
    return cast("ResultsObject", packed)


class _Joined:
    def __init__(self, parts: Sequence[Mapping[str, Any]]) -> None:
        self._parts = parts
        self._known: dict[Any, Mapping[str, Any]] = {}

    def of(self, kind: Any, value: dict[str, Any], path: str) -> Mapping[str, Any]:
        places = value.get("parts")
        if places is None:
            return self._whole(kind, value, path)
        own = tuple((key, value[key]) for key in OWN[kind] if key in value) if kind is ConnectionObject else id(value)
        key = own, *places
        if key not in self._known:
            made = {name: part for place in places for name, part in self._part(place, path).items()} | value
            if MANY in made and MANY not in value:
                made[MANY] = [self._message(place, path) for place in made[MANY]]
            del made["parts"]
            self._known[key] = self._whole(kind, made, path)
        return self._known[key]

    def _part(self, place: int, path: str) -> Mapping[str, Any]:
        if not 0 <= place < len(self._parts):
            raise ShapeError(f"{path}.parts", f"has {place}, and the run has {len(self._parts)} parts")
        return self._parts[place]

    def _message(self, place: int, path: str) -> Any:
        part = self._part(place, path)
        if ONE not in part:
            raise ShapeError(f".parts[{place}]", f"has no {ONE!r}, which is required")
        return part[ONE]

    @staticmethod
    def _whole(kind: Any, value: Mapping[str, Any], path: str) -> Mapping[str, Any]:
        for name, field in fields(kind).items():
            if field.required and name not in value:
                raise ShapeError(path, f"has no {name!r}, which is required")
        return value


def lines(results: ResultsObject) -> Iterator[str]:
    """The text of a file of results, one line for each part and each cell; what they share stands once."""
    packer = Packer()
    made = [packer.pack(cell) for cell in results["cells"]]
    head = {key: value for key, value in results.items() if key != "cells"}
    yield from file_lines(head, ((compact(p) for new, _ in made for p in new), (compact(cell) for _, cell in made)))


def file_lines(head: Mapping[str, Any], both: tuple[Iterable[str], Iterable[str]]) -> Iterator[str]:
    """The text of a file: its head, then the lines of its parts and of its cells."""
    yield json.dumps(head, indent=1).removesuffix("\n}")
    for name, found in zip(("parts", "cells"), both, strict=True):
        yield f',\n "{name}": ['
        for number, line in enumerate(found):
            yield (",\n" if number else "\n") + line
        yield "\n ]"
    yield "\n}\n"


def compact(value: object) -> str:
    """Return JSON on one line, without spaces."""
    return json.dumps(value, separators=(",", ":"))
