"""A case and its connections as the JSON object that docs/json.md describes; encoding asserts nothing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from harness.explain import explain
from harness.explain.resumed.lifetime import expiry_of
from harness.explain.rules import breaches_of
from harness.model.errors import DisagreementError
from harness.model.knobs import show_knob
from harness.model.session import SESSION_FIELDS
from harness.model.tls import Outcome
from harness.model.transcript import ClientHello
from harness.report.json import shapes
from harness.report.json.shapes import fields, held
from harness.report.session_difference import session_difference
from harness.wire.names import EXTENSIONS, name_of
from harness.wire.session.json_fields import to_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from harness.model.connection import Connection, Counters
    from harness.model.knobs import ClientConfig, ServerConfig
    from harness.model.session import Session
    from harness.model.setup import Action, Setup
    from harness.model.tls import TLSVersion
    from harness.model.transcript import ServerHello, Transcript
    from harness.model.view import View
    from harness.story.story import Story

T = TypeVar("T")
NOTHING: Mapping[str, object] = {}
ATOMS = frozenset({str, int, float, bool, type(None)})
"""Types of plain values; an enumeration's member has another."""


def encode(kind: type[T], source: object, **made: object) -> T:
    """An object of the shape: each key is the source's attribute of that name, or a value from ``made``.

    It has only plain values, which can be sent between the processes of a run.
    """
    plain = {
        name: made[name] if name in made else plainly(getattr(source, name))
        for name, plainly in _keys(cast("Any", kind))
    }
    return cast("T", plain)


@cache
def _keys(kind: Hashable) -> tuple[tuple[str, Callable[[Any], object]], ...]:
    """The keys of an object, each with what makes a plain value of its attribute."""
    found = [(name, held(field.kind)) for name, field in fields(kind).items() if name not in shapes.IN_FILES]
    return tuple((name, partial(_plain, inner) if inner else _builtin) for name, inner in found)


def _plain(inner: Any, value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(inner, item) for item in value]
    return None if value is None else encode(inner, value)


def _builtin(value: Any) -> object:
    if type(value) in ATOMS:
        return value
    if isinstance(value, tuple):
        return [_builtin(item) for item in value]
    return dict(value) if isinstance(value, Mapping) else msgspec.to_builtins(value)


def case_json(  # noqa: PLR0913 - one for each part of the object
    client: str,
    server: str,
    tls: TLSVersion,
    connections: Sequence[Connection],
    counters: Counters | None,
    knobs: tuple[ClientConfig, ServerConfig],
    *,
    then: tuple[Mapping[str, object], Mapping[str, object]] = (NOTHING, NOTHING),
    story: Story | None = None,
) -> shapes.CaseObject:
    """The object of a case. ``client`` and ``server`` are ``stack@build``; ``then`` are knobs that changed later."""
    return {
        "schema": shapes.SCHEMA,
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
        "story": story.to_json() if story else None,
    }


def _callback_calls(connection: Connection) -> list[shapes.CallbackCallObject] | None:
    calls = connection.server.callback_calls
    if calls is None:
        return None
    return [{"call": call.call, "subject": call.subject.hex(), "result": call.result} for call in calls]


