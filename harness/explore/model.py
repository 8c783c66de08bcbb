"""A small model of resumption: what must resume, what must not, and what is free.

Rules. A connection is compared with the one whose session it offers, its *origin*. The first law that applies says what
must be. What no law covers is free, and FREE says why; docs/explore.md lists each. The model knows no version of
OpenSSL: where a version breaks a law, that is a finding, and a known one is in known.toml.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.agent.vocabulary import default_timeout
from harness.explore.observe import DISAGREEMENT, outcome_of
from harness.explore.values import SHARED
from harness.model.capability import CLOCK
from harness.model.tls import Close, Outcome, Role, TLSVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.model.connection import Connection
    from harness.model.knobs import Config
    from harness.model.session import Session
    from harness.model.setup import Action

DEFAULT = default_timeout("")
"""Seconds that a session lasts by default, at most."""
WEEK = 604800
"""Seconds of the longest lifetime of a ticket (RFC 8446, 4.6.1)."""
HARMLESS = frozenset(
    {
        *("versions", "tickets", "num_tickets", "timeout", "middlebox_compat", "extended_master_secret", "ticket_keys"),
        *("session_id_prefix", "renegotiation", "client_renegotiation", "resumption_on_renegotiation", CLOCK),
        *("server_name", "anti_replay", "ignore_unexpected_eof", "session_id_context", "cache_mode", "cache_size"),
    }
)
"""Knobs that, unchanged, keep no session from being resumed, or whose effect a law or a freedom below names."""


@dataclass(frozen=True, slots=True)
class Case:
    """A connection that offers a session, the connection that it is from, and what was done between them."""

    origin: Connection
    now: Connection
    actions: tuple[Action, ...]
    earlier: tuple[Action, ...] = ()
    """What was done before the origin: sessions that were aged then date the tickets of later connections."""

    def changed(self, role: Role) -> bool:
        """Return whether another context is at this end."""
        return _context(self.origin, role) != _context(self.now, role)

    def knobs(self, role: Role) -> Config:
        """Return the present knobs of an end."""
        assert self.now.setup  # noqa: S101 - `cases` makes none without it
        return self.now.setup.config(role)

    def shares(self, knob: str) -> bool:
        """Return whether the two servers have a name in common in a knob, or had: a ring of keys can be rotated."""
        rotated = any(action.name == "rotate_keys" for action in (*self.earlier, *self.actions))
        values = [getattr(one.setup.server, knob, None) for one in (self.origin, self.now) if one.setup]
        names = [set(value.split(",")) for value in values if value is not None]
        return len(names) == 2 and (rotated or bool(names[0] & names[1]))  # noqa: PLR2004 - both servers

    @property
    def passed(self) -> int:
        """Return the seconds that passed for both ends."""
        times = [action.values.get("passed") for action in self.actions if action.role is Role.SERVER]
        return sum(seconds for seconds in times if isinstance(seconds, int))


def cases(connections: Sequence[Connection]) -> list[Case]:
    """Return a Case for each connection that was given a session of an earlier one, in order."""
    ordered = sorted(connections, key=lambda one: one.number)
    found = []
    for now in ordered:
        origin = _origin(ordered, now)
        if now.offered is not None and origin is not None and now.setup and origin.setup:
            between = [one for one in ordered if origin.number < one.number <= now.number]
            before = [one for one in ordered if one.number <= origin.number]
            found.append(Case(origin, now, _actions(between), _actions(before)))
    return found


def _actions(connections: Sequence[Connection]) -> tuple[Action, ...]:
    return tuple(action for one in connections if one.setup for action in one.setup.before)


def _origin(connections: Sequence[Connection], now: Connection) -> Connection | None:
    wanted = _identity(now.offered)
    return next(
        (one for one in connections if one.number < now.number and wanted in map(_identity, _sessions(one))), None
    )


def _sessions(connection: Connection) -> tuple[Session | None, ...]:
    return (*connection.sessions, *connection.held_sessions, connection.last_session)


def _identity(session: Session | None) -> object:
    if session is None:
        return None
    return session.handle or (session.get("session_id"), session.get("ticket"))


def _context(connection: Connection, role: Role) -> int | None:
    return connection.setup.context(role) if connection.setup else None


# What keeps a session from being resumed.


def _other_keys(case: Case) -> bool:
    """Another server, which shares no ticket key and no cache: it has neither the session nor the ticket's key."""
    return case.changed(Role.SERVER) and not any(map(case.shares, SHARED))


def _expired(case: Case) -> bool:
    """More seconds passed at both ends than the server's timeout allows."""
    timeout = case.origin.setup.server.timeout if case.origin.setup else None
    limit = min(timeout or DEFAULT, WEEK)
    return limit > 0 and case.passed > limit + 1 and not _moved(case) and not _edited(case)


