"""Finds the earlier connection that an offered session comes from, and how the session was edited."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.model.errors import HarnessError
from harness.reproduce.story import Offer
from harness.wire.session import codec

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.model.connection import Connection
    from harness.model.session import Session

TAKING = ("session", "keep_session")
"""The actions on an open connection that take a session."""


def origin(offered: Session, earlier: Sequence[Connection]) -> Offer | None:
    """Return the offer in terms of earlier connections; None if it is not one of their sessions, or has other edits.

    Sessions are compared by identity, then by their bytes, then by their bytes without time and timeout.
    """
    for fit in (_same, _alike, _rewritten):
        for connection in reversed(earlier):
            found = fit(offered, connection)
            if found:
                return found
    return None


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
            yield session, Offer(connection=number, action=index, kept=during[index].name == "keep_session")


def _same(offered: Session, connection: Connection) -> Offer | None:
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
    wanted = _decoded(offered)
    if wanted is None:
        return None
    for session, offer in _yielded(connection):
        was = _decoded(session)
        alike = was and _written(was, wanted.time, wanted.timeout)
        if was and alike and alike == _written(wanted, wanted.time, wanted.timeout):
            timeout = wanted.timeout if wanted.timeout != was.timeout else None
            return replace(offer, older=was.time - wanted.time, timeout=timeout, der=offered.der)
    return None


def _decoded(session: Session) -> Session | None:
    try:
        return codec.decode(session.der) if session.der is not None else None
    except HarnessError:
        return None


def _written(session: Session, time: int, timeout: int) -> bytes | None:
    try:
        return codec.edited(session, time=time, timeout=timeout).der
    except HarnessError:  # a time of 0 cannot be written
        return None
