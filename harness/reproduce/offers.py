"""Finds the earlier connection that an offered session comes from, and how the session was edited."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.model.errors import HarnessError
from harness.model.session import Turned
from harness.reproduce.story import Offer
from harness.story.step import FARTHEST
from harness.wire.session import codec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.model.connection import Connection
    from harness.model.session import Session, Value

RANDOM = ("ticket", "session_id")
"""Fields whose values differ in each run."""
TAKING = ("session", "keep_session")
"""The actions on an open connection that take a session."""


def origin(offered: Session, earlier: Sequence[Connection]) -> Offer | None:
    """Return the offer in terms of earlier connections; None if it is not one of their sessions.

    Sessions are compared by identity, then by their bytes, then by their fields: the one with the fewest other values
    is the one that was edited. A ticket, an id or a secret that another of their sessions has is not an edit.
    """
    for fit in (_same, _alike):
        for connection in reversed(earlier):
            found = fit(offered, connection)
            if found:
                return found
    edited = [found for connection in reversed(earlier) if (found := _rewritten(offered, connection))]
    found = min(edited, key=lambda offer: len(offer.edits), default=None)
    values = {value for _, value in found.edits if isinstance(value, bytes) and value} if found else set()
    mixed = any(session.get(name) in values for each in earlier for session, _ in _yielded(each) for name in RANDOM)
    return None if mixed else found


def _yielded(connection: Connection) -> Iterator[tuple[Session, Offer]]:
    """Yield each session of a connection with the Offer that describes it; the last session comes first."""
    number, last = connection.number, connection.last_session
    if last is not None:
        yield last, Offer(connection=number)
    for index, session in enumerate(connection.sessions):
        yield session, Offer(connection=number, ticket=index)
    during = connection.setup.during if connection.setup else ()
    taking = [index for index, action in enumerate(during) if action.name in TAKING]
    if len(taking) == len(connection.held_sessions):  # otherwise an unknown one of them returned no session
        for index, session in zip(taking, connection.held_sessions, strict=True):
            kept, ssl = during[index].name == "keep_session", bool(during[index].values.get("ssl"))
            yield session, Offer(connection=number, action=index, kept=kept, ssl=ssl)


def _same(offered: Session, connection: Connection) -> Offer | None:
    known = (connection.last_session, *connection.sessions, *connection.held_sessions)
    if all(session is not offered for session in known):
        return None
    for session, offer in _yielded(connection):
        if session is offered:
            return replace(offer, der=offered.der)
    return None


def _alike(offered: Session, connection: Connection) -> Offer | None:
    for session, offer in _yielded(connection):
        if offered.der is not None and session.der == offered.der:
            return replace(offer, der=offered.der)
        if offered.der is None and offered.handle is not None and session.handle == offered.handle:
            return offer
    return None


def _rewritten(offered: Session, connection: Connection) -> Offer | None:
    """The offer of a session with other fields, which shares its ticket, its id or its secret with the one it was."""
    best: Offer | None = None
    for session, offer in _yielded(connection):
        changes = _changes(session, offered)
        if changes is None or changes.keys() >= {"ticket", "session_id", "master_key"}:
            continue
        if "ticket" in changes and changes.keys() & {"session_id", "master_key"} and not _turned(changes):
            continue  # another session of the same connection
        time = changes.get("time")
        older = _time(session) - time if isinstance(time, int) else 0
        if abs(older) > FARTHEST:  # a time of its own, not an age
            older = 0
        else:
            changes.pop("time", None)
        timeout = changes.pop("timeout", None)
        found = replace(
            offer,
            older=older,
            timeout=timeout if isinstance(timeout, int) else None,
            edits=tuple(changes.items()),
            der=offered.der,
        )
        if best is None or len(found.edits) < len(best.edits):
            best = found
    return best


def _turned(changes: Mapping[str, Value]) -> bool:
    return any(isinstance(value, Turned) for value in changes.values())


def _changes(session: Session, offered: Session) -> dict[str, Value] | None:
    try:
        return codec.difference(session, offered)
    except HarnessError:
        return None


def _time(session: Session) -> int:
    return codec.decode(session.der or b"").time
