"""Which connection of a pair yielded a session, and what was done between its connections, found without a search.

An index is kept for a pair and grows as its connections end: a story of thousands of them asks for each one's origin.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING

from harness.model.errors import SessionFormatError
from harness.wire.session.codec import secret_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

    from harness.model.connection import Connection
    from harness.model.session import Session
    from harness.model.setup import Action

CONTENT, NAME, OBJECT, SECRET = KINDS = ("content", "name", "object", "secret")
"""In what two sessions can be the same, the surest first: all of it, a ticket or an id, the object, or the secret."""
NAMES_IT = ("ticket", "session_id")
"""The fields that identify a session: two with one of them in common are the same."""


NUMBER = attrgetter("number")


def upto(connections: Sequence[Connection], number: int) -> tuple[Connection, ...]:
    """Those with at most this number, of connections in the order of their numbers."""
    return tuple(connections[: bisect_right(connections, number, key=NUMBER)])


def keys_of(session: Session, kind: str) -> tuple[Hashable, ...]:
    """By what a session is found; two that have one of them in common are the same in this."""
    if kind == CONTENT:
        return (session.der,) if session.der is not None else (("the session itself", id(session)),)
    if kind == NAME:
        return tuple((name, value) for name in NAMES_IT if (value := session.get(name)))
    if kind == OBJECT:
        return () if session.handle is None else (session.handle,)
    return (secret,) if (secret := _secret(session)) else ()


def _secret(session: Session) -> bytes:
    try:
        return secret_of(session.der) if session.der else b""
    except SessionFormatError:
        return b""


def yielded(connection: Connection) -> Iterator[Session]:
    """Every session that the client of a connection received."""
    yield from connection.sessions
    yield from connection.held_sessions
    if connection.last_session is not None:
        yield connection.last_session


def _tickets_of(connection: Connection) -> set[bytes]:
    return {ticket.ticket for ticket in connection.transcript.tickets or ()}


def _identities_of(connection: Connection) -> set[bytes]:
    return {identity for hello in connection.transcript.client_hellos for identity in hello.psk_identities}


class Index:
    """The connections of a pair, by what they yielded and by what was done before them."""

    def __init__(self) -> None:
        self.connections: list[Connection] = []
        self.full: dict[int, Connection | None] = {}
        """The full handshake that what a connection resumed descends from, by its place."""
        self._actions: list[tuple[int, Action]] = []
        self._read = 0
        """How many connections `_actions` is of."""
        self._tickets: tuple[list[int], dict[bytes, list[int]]] = [0], {}
        self._offers: tuple[list[int], dict[bytes, list[int]]] = [0], {}
        """How many connections each is of, and the places of those that issued a ticket, or offered an identity."""
        self._places: dict[str, tuple[list[int], dict[Hashable, list[int]]]] = {kind: ([0], {}) for kind in KINDS}
        """By each kind how many connections it is of, and the places of those that yielded a session, by its keys."""

    def actions(self) -> list[tuple[int, Action]]:
        """Each action with the place of the connection before which it was done."""
        for place in range(self._read, len(self.connections)):
            setup = self.connections[place].setup
            self._actions += [(place, action) for action in (setup.before if setup else ())]
        self._read = len(self.connections)
        return self._actions

    def issuing(self, ticket: bytes, before: int) -> list[int]:
        """The places below ``before`` of the connections whose server sent this ticket."""
        return self._named(self._tickets, _tickets_of, ticket, before)

    def offering(self, identity: bytes, before: int) -> list[int]:
        """The places below ``before`` of the connections whose client offered this PSK identity."""
        return self._named(self._offers, _identities_of, identity, before)

    def _named(
        self,
        known: tuple[list[int], dict[bytes, list[int]]],
        names: Callable[[Connection], set[bytes]],
        name: bytes,
        before: int,
    ) -> list[int]:
        count, found = known
        for place in range(count[0], len(self.connections)):
            for each in names(self.connections[place]):
                found.setdefault(each, []).append(place)
        count[0] = len(self.connections)
        places = found.get(name, [])
        return places[: bisect_left(places, before)]

    def first(self, session: Session, kind: str, before: int) -> int | None:
        """The first connection that yielded the session, of those with a place below ``before``; None if none did."""
        found = self._found(session, kind)
        return min((places[0] for places in found if places[0] < before), default=None)

    def last(self, session: Session, kinds: Sequence[str], before: int) -> int | None:
        """The last one."""
        found = (places for kind in kinds for places in self._found(session, kind))
        cut = ((places, bisect_left(places, before)) for places in found)
        return max((places[count - 1] for places, count in cut if count), default=None)

    def _found(self, session: Session, kind: str) -> list[list[int]]:
        count, found = self._places[kind]
        for place in range(count[0], len(self.connections)):
            for one in yielded(self.connections[place]):
                for key in keys_of(one, kind):
                    places = found.setdefault(key, [])
                    if not places or places[-1] != place:
                        places.append(place)
        count[0] = len(self.connections)
        return [found[key] for key in keys_of(session, kind) if key in found]


MOST = 4
"""Pairs whose index is kept: one and its neighbours, as findings ask about several in turn."""
_KEPT: list[Index] = []
"""The latest ones, the latest last."""


def index_of(connections: Sequence[Connection]) -> Index:
    """The index of at least these connections, the first ones of their pair, in the order of their numbers."""
    given = list(connections)
    if len(given) > 1:
        for place, known in enumerate(_KEPT):
            common = min(len(known.connections), len(given))
            if known.connections[:common] == given[:common]:
                known.connections += given[common:]
                _KEPT.append(_KEPT.pop(place))
                return known
    made = Index()
    made.connections = given
    if len(given) > 1:
        _KEPT[:] = [*_KEPT, made][-MOST:]
    return made
