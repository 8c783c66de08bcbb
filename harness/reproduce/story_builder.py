"""Builds the story of connections; what cannot be reproduced, such as a session of unknown origin, is a gap."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.model.errors import DisagreementError, SessionFormatError
from harness.model.knobs import CacheMode
from harness.model.tampering import FLIGHT, Tamper, Tampering
from harness.model.tls import Mechanism, Outcome, Role, TLSVersion
from harness.reproduce.asked import asked_of
from harness.reproduce.clocks import without_still_clocks
from harness.reproduce.offers import origin
from harness.reproduce.story import Attempt, Context, Result, Story
from harness.wire.session import codec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.model.connection import Connection
    from harness.model.knobs import ClientConfig, ServerConfig
    from harness.model.session import Session
    from harness.model.setup import Action
    from harness.reproduce.asked import Asked

DEFAULTS: Mapping[tuple[str, Role], Mapping[str, object]] = {
    ("libssl", Role.CLIENT): {"cache_mode": frozenset({CacheMode.CLIENT, CacheMode.NO_INTERNAL_STORE})},
    ("libssl", Role.SERVER): {"session_id_context": b"resumption"},
    ("pyopenssl", Role.SERVER): {"session_id_context": b"resumption"},
    ("openssl", Role.CLIENT): {"cache_mode": frozenset({CacheMode.CLIENT, CacheMode.NO_INTERNAL_STORE})},
    ("openssl", Role.SERVER): {"session_id_context": b"\x01\0\0\0", "cache_size": 128},
    ("ssl", Role.SERVER): {"session_id_context": b"Python"},
}
"""The knobs that a stack sets by default and OpenSSL does not."""


LOST = {str(Tampering(Tamper.DROP, role, FLIGHT, which)): (role, which) for role in Role for which in range(1, 9)}
"""The flights of DTLS by what is said of a lost one; a full handshake with a cookie has three of each end."""
IN_MEMORY = "pyopenssl@"
"""A stack that offers the object in memory if it has no DER; Python's ssl offers a copy."""


FOREIGN = "reproducers drive OpenSSL"
"""The end of each gap that is one of the reproducers, and not of what was done."""


def story_of(
    connections: Sequence[Connection],
    *,
    expected: Sequence[str] = (),
    wrong: str = "",
    still_clocks: bool = False,
    asked: Sequence[Asked] = (),
) -> Story:
    """Return the story of all connections of one pair, without marking them as asserted.

    Clocks that only stand still, which makes ages exact, are left out unless ``still_clocks``. ``asked`` is what is
    named of a connection beside the facts that each reproducer compares.
    """
    gaps: list[str] = []
    connections = sorted(connections, key=lambda connection: connection.number)
    attempts = tuple(_attempt(connection, connections, gaps, asked) for connection in connections)
    if not attempts:
        gaps.append("no connection was made")
    story = Story(attempts=attempts, gaps=tuple(dict.fromkeys(gaps)), expected=tuple(expected), wrong=wrong)
    return story if still_clocks else without_still_clocks(story)


def _attempt(
    connection: Connection, connections: Sequence[Connection], gaps: list[str], asked: Sequence[Asked]
) -> Attempt:
    setup = connection.setup
    if setup is None:
        raise ValueError(f"connection {connection.number} has no setup")
    for role in Role:
        if not (library := setup.library(role)).is_openssl:
            name = (connection.client if role is Role.CLIENT else connection.server).view.name
            gaps.append(f"the {role} is {name}, a library of the family {library.family}: {FOREIGN}")
    if connection.blocked:
        gaps.append(f"connection {connection.number} went through a middlebox that blocked it: {connection.blocked}")
    gaps += [f"in connection {connection.number} {done}" for done in connection.tampered if done not in LOST]
    earlier = [c for c in connections if c.number < connection.number]
    offer = None
    if connection.offered is not None:
        offer = origin(connection.offered, earlier)
        if offer is not None and connection.offered.der is None and connection.client.view.name.startswith(IN_MEMORY):
            offer = replace(offer, kept=True)
        if offer is None:
            gaps.append(f"connection {connection.number} offered a session that no earlier connection yielded so")
    return Attempt(
        number=connection.number,
        tls=connection.tls,
        client=_context(connection.client.view.name, setup.client, setup.client_context),
        server=_context(connection.server.view.name, setup.server, setup.server_context),
        offer=offer,
        before=tuple(repeatable(action, connection.number, earlier, gaps) for action in setup.before),
        during=setup.during,
        lost=tuple(LOST[done] for done in connection.tampered if done in LOST),
        choices=tuple(_context(label, config, number) for number, (label, config) in setup.choices.items()),
        opened=setup.order,
        closed=connection.order,
        beside=setup.beside,
        close=connection.close,
        result=replace(result_of(connection), asked=asked_of(connection, asked)),
        last_session=connection.last_session.der if connection.last_session else None,
    )


