"""Where an offered session comes from: the connection that yielded it, and what was edited since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.explain.facts.index import CONTENT, KINDS, NAME, OBJECT, index_of, keys_of, yielded
from harness.model.session import SESSION_FIELDS, Session
from harness.model.tls import BEFORE_1_3
from harness.model.view import Saw

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from harness.model.connection import Connection

SAME = (CONTENT, NAME, OBJECT)
"""In what two sessions are the same; one secret alone is that of another ticket or id."""
NOT_WRITTEN = frozenset({"resumable"})


@dataclass(frozen=True, slots=True)
class Origin:
    """The earliest connection that yielded the session, and the session as it was then."""

    connection: Connection
    session: Session
    edits: tuple[str, ...]
    """The fields that differ in the offered session, in the order of SESSION_FIELDS; ``der`` if only bytes differ."""


def origin_of(offered: Session | None, earlier: Sequence[Connection], sent: Collection[bytes] = ()) -> Origin | None:
    """The origin of a session among connections in the order of their numbers; None if none of them yielded it.

    ``sent`` are the tickets and session ids that the client sent: a server that issued one of them made the session.
    """
    known = _by_session(offered, earlier) if offered else None
    if known:
        return known
    return next((Origin(one, Session({}), ()) for one in earlier if not _issued(one).isdisjoint(sent)), None)


def _issued(connection: Connection) -> set[bytes]:
    """The tickets and the session id that the server sent."""
    transcript = connection.transcript
    ids = {hello.session_id for hello in transcript.server_hellos if hello.version in BEFORE_1_3}
    return {*ids, *(ticket.ticket for ticket in transcript.tickets or ())} - {b""}


def _by_session(offered: Session, earlier: Sequence[Connection]) -> Origin | None:
    index = index_of(earlier)
    for kind in KINDS:
        place = index.first(offered, kind, len(earlier))
        if place is not None:
            keys = set(keys_of(offered, kind))
            found = [one for one in yielded(earlier[place]) if not keys.isdisjoint(keys_of(one, kind))]
            best = min(found, key=lambda session: len(_edits(offered, session)))
            return Origin(earlier[place], best, _edits(offered, best))
    return None


def same(one: Session, other: Session) -> bool:
    """Whether two sessions are the same one, edited or not."""
    return any(not set(keys_of(one, kind)).isdisjoint(keys_of(other, kind)) for kind in SAME)


def _edits(offered: Session, session: Session) -> tuple[str, ...]:
    if offered.der == session.der and offered.known == session.known:
        return ()
    known = (name for name in SESSION_FIELDS if name in offered.known and name in session.known)
    edits = tuple(n for n in known if n not in NOT_WRITTEN and offered.known[n] != session.known[n])
    return edits or (() if offered.der == session.der or None in {offered.der, session.der} else ("der",))


def full_handshake_of(offered: Session | None, earlier: Sequence[Connection]) -> Connection | None:
    """The full handshake that a session descends from, through all resumptions; None if unknown.

    A ticket that a resumption yielded stands for what the first handshake authenticated (RFC 8446, 4.6.1).
    """
    index, passed = index_of(earlier), []
    session, before = offered, len(earlier)
    while session is not None and (place := index.last(session, SAME, before)) is not None:
        one = index.connections[place]
        if one.offered is None or one.wire.saw is not Saw.RESUMED:
            found: Connection | None = one
        elif place in index.full:
            found = index.full[place]
        else:
            passed.append(place)
            session, before = one.offered, place
            continue
        break
    else:
        found = None
    index.full.update(dict.fromkeys(passed, found))
    return found
