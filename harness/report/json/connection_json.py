"""A case and its connections as the JSON object that docs/json.md describes; it marks no connection as looked at."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, cast

from harness.explain import explain
from harness.model.errors import DisagreementError
from harness.model.tls import Outcome
from harness.report.json.case_shape import SCHEMA
from harness.report.json.explanation_json import circumstances_json, explanation_json, texts
from harness.report.json.hello_json import hellos_json
from harness.report.json.session_json import session_json
from harness.report.session_difference import session_difference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.model.connection import Connection, Counters
    from harness.model.knobs import ClientConfig, ServerConfig
    from harness.model.tls import Alert, TLSVersion
    from harness.model.transcript import Message
    from harness.model.view import EndpointReport, View
    from harness.report.json import case_shape as shape

NOTHING: Mapping[str, object] = {}


def case_json(
    client: str,
    server: str,
    tls: TLSVersion,
    connections: Sequence[Connection],
    counters: Counters | None,
    knobs: tuple[ClientConfig, ServerConfig],
    *,
    then: tuple[Mapping[str, object], Mapping[str, object]] = (NOTHING, NOTHING),
) -> shape.CaseObject:
    """The object of a case. ``client`` and ``server`` are ``stack@build``; ``then`` are knobs that changed later."""
    return {
        "schema": SCHEMA,
        "client": client,
        "server": server,
        "tls": tls.value,
        "knobs": {
            "client": texts(knobs[0].given()),
            "server": texts(knobs[1].given()),
            "then_client": texts(then[0]),
            "then_server": texts(then[1]),
        },
        "connections": [connection_json(connection, connections) for connection in connections],
        "counters": counters_json(counters),
    }


def connection_json(connection: Connection, connections: Sequence[Connection] = ()) -> shape.ConnectionObject:
    """The object of one connection; ``outcome`` is null and ``disagreement`` a text where the witnesses differ.

    ``connections`` are those of its case, for the explanation.
    """
    try:
        outcome, disagreement = connection.observed_outcome(), None
    except DisagreementError as error:
        outcome, disagreement = None, str(error)
    on_wire = connection.ticket_counts()[1]
    counts = {count for count in connection.ticket_counts() if count is not None}
    alert = connection.observed_alert()
    resumed = connection.observed_mechanism if outcome is Outcome.RESUMED else None
    return {
        "number": connection.number,
        "outcome": outcome.value if outcome else None,
        "mechanism": resumed.value if resumed else None,
        "disagreement": disagreement,
        "explanation": explanation_json(explain(connections, connection)),
        "circumstances": circumstances_json(connection.setup),
        "views": {
            "client": _view(connection.client.view),
            "server": _view(connection.server.view),
            "wire": {**_view(connection.wire), "tickets": on_wire},
        },
        "was_offered": connection.was_offered,
        "offered": session_json(connection.offered) if connection.offered else None,
        "alert": _alert(alert),
        "tickets": min(counts) if len(counts) == 1 else None,
        "session": session_json(connection.last_session) if connection.last_session else None,
        "session_difference": _session_difference(connection),
        "sessions": len(connection.sessions),
        "close": connection.close.value,
        "blocked": connection.blocked or None,
        "problem": connection.transcript.problem or None,
        "endpoints": {"client": _endpoint(connection.client), "server": _endpoint(connection.server)},
        "messages": [_message(message) for message in connection.transcript.messages],
        "hellos": hellos_json(connection.transcript),
        "commands": {"client": list(connection.client.commands), "server": list(connection.server.commands)},
    }


def counters_json(counters: Counters | None) -> shape.CountersObject | None:
    """The object of a server's counters; null for a counter that its stack does not tell."""
    return cast("shape.CountersObject", asdict(counters)) if counters else None


def _session_difference(connection: Connection) -> list[str] | None:
    if connection.offered is None or connection.last_session is None:
        return None
    return list(session_difference(connection.offered, connection.last_session).differing)


def _alert(alert: Alert | None) -> shape.AlertObject | None:
    if alert is None:
        return None
    return {
        "number": alert.number,
        "name": alert.name,
        "level": alert.level,
        "sender": alert.sender.value if alert.sender else None,
    }


def _view(view: View) -> shape.ViewObject:
    return {
        "name": view.name,
        "outcome": view.saw.value,
        "evidence": list(view.evidence),
        "alert": _alert(view.alert),
        "tickets": view.tickets,
    }


def _endpoint(report: EndpointReport) -> shape.EndpointObject:
    return {
        "version": report.version.value if report.version else None,
        "cipher": report.cipher,
        "alpn": report.alpn,
        "server_name": report.server_name,
        "peer_certificate": report.peer_certificate,
        "early_data": report.early_data,
        "ending": report.ending.value if report.ending else None,
        "errors": list(report.errors),
    }


def _message(message: Message) -> shape.MessageObject:
    return {
        "at": round(message.at * 1000, 3),
        "sender": message.sender.value,
        "type": message.type,
        "length": message.length,
        "encrypted": message.encrypted,
        "fields": dict(message.fields),
    }
