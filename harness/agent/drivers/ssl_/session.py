"""Maps SSLSession objects to session objects by handle: Python's ssl cannot export a session.

An SSLSession is already a copy: _ssl.c duplicates it through i2d and d2i when it is taken and when it is offered. So
each offer is a fresh object, and later changes of a connection do not affect it.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from harness.agent.drivers.ssl_.unsupported import SESSIONS
from harness.agent.library import LackError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    Handles = dict[str, ssl.SSLSession]
    """Every session taken from any context and not yet freed, by handle."""

_numbers = itertools.count(1)


def to_object(session: ssl.SSLSession, keep: Callable[[str, ssl.SSLSession], None]) -> dict[str, Any]:
    """Hold the session under a new handle and return its session object; ``session_id`` in hex, times in seconds."""
    handle = f"SSLSession {next(_numbers)}"
    keep(handle, session)
    return {
        "der": None,
        "handle": handle,
        "resumable": None,
        "fields": {
            "session_id": session.id.hex(),
            "time": session.time,
            "timeout": session.timeout,
            "has_ticket": session.has_ticket,
            "lifetime_hint": session.ticket_lifetime_hint,
        },
    }


def from_object(session: Mapping[str, Any], handles: Handles) -> ssl.SSLSession:
    """Return the SSLSession of a handle; LackError if there is only a DER, or its context was freed."""
    handle = session.get("handle")
    if handle is None:
        raise LackError(f"session import: {SESSIONS['session import']}")
    if handle not in handles:
        raise LackError(f"session import: {handle} was freed with its SSLContext; {SESSIONS['session import']}")
    return handles[handle]
