"""Where an offered session comes from: the connection that yielded it, and what was edited since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model.errors import SessionFormatError
from harness.model.session import SESSION_FIELDS, Session
from harness.model.tls import BEFORE_1_3
from harness.model.view import Saw
from harness.wire.session.codec import secret_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from harness.model.connection import Connection

NAMES_IT = ("ticket", "session_id")
"""The fields that identify a session: two with one of them in common are the same."""
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
    for alike in (_same_content, _same_name, _same_object, _same_secret):
        for connection in earlier:
            found = [session for session in yielded(connection) if alike(offered, session)]
            if found:
                best = min(found, key=lambda session: len(_edits(offered, session)))
                return Origin(connection, best, _edits(offered, best))
    return None


def yielded(connection: Connection) -> Iterator[Session]:
    """Every session that the client of a connection received."""
    yield from connection.sessions
    yield from connection.held_sessions
    if connection.last_session is not None:
        yield connection.last_session


def same(one: Session, other: Session) -> bool:
    """Whether two sessions are the same one, edited or not."""
    return any(alike(one, other) for alike in (_same_content, _same_name, _same_object))


def _same_content(offered: Session, session: Session) -> bool:
    return offered is session or (offered.der is not None and offered.der == session.der)


def _same_name(offered: Session, session: Session) -> bool:
    return any((value := offered.get(name)) and value == session.get(name) for name in NAMES_IT)


def _same_object(offered: Session, session: Session) -> bool:
    return offered.handle is not None and offered.handle == session.handle


def _same_secret(offered: Session, session: Session) -> bool:
    """Whether both have one secret, so that one is the other with another ticket or id."""
    secret = _secret(offered)
    return bool(secret) and secret == _secret(session)


def _secret(session: Session) -> bytes:
    try:
        return secret_of(session.der) if session.der else b""
    except SessionFormatError:
        return b""


def _edits(offered: Session, session: Session) -> tuple[str, ...]:
    known = (name for name in SESSION_FIELDS if name in offered.known and name in session.known)
    edits = tuple(n for n in known if n not in NOT_WRITTEN and offered.known[n] != session.known[n])
    return edits or (() if offered.der == session.der or None in {offered.der, session.der} else ("der",))


def full_handshake_of(offered: Session | None, earlier: Sequence[Connection]) -> Connection | None:
    """The full handshake that a session descends from, through all resumptions; None if unknown.

    A ticket that a resumption yielded stands for what the first handshake authenticated (RFC 8446, 4.6.1).
    """
    session = offered
    while session is not None:
        places = range(len(earlier) - 1, -1, -1)  # the latest first: it mostly is the one before
        place = next((i for i in places if any(same(session, one) for one in yielded(earlier[i]))), None)
        if place is None:
            return None
        if earlier[place].offered is None or earlier[place].wire.saw is not Saw.RESUMED:
            return earlier[place]
        session, earlier = earlier[place].offered, earlier[:place]
    return None
