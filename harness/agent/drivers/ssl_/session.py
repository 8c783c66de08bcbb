"""SSLSession objects as the protocol's session objects and back; Python's ssl cannot turn one into bytes.

An SSLSession is a copy already (_ssl.c duplicates it through i2d and d2i when it is taken and again when it is
offered), so that each offer is a fresh object and nothing that a connection does later reaches it.
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
    """Every session that was taken from any context and not yet freed, by its handle."""

_numbers = itertools.count(1)


def to_object(session: ssl.SSLSession, keep: Callable[[str, ssl.SSLSession], None]) -> dict[str, Any]:
    """Have the session kept under a new handle and describe it; ``session_id`` in hex, times in seconds."""
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
    """The SSLSession of a handle; LackError if there is only a DER, or the context that made it is gone."""
    handle = session.get("handle")
    if handle is None:
        raise LackError(f"session import: {SESSIONS['session import']}")
    if handle not in handles:
        raise LackError(f"session import: {handle} went with its SSLContext; {SESSIONS['session import']}")
    return handles[handle]
