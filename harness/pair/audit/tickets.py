"""How many tickets and sessions came, as each end counts them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from harness.agent.vocabulary import CacheMode
from harness.model.tls import Role
from harness.model.view import Saw
from harness.pair.audit.shown import Shown, once

if TYPE_CHECKING:
    from harness.pair.audit.shown import Wire


@once
def new_sessions(wire: Wire, role: Role) -> Shown | None:
    """One of each ticket that was read, and before TLS 1.3 one of each full handshake.

    OpenSSL calls its callback before TLS 1.3 for a full handshake alone, also where a ticket comes in a resumption, and
    if the session has an id, its own beside a ticket (ssl_update_cache).
    """
    on_wire = wire.transcript.tickets
    if on_wire is None or not wire.handshakes:
        return None
    setup, tls13 = wire.connection.setup, wire.handshakes[-1].tls13
    many = f" in {len(wire.handshakes)} handshakes" * (len(wire.handshakes) > 1)
    shown = f"{len(on_wire)} NewSessionTicket{many}, {wire.connection.wire.evidence[0]}"
    if setup is None or not setup.library(role).is_openssl:
        return Shown(_UpTo(0, len(on_wire) + (0 if tls13 else len(wire.handshakes))), shown)
    full = [each for each in wire.handshakes if not each.resumed]
    named = sum(bool(each.answer.session_id) or any(each.tickets) for each in full)
    most = len(on_wire) if tls13 else named
    finished = wire.report(role).view.saw in {Saw.FULL, Saw.RESUMED}
    read = finished and (not tls13 or _reads_all(wire))
    return Shown(_UpTo(most if read and _calls_back(wire) else 0, most), shown)


def _calls_back(wire: Wire) -> bool:
    """Whether a client's cache mode lets OpenSSL call its new-session callback; it does by default."""
    setup = wire.connection.setup
    mode = setup.client.cache_mode if setup is not None else None
    return mode is None or bool(mode & {CacheMode.CLIENT, CacheMode.BOTH})


def _reads_all(wire: Wire) -> bool:
    """Whether a client has read a line of application data after the tickets."""
    setup = wire.connection.setup
    return wire.connection.exchanged and setup is not None and any(a.name == "exchange" for a in setup.during)


def reported_tickets(wire: Wire, role: Role) -> object:
    """How many tickets an end counted."""
    return wire.report(role).view.tickets


class _UpTo:
    """Every number from ``low`` to ``high``."""

    def __init__(self, low: int, high: int) -> None:
        self._range = range(low, high + 1)

    def __contains__(self, reported: object) -> bool:
        return isinstance(reported, int) and reported in self._range


def tickets(wire: Wire, role: Role) -> Shown | None:
    """A client that was closed before it read them may have counted fewer than were sent, and any a malformed one."""
    on_wire = wire.transcript.tickets
    if on_wire is None or wire.transcript.problem:
        return None
    count = len(on_wire)
    most = wire.transcript.types(Role.SERVER).count("NewSessionTicket")
    if role is Role.SERVER and wire.cut:
        return Shown(_UpTo(count, sys.maxsize - 1), f"at least {count} NewSessionTicket")
    low = count if role is Role.SERVER or _reads_all(wire) else 0
    return Shown(_UpTo(low, most), f"{most} NewSessionTicket" + (f", {most - count} malformed" * (most > count)))