def connection_json(connection: Connection, connections: Sequence[Connection] = ()) -> shapes.ConnectionObject:
    """The object of one connection; ``outcome`` is null and ``disagreement`` a text if the witnesses disagree.

    ``connections`` are those of its case, for the explanation and the rules about an earlier one's session.
    """
    try:
        outcome, disagreement = connection.observed_outcome(), None
    except DisagreementError as error:
        outcome, disagreement = None, str(error)
    on_wire = connection.ticket_counts()[1]
    counts = {count for count in connection.ticket_counts() if count is not None}
    resumed = connection.observed_mechanism if outcome is Outcome.RESUMED else None
    return encode(
        shapes.ConnectionObject,
        connection,
        outcome=outcome.value if outcome else None,
        mechanism=resumed.value if resumed else None,
        disagreement=disagreement,
        explanation=_plain(shapes.ExplanationObject, explain(connections, connection)),
        expiry=_plain(shapes.ExpiryObject, expiry_of(connections, connection)),
        breaches=[
            encode(shapes.BreachObject, breach.rule, rule=breach.rule.name, evidence=list(breach.evidence))
            for breach in breaches_of(connections, connection)
        ],
        circumstances=_circumstances(connection.setup),
        views={
            "client": _view(connection.client.view),
            "server": _view(connection.server.view),
            "wire": {**_view(connection.wire), "tickets": on_wire},
        },
        offered=session_json(connection.offered) if connection.offered else None,
        alert=_plain(shapes.AlertObject, connection.observed_alert()),
        tickets=min(counts) if len(counts) == 1 else None,
        session=session_json(connection.last_session) if connection.last_session else None,
        session_difference=_session_difference(connection),
        alpn=connection.observed_alpn(),
        external_psk=None if (psk := connection.observed_external_psk) is None else psk.decode(errors="replace"),
        group=connection.observed_group(),
        exporters_equal=connection.observed_exporters_equal(),
        renegotiation_resumed=connection.observed_renegotiation_resumed(),
        callback_calls=_callback_calls(connection),
        sessions=len(connection.sessions),
        blocked=connection.blocked or None,
        tampered=list(connection.tampered),
        problem=connection.transcript.problem or None,
        endpoints=encode(shapes.EndpointsObject, connection),
        messages=[
            encode(shapes.MessageObject, message, at=round(message.at * 1000, 3))
            for message in connection.transcript.messages
        ],
        hellos=hellos_json(connection.transcript),
        commands={"client": list(connection.client.commands), "server": list(connection.server.commands)},
    )


def counters_json(counters: Counters | None) -> shapes.CountersObject | None:
    """The object of a server's counters; null for a counter that its stack does not report."""
    return encode(shapes.CountersObject, counters) if counters else None


def session_json(session: Session) -> shapes.SessionObject:
    """Which client took it from which peer, then every field, null if unknown; no key material."""
    known = to_fields(session)
    return encode(shapes.SessionObject, session, **{name: known.get(name) for name in SESSION_FIELDS})


def hellos_json(transcript: Transcript) -> list[shapes.HelloObject]:
    """The ClientHellos in the order in which they were sent, then the server's."""
    return [*map(_hello, transcript.client_hellos), *map(_hello, transcript.server_hellos)]


def texts(values: Mapping[str, object]) -> dict[str, str]:
    """Knobs, or the arguments of an action, as a user types them."""
    return {name: show_knob(value) for name, value in values.items()}


def _session_difference(connection: Connection) -> list[str] | None:
    if connection.offered is None or connection.last_session is None:
        return None
    return list(session_difference(connection.offered, connection.last_session).differing)


def _view(view: View) -> shapes.ViewObject:
    return encode(shapes.ViewObject, view, outcome=view.saw.value)


def _circumstances(setup: Setup | None) -> shapes.CircumstancesObject | None:
    if setup is None:
        return None
    ends = {"client": texts(setup.client.given()), "server": texts(setup.server.given())}
    actions = {"before": [*map(_action, setup.before)], "during": [*map(_action, setup.during)]}
    return encode(shapes.CircumstancesObject, setup, **ends, **actions)


def _action(action: Action) -> shapes.ActionObject:
    return encode(shapes.ActionObject, action, values=texts(action.values))


def _hello(hello: ClientHello | ServerHello) -> shapes.HelloObject:
    if isinstance(hello, ClientHello):
        sender, name, suites = "client", "ClientHello", hello.cipher_suites
        methods = len(hello.compression_methods)
    else:
        name = "HelloRetryRequest" if hello.hello_retry_request else "ServerHello"
        sender, suites, methods = "server", (hello.cipher_suite,), 1
    return encode(
        shapes.HelloObject,
        hello,
        sender=sender,
        type=name,
        session_id_length=len(hello.session_id),
        compression_methods=methods,
        cipher_suites=list(suites),
        extensions=[
            {"number": number, "name": name_of(EXTENSIONS, number), "length": len(body)}
            for number, body in hello.extensions.items()
        ],
    )
