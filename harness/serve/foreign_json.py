"""What foreign clients and servers did, as the JSON objects that docs/json.md describes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.json.encode import connection_json
from harness.report.json.foreign_shapes import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.connection import Connection
    from harness.report.json.foreign_shapes import BetweenObject, KindObject, WatchObject
    from harness.serve.behaviour import Behaviour
    from harness.serve.between import Between


def between_json(
    between: Between, command: Sequence[str], status: int, connections: Sequence[Connection]
) -> BetweenObject:
    """The object of one run of a command through a tap."""
    return {
        "schema": SCHEMA,
        "address": between.target.text,
        "reached": between.target.reached,
        "command": list(command),
        "status": status,
        "witnesses": ["wire"],
        "opened": [one.number for one in connections if one.transcript.decrypted],
        "unreached": between.asked - len(connections),
        "connections": [connection_json(one, connections) for one in connections],
    }


def watch_json(
    command: Sequence[str], server: str, behaviours: Sequence[Behaviour], wrong: Sequence[str]
) -> WatchObject:
    """The object of a command that was watched."""
    return {
        "schema": SCHEMA,
        "command": list(command),
        "server": server,
        "kinds": [_kind(behaviour) for behaviour in behaviours],
        "not_as_expected": list(wrong),
    }


def _kind(behaviour: Behaviour) -> KindObject:
    return {
        "kind": behaviour.kind.name,
        "says": behaviour.says,
        "offers": [connection.number for connection in behaviour.offers],
        "which": behaviour.which or None,
        "age": behaviour.age(behaviour.offers[0]) if behaviour.offers else None,
        "twice": behaviour.twice,
        "recovers": behaviour.recovers,
        "controls": (
            None if behaviour.controls is None else {str(data): one for data, one in behaviour.controls.items()}
        ),
        "statuses": list(behaviour.statuses),
        "connections": [connection_json(one, behaviour.connections) for one in behaviour.connections],
    }
