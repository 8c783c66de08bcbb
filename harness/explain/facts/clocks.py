"""What an end's clock showed, and the offered session's age by that clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.facts import history
from harness.explain.facts.index import upto
from harness.explain.facts.negotiated import version_of
from harness.model.tls import Role, TLSVersion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.explain.facts.evidence import Evidence
    from harness.model.connection import Connection

NANOSECONDS = 10**9
AGES = 1 << 32
"""Ticket ages are milliseconds modulo this (RFC 8446, 4.2.11.1)."""


def shown(connections: Sequence[Connection], role: Role) -> int | None:
    """Seconds since the epoch that an end's clock showed in the last of these connections; None if unknown."""
    setup, tcp = connections[-1].setup, connections[-1].tcp
    if setup is None:
        return None
    context = history.context_of(setup, role)
    moved = history.actions(connections, role, context, *history.CLOCK_ACTIONS)
    at = moved[-1].values.get("at") if moved else None
    if isinstance(at, int | float):
        return int(at)
    offset = history.clock_of(connections, role)
    return None if tcp is None or offset is None else tcp.began // NANOSECONDS + offset


def shown_now(evidence: Evidence, role: Role) -> int | None:
    """What the end's clock showed when this connection began."""
    return shown((*evidence.earlier, evidence.connection), role)


def shown_then(evidence: Evidence, role: Role) -> int | None:
    """The same of the connection that yielded the session."""
    if evidence.origin is None:
        return None
    issuer = issued_in(evidence) if role is Role.SERVER else evidence.origin.connection
    if issuer is None:
        return None
    return shown(upto(evidence.earlier, issuer.number), role)


def issued_in(evidence: Evidence) -> Connection | None:
    """The connection in which the server made the session, by whose time its age counts; None if unknown.

    A TLS 1.3 resumption makes another session; in TLS 1.2 it stays that of the full handshake (RFC 5077, 3.3).
    """
    if evidence.origin is None:
        return None
    tls13 = version_of(evidence.connection) is TLSVersion.TLSv1_3
    return evidence.origin.connection if tls13 else evidence.full_handshake or evidence.origin.connection


def stands_still(evidence: Evidence, role: Role) -> bool:
    """Whether an end's clock was stopped at a whole second, both when the session was made and now."""
    issuer = issued_in(evidence)
    if issuer is None:
        return False
    until = (*evidence.earlier, evidence.connection)
    return all(_stopped(upto(until, number), role) for number in (issuer.number, evidence.connection.number))


def _stopped(connections: Sequence[Connection], role: Role) -> bool:
    setup = connections[-1].setup
    if setup is None:
        return False
    moved = history.actions(connections, role, history.context_of(setup, role), *history.CLOCK_ACTIONS)
    return bool(moved) and moved[-1].name == "stop_clock"


def age_at_client(evidence: Evidence) -> int | None:
    """The offered session's age in seconds: its client's clock minus the session's time; None if unknown.

    If the session has no time, that of the connection that yielded it is used. If the clock is unknown, the result is
    the least possible age: how far the session's time was set back plus how far the clock was set forward.
    """
    made = evidence.offered.get("time") if evidence.offered else None
    made = shown_then(evidence, Role.CLIENT) if made is None else made
    now = shown_now(evidence, Role.CLIENT)
    if isinstance(made, int) and now is not None:
        return now - made
    then, offset = evidence.clock_then(Role.CLIENT), evidence.clock(Role.CLIENT)
    was = evidence.origin.session.get("time") if evidence.origin else None
    if not isinstance(made, int) or not isinstance(was, int) or then is None or offset is None:
        return None
    return was - made + offset - then


def age_at_server(evidence: Evidence) -> int | None:
    """Seconds since the server issued the ticket, by its clock, plus those added by ``age_sessions``."""
    now, then = shown_now(evidence, Role.SERVER), shown_then(evidence, Role.SERVER)
    if now is None or then is None:
        return None
    made = issued_in(evidence)
    if made is None or made.setup is None:
        return None
    before = upto(evidence.earlier, made.number)
    aged = history.actions(before, Role.SERVER, made.setup.server_context, "age_sessions")
    return now - then + sum(s for action in aged if isinstance(s := action.values.get("seconds"), int))


def age_on_wire(evidence: Evidence) -> float | None:
    """The age in seconds that the client claims in its ClientHello, without the session's age_add."""
    hello = evidence.client_hello
    add = evidence.offered.get("age_add") if evidence.offered else None
    if hello is None or not hello.psk_ages or not isinstance(add, int):
        return None
    return (hello.psk_ages[0] - add) % AGES / 1000
