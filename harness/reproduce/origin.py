"""Which session of which earlier connection it is that was offered, and what was written anew in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.errors import HarnessError
from harness.reproduce.story import Offer
from harness.wire import session_der

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.model.connection import Connection
    from harness.model.session import Session

TAKING = ("session", "keep_session")
"""Deeds on an open connection that take a session."""


def origin(offered: Session, earlier: Sequence[Connection]) -> Offer | None:
    """The offer in terms of earlier connections; None if it is no session of theirs, or one that was changed otherwise.

    By identity first, then by its bytes, then by the bytes but for time and timeout. A session that was taken while
    its connection was open is kept nowhere: where there is such a deed and nothing else fits, it is of that one.
    """
    found = _same(offered, earlier) or _rewritten(offered, earlier)
    return found or _taken_in_it(offered, earlier)


def _sessions(earlier: Sequence[Connection]) -> Iterator[tuple[Connection, Session, int | None]]:
    """Each session with its connection and its place, None for the one at the end; the latest connection first."""
    for connection in reversed(earlier):
        last = connection.taken
        if last is not None:
            yield connection, last, None
        for index, session in enumerate(connection.sessions):
            if last is None or session is not last:
                yield connection, session, index


def _same(offered: Session, earlier: Sequence[Connection]) -> Offer | None:
    for connection, session, index in _sessions(earlier):
        if session is offered:
            return Offer(connection=connection.number, ticket=index, der=offered.der)
    for connection, session, index in _sessions(earlier):
        if offered.der is not None and session.der == offered.der:
            return Offer(connection=connection.number, ticket=index, der=offered.der)
        if offered.der is None and offered.handle is not None and session.handle == offered.handle:
            return Offer(connection=connection.number, ticket=index)
    return None


def _rewritten(offered: Session, earlier: Sequence[Connection]) -> Offer | None:
    if offered.der is None:
        return None
    try:
        wanted = session_der.decode(offered.der)
    except HarnessError:
        return None
    for connection, session, index in _sessions(earlier):
        if session.der is None:
            continue
        was = session_der.decode(session.der)
        alike = _written(session, wanted.time, wanted.timeout)
        if alike is not None and alike == _written(offered, wanted.time, wanted.timeout):
            timeout = wanted.timeout if wanted.timeout != was.timeout else None
            older = was.time - wanted.time
            return Offer(connection=connection.number, ticket=index, older=older, timeout=timeout, der=offered.der)
    return None


def _written(session: Session, time: int, timeout: int) -> bytes | None:
    try:
        return session_der.edited(session, time=time, timeout=timeout).der
    except HarnessError:  # a time of 0 cannot be written
        return None


def _taken_in_it(offered: Session, earlier: Sequence[Connection]) -> Offer | None:
    kept = offered.der is None
    for connection in reversed(earlier):
        during = connection.circumstances.during if connection.circumstances else ()
        taking = [index for index, deed in enumerate(during) if deed.name in TAKING]
        fits = [index for index in taking if (during[index].name == "keep_session") is kept]
        if fits and offered.get("version") in {None, connection.tls}:
            return Offer(connection=connection.number, deed=fits[0], kept=kept, der=offered.der)
    return None