def _context(label: str, config: ClientConfig | ServerConfig, number: int) -> Context:
    stack, _, version = label.partition("@")
    given = config.given()
    return Context(
        role=config.role,
        number=number,
        stack=stack,
        version=version,
        given=given,
        knobs={**DEFAULTS.get((stack, config.role), {}), **given},
        certificate=config.certificate,
    )


def repeatable(action: Action, number: int, earlier: Sequence[Connection], gaps: list[str]) -> Action:
    """Return the action with values that differ in every run replaced by earlier connections."""
    if action.name == "remove":
        wanted = action.values["session_id"]
        for connection in reversed(earlier):
            if any(s.get("session_id") == wanted for s in (*connection.sessions, connection.last_session) if s):
                values = {name: value for name, value in action.values.items() if name != "session_id"}
                return replace(action, values={**values, "connection": connection.number})
        gaps.append(f"before connection {number} a session was removed that no earlier connection yielded")
    if action.name == "add_session":
        wanted = action.values["session_id"]
        for connection in reversed(earlier):
            if connection.last_session and _cached_id(connection.last_session) == wanted:
                values = {name: value for name, value in action.values.items() if name != "session_id"}
                return replace(action, values={**values, "connection": connection.number})
        gaps.append(f"before connection {number} a session was added that is the last one of no earlier connection")
    if action.name == "flush" and action.values["at"] != 0:  # 0 removes all sessions
        at = action.values["at"]
        for connection in reversed(earlier):
            time = connection.last_session.get("time") if connection.last_session else None
            if isinstance(at, int) and isinstance(time, int):
                values = {name: value for name, value in action.values.items() if name != "at"}
                return replace(action, values={**values, "connection": connection.number, "seconds": at - time})
        gaps.append(f"before connection {number} the cache was flushed at a time that no session explains")
    return action


def _cached_id(session: Session) -> object:
    """The id under which a server caches it; None if it is not known."""
    return session.get("ticket" if session.get("version") is TLSVersion.TLSv1_3 else "session_id")


def result_of(connection: Connection) -> Result:
    """Return the observed facts, without marking the connection as asserted."""
    try:
        outcome = connection.observed_outcome()
    except DisagreementError:
        outcome = None
    counts = {count for count in connection.ticket_counts() if count is not None}
    session = connection.last_session
    ends = connection.client, connection.server
    mechanism = connection.observed_mechanism if outcome is Outcome.RESUMED else None
    return Result(
        client=connection.client.view.saw,
        server=connection.server.view.saw,
        outcome=outcome,
        mechanism=mechanism,
        alert=connection.observed_alert(),
        tickets=counts.pop() if len(counts) == 1 else None,
        has_ticket=_flag(session, "has_ticket"),
        ticket_length=_number(session, "ticket_length"),
        cipher=next((end.cipher for end in ends if end.cipher), None),
        early_data=_early_data(connection),
        key_exchange=_key_exchange(connection) if mechanism is Mechanism.PSK else None,
    )


def _early_data(connection: Connection) -> str | None:
    """Return the state of early data; None if the client should not send any."""
    setup = connection.setup
    if setup is None or not setup.client.max_early_data:
        return None
    return connection.client.early_data or connection.server.early_data


def _key_exchange(connection: Connection) -> str | None:
    """Return whether the last ServerHello has a key share; None if no end sets psk_modes."""
    setup = connection.setup
    answers = connection.transcript.server_hellos
    if setup is None or not answers or not (setup.client.psk_modes or setup.server.psk_modes):
        return None
    return "none" if answers[-1].group is None else "dhe"


def _flag(session: Session | None, name: str) -> bool | None:
    value = _known(session, name)
    return value if isinstance(value, bool) else None


def _number(session: Session | None, name: str) -> int | None:
    value = _known(session, name)
    return value if isinstance(value, int) else None


def _known(session: Session | None, name: str) -> object | None:
    if session is None:
        return None
    if session.der is not None:
        try:
            session = codec.decode(session.der)
        except SessionFormatError:
            return None
    return session.get(name)