def _other_version(case: Case) -> bool:
    """The client does not enable the session's version."""
    made = case.origin.client.version
    enabled = case.knobs(Role.CLIENT).versions
    return made is not None and enabled is not None and made not in enabled


MUST_NOT: Mapping[str, Callable[[Case], bool]] = {
    "other_keys": _other_keys,
    "expired": _expired,
    "other_version": _other_version,
}
"""The laws by which a session is not resumed."""


# What the model does not know.


def _edited(case: Case) -> bool:
    """The copy that is offered was changed: made older, or given another timeout or another value of any field."""
    made = [(session.known, session.der) for session in _sessions(case.origin) if session is not None]
    return case.now.offered is not None and (case.now.offered.known, case.now.offered.der) not in made


def _moved(case: Case) -> bool:
    """A clock was moved at one end, or a session's time changed, other than by `age`."""
    return any(a.name.endswith("_clock") and "passed" not in a.values for a in case.actions) or any(
        a.name == "age_sessions" for a in (*case.earlier, *case.actions)
    )


def _another(case: Case) -> bool:
    """Another client or server than at its origin."""
    return case.changed(Role.CLIENT) or case.changed(Role.SERVER)


def _unclean(case: Case) -> bool:
    """The origin failed, was not closed by both ends, or renegotiated."""
    during = case.origin.setup.during if case.origin.setup else ()
    failed = outcome_of(case.origin) in {Outcome.ABORTED, DISAGREEMENT}
    return failed or case.origin.close is not Close.BOTH or any(a.name == "renegotiate" for a in during)


def _cache(case: Case) -> bool:
    """A cache was flushed, resized or had a session removed, or only the cache can have the session."""
    server = case.knobs(Role.SERVER)
    acted = any(action.name in {"flush", "remove", "resize_cache"} for action in case.actions)
    return acted or server.tickets is False or case.knobs(Role.CLIENT).tickets is False


def _old(case: Case) -> bool:
    """Time passed, or an end has a timeout of its own below a minute, beyond a week or negative."""
    timeouts = [case.knobs(role).timeout for role in Role]
    odd = any(timeout is not None and not 60 <= (timeout or DEFAULT) <= WEEK for timeout in timeouts)  # noqa: PLR2004
    return odd or bool(case.passed) or _edited(case)


def _knobs(case: Case) -> bool:
    """A knob has a value that can keep a session from being resumed: groups, ciphers, early data, verify and more."""
    return any(set(case.knobs(role).given()) - HARMLESS for role in Role)


def _context_unset(case: Case) -> bool:
    """The session id context is set by the story."""
    return "session_id_context" in case.knobs(Role.SERVER).given()


def _several(case: Case) -> bool:
    """Other connections were open at the time, or the session was already offered once."""
    return bool(case.now.setup and case.now.setup.beside) or bool(case.origin.setup and case.origin.setup.beside)


def _ticketless(case: Case) -> bool:
    """The origin yielded a session without a ticket."""
    return not (case.now.offered and case.now.offered.get("has_ticket"))


def _two_versions(case: Case) -> bool:
    """An end enables more than one version."""
    return any(len(case.knobs(role).versions or (TLSVersion.TLSv1_2,)) > 1 for role in Role)


FREE: Mapping[str, Callable[[Case], bool]] = {
    "another_context": _another,
    "unclean_origin": _unclean,
    "clocks": _moved,
    "age": _old,
    "cache": _cache,
    "knobs": _knobs,
    "id_context": _context_unset,
    "concurrent": _several,
    "no_ticket": _ticketless,
    "two_versions": _two_versions,
}
"""What is free, by the reason. What is left must resume: the same two ends, nothing between, and a ticket."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A law that a connection breaks."""

    law: str
    connection: Connection
    expect: str


def broken(
    connections: Sequence[Connection],
    must_not: Mapping[str, Callable[[Case], bool]] = MUST_NOT,
    free: Mapping[str, Callable[[Case], bool]] = FREE,
) -> list[Broken]:
    """Return the laws that connections break: a session resumed that must not be, or not resumed that must be."""
    found = []
    for case in cases(connections):
        resumed = outcome_of(case.now) == Outcome.RESUMED
        number = case.now.number
        law = next((name for name, applies in must_not.items() if applies(case)), None)
        if law is not None and resumed:
            found.append(Broken(f"must_not_{law}", case.now, f"connection[{number}].outcome != resumed"))
        elif law is None and not resumed and not any(applies(case) for applies in free.values()):
            found.append(Broken("must_resume", case.now, f"connection[{number}].outcome == resumed"))
    return found
