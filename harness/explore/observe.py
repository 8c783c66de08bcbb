"""What is compared of a connection between builds, the strongest observable first."""

from __future__ import annotations

from dataclasses import dataclass, fields
from operator import attrgetter
from typing import TYPE_CHECKING

from harness.model.connection import Counters
from harness.model.errors import DisagreementError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.model.connection import Connection

OF_SESSION = ("has_ticket", "lifetime_hint", "timeout", "max_early_data")
COUNTED = tuple(field.name for field in fields(Counters))
_VALUES = attrgetter(*COUNTED)
DISAGREEMENT = "disagreement"


@dataclass(frozen=True, slots=True)
class Value:
    """One observable of one connection."""

    path: str
    """As an expectation names it: ``outcome``, ``session.has_ticket``, ``hits``."""
    compared: object
    """What is compared; of a counter, by how much the connection raised it."""
    shown: object
    """What an expectation compares; of a counter, what it shows after the connection."""


def observed(connection: Connection, before: Counters | None) -> Iterator[Value]:
    """Yield the observables of a connection; ``before`` are its server's counters after the connection before it."""
    outcome = outcome_of(connection)
    yield Value("outcome", outcome, None if outcome == DISAGREEMENT else outcome)
    mechanism = connection.observed_mechanism
    yield _same("mechanism", None if mechanism is None else str(mechanism))
    alert = connection.observed_alert()
    yield Value("alert", alert and f"{alert.number} from the {alert.sender}", alert and alert.number)
    yield _same("was_offered", connection.was_offered)
    yield _same("tickets", next((count for count in connection.ticket_counts() if count is not None), None))
    yield _same("renegotiation_resumed", connection.observed_renegotiation_resumed())
    if connection.client.early_data is not None:  # a build without early data reports nothing of it
        yield _same("client.early_data", connection.client.early_data)
    yield _same("client.cipher", connection.client.cipher)
    yield _same("sessions", len(connection.sessions))
    yield from _counters(connection.counters, before)
    for name in OF_SESSION:
        held = connection.last_session
        yield _same(f"session.{name}", None if held is None else held.get(name))


def outcome_of(connection: Connection) -> str:
    """Return the outcome, or that the witnesses disagree."""
    try:
        return str(connection.observed_outcome())
    except DisagreementError:
        return DISAGREEMENT


def _same(path: str, value: object) -> Value:
    return Value(path, value, value)


def _counters(after: Counters | None, before: Counters | None) -> Iterator[Value]:
    if after is None:
        return
    earlier = _VALUES(before) if before else (None,) * len(COUNTED)
    for name, now, then in zip(COUNTED, _VALUES(after), earlier, strict=True):
        yield Value(name, None if now is None else now - (then or 0), now)


def counters_before(connections: Sequence[Connection], connection: Connection) -> Counters | None:
    """Return the counters of a connection's server after the connection that was over before it; None without one."""
    found = None
    for one in connections:
        if one is connection:
            return found
        if one.setup and connection.setup and one.setup.server_context == connection.setup.server_context:
            found = one.counters
    return found


def features(connections: Sequence[Connection]) -> tuple[object, ...]:
    """Return what makes a behaviour new: of each connection outcome, alert, signs of counters and kinds of messages."""
    return tuple(_features(one, counters_before(connections, one)) for one in connections)


def _features(connection: Connection, before: Counters | None) -> tuple[object, ...]:
    alert = connection.observed_alert()
    counters = tuple((value.path, _sign(value.compared)) for value in _counters(connection.counters, before))
    sent = dict.fromkeys((str(m.sender), m.type) for m in connection.transcript.messages)
    kinds = tuple(sorted(sent, key=lambda one: one[0]))  # how both directions mix is chance
    reasons = tuple(sorted(_codes(connection.client.errors + connection.server.errors)))
    early = connection.client.early_data
    mechanism = connection.observed_mechanism
    return outcome_of(connection), str(mechanism), alert and alert.number, reasons, early, counters, kinds


def _codes(errors: Sequence[str]) -> set[str]:
    return {error.split(" ")[1] for error in errors if error.startswith("lib=")}


def _sign(value: object) -> int:
    return (value > 0) - (value < 0) if isinstance(value, int) else 0


def literal(value: object) -> str:
    """Return a value as an expectation has it."""
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    text = str(value)
    return text if isinstance(value, int) or text.isidentifier() else repr(text)
