"""What happened to an endpoint before a connection: actions, its clock, its counters."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

from harness.explain.facts.index import index_of
from harness.model.connection import Counters
from harness.model.tls import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.connection import Connection
    from harness.model.setup import Action, Setup

NOTHING_YET = Counters(
    items=0,
    connect=0,
    connect_good=0,
    connect_renegotiate=0,
    accept=0,
    accept_good=0,
    accept_renegotiate=0,
    hits=0,
    callback_hits=0,
    misses=0,
    timeouts=0,
    overflows=0,
)
"""The counters of a new server; the size of its cache is unknown."""

SETUP = attrgetter("setup")
CLOCK_ACTIONS = ("move_clock", "stop_clock", "run_clock")


def context_of(setup: Setup, role: Role) -> int:
    """Which context of a role a connection used."""
    return setup.client_context if role is Role.CLIENT else setup.server_context


def actions(
    connections: Sequence[Connection], role: Role, context: int, *names: str, after: int = 0
) -> tuple[Action, ...]:
    """The actions on a context, in order, after the connection with the number ``after``.

    ``connections`` are in the order of their numbers; actions up to the start of the last one count.
    """
    return tuple(
        action
        for place, action in index_of(connections).actions()
        if place < len(connections)
        and connections[place].number > after
        and action.role is role
        and action.values.get("context") == context
        and (not names or action.name in names)
    )


def clock_of(connections: Sequence[Connection], role: Role) -> int | None:
    """How many seconds ahead of the true time the clock of the last connection's end was.

    None if the clock was stopped, if it runs on from a time, or if the setup is unknown.
    """
    setup = connections[-1].setup
    if setup is None:
        return None
    config = setup.config(role)
    moved = actions(connections, role, context_of(setup, role), *CLOCK_ACTIONS)
    if not moved:
        return config.clock or 0
    seconds = moved[-1].values.get("seconds")
    return seconds if isinstance(seconds, int) else None


def counters_before(earlier: Sequence[Connection], connection: Connection) -> Counters | None:
    """The server's counters before the connection, from the previous connection to the same server.

    None if unknown: another connection was open at the same time, or the previous one reported no counters.
    """
    setup = connection.setup
    if setup is None or setup.beside:
        return None
    if not all(map(SETUP, earlier)):
        return None
    context = setup.server_context
    same = (one for one in reversed(earlier) if one.setup and one.setup.server_context == context)
    last = next(same, None)
    return last.counters if last else NOTHING_YET


def counted(before: Counters | None, after: Counters | None, name: str) -> int | None:
    """How much a counter rose; None if it is unknown before or after."""
    was, now = getattr(before, name, None), getattr(after, name, None)
    return None if was is None or now is None else now - was
