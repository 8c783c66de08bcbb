"""The evidence about one connection, gathered from all connections of its pair."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from harness.explain.facts import history
from harness.explain.facts.index import NUMBER, upto
from harness.explain.facts.origin import full_handshake_of, origin_of, same
from harness.model.tls import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.explain.facts.origin import Origin
    from harness.model.connection import Connection, Counters
    from harness.model.session import Session
    from harness.model.setup import Action, Setup
    from harness.model.tls import Alert
    from harness.model.transcript import ClientHello, ServerHello, Transcript


@dataclass(frozen=True)
class Evidence:
    """What is known about a connection; None for what is unknown."""

    connection: Connection
    earlier: tuple[Connection, ...]
    """The connections that began before it, in order."""
    origin: Origin | None
    """The origin of the session that the client was given."""
    later: tuple[Connection, ...] = ()
    """The connections that began after it; they may have been open at the same time."""

    @property
    def offered(self) -> Session | None:
        """The session that the client was set up to offer."""
        return self.connection.offered

    @cached_property
    def full_handshake(self) -> Connection | None:
        """The full handshake that the session descends from; None if unknown."""
        return full_handshake_of(self.offered, self.earlier)

    @property
    def now(self) -> Setup | None:
        """Both ends' knobs and contexts in this connection; None if the harness does not drive the server."""
        return _setup(self.connection)

    @property
    def then(self) -> Setup | None:
        """Both ends' knobs and contexts in the connection that yielded the session."""
        return _setup(self.origin.connection) if self.origin else None

    @property
    def edits(self) -> tuple[str, ...]:
        """The fields of the session that were edited since; also empty if its origin is unknown."""
        return self.origin.edits if self.origin else ()

    @cached_property
    def same_server(self) -> bool | None:
        """Whether the session comes from this server's context."""
        return self._same(Role.SERVER)

    @cached_property
    def same_client(self) -> bool | None:
        """Whether the client's context is the one that took the session."""
        return self._same(Role.CLIENT)

    def _same(self, role: Role) -> bool | None:
        driven = self.connection.client.driven or role is Role.SERVER
        if self.now is None or self.then is None or not driven:
            return None
        return history.context_of(self.now, role) == history.context_of(self.then, role)

    # messages

    @property
    def transcript(self) -> Transcript:
        """The messages of this connection."""
        return self.connection.transcript

    @cached_property
    def client_hello(self) -> ClientHello | None:
        """The first ClientHello."""
        return self.transcript.client_hellos[0] if self.transcript.client_hellos else None

    @cached_property
    def retry(self) -> ServerHello | None:
        """The HelloRetryRequest, if the server sent one."""
        return next((hello for hello in self.transcript.server_hellos if hello.hello_retry_request), None)

    @cached_property
    def answered(self) -> ClientHello | None:
        """The ClientHello that the server answered: the second one after a HelloRetryRequest."""
        hellos = self.transcript.client_hellos[: 2 if self.retry else 1]
        return hellos[-1] if hellos else None

    @cached_property
    def server_hello(self) -> ServerHello | None:
        """The first handshake's ServerHello that is not a HelloRetryRequest."""
        return next((hello for hello in self.transcript.server_hellos if not hello.hello_retry_request), None)

    @property
    def alert(self) -> Alert | None:
        """The first fatal alert, from whichever witness saw it."""
        return self.connection.observed_alert()

    # what was done, and when

    def actions(self, role: Role, *names: str) -> tuple[Action, ...]:
        """The actions on this end's context since the session was saved; all of them if its origin is unknown."""
        if self.now is None:
            return ()
        after = self.origin.connection.number if self.origin else 0
        return history.actions(self._until, role, history.context_of(self.now, role), *names, after=after)

    @property
    def _until(self) -> tuple[Connection, ...]:
        return (*self.earlier, self.connection)

    def clock(self, role: Role) -> int | None:
        """How many seconds ahead of the true time an end's clock is now; None if unknown or stopped."""
        return history.clock_of(self._until, role)

    def clock_then(self, role: Role) -> int | None:
        """The same when the session was taken."""
        if self.origin is None:
            return None
        until = upto(self.earlier, self.origin.connection.number)
        return history.clock_of(until, role)

    @cached_property
    def counters_before(self) -> Counters | None:
        """The server's counters before this connection."""
        if any(self._beside(other) for other in self.later):
            return None
        return history.counters_before(self.earlier, self.connection)

    def _beside(self, other: Connection) -> bool:
        return other.setup is None or self.connection.number in other.setup.beside

    def counted(self, name: str) -> int | None:
        """How much a counter of the server rose in this connection; ``name`` is a field of Counters."""
        if self.now is not None and any(action.name == "renegotiate" for action in self.now.during):
            return None  # further handshakes counted too
        return history.counted(self.counters_before, self.connection.counters, name)

    def known(self, name: str) -> bool:
        """Whether the rise of a counter is known."""
        return self.counted(name) is not None

    def counter_text(self, name: str) -> str:
        """``misses rose from 0 to 1``, ``misses stayed at 0``, or that it is unknown."""
        rose = self.counted(name)
        after = getattr(self.connection.counters, name, None)
        if rose is None or after is None:
            return f"{name} are unknown"
        return f"{name} rose from {after - rose} to {after}" if rose else f"{name} stayed at {after}"

    def about(self, other: Connection) -> Evidence:
        """The evidence about another connection of the same pair."""
        return gather((*self._until, *self.later), other)

    @cached_property
    def offers_before(self) -> tuple[Connection, ...]:
        """The earlier connections that offered the same session, by its fields or on the wire, in order."""
        return tuple(one for one in self.earlier if self._offers_the_same(one))

    @cached_property
    def offers_beside(self) -> tuple[Connection, ...]:
        """The later connections, made at the same time as this one, that offered the same session."""
        return tuple(one for one in self.later if self._beside(one) and self._offers_the_same(one))

    def _offers_the_same(self, one: Connection) -> bool:
        if not one.was_offered:
            return False
        if one.offered and self.offered and same(one.offered, self.offered):
            return True
        return not _identities(self.connection).isdisjoint(_identities(one))


def _setup(connection: Connection) -> Setup | None:
    return connection.setup if connection.server.driven else None


def _identities(connection: Connection) -> set[bytes]:
    """Every ticket and TLS 1.3 identity that the client sent; its session id if it sent none."""
    hellos = connection.transcript.client_hellos
    tickets = {sent for hello in hellos for sent in (*hello.psk_tickets, hello.session_ticket) if sent}
    return tickets or {hello.session_id for hello in hellos if hello.session_id}


def gather(connections: Sequence[Connection], connection: Connection) -> Evidence:
    """The evidence about one of the connections of a pair."""
    ordered = sorted(connections, key=NUMBER)
    earlier = upto(ordered, connection.number - 1)
    later = tuple(ordered[len(upto(ordered, connection.number)) :])
    sent = _identities(connection)
    origin = origin_of(connection.offered, earlier, sent) if connection.offered or connection.was_offered else None
    return Evidence(connection, earlier, origin, later)
