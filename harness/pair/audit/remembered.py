"""What a server that resumes reports of its client, against the connection from which the session comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.facts.origin import origin_of
from harness.model.view import Contradiction, Saw, Witness
from harness.pair.audit.shown import readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.connection import Connection

CHANGES_IT = {"authenticate", "renegotiate"}
"""What may give a connection another certificate of the client than that of a ticket that it sent before."""
FACTS = ("peer_certificate", "peer_chain")


def remembered(connection: Connection, earlier: Sequence[Connection]) -> tuple[Contradiction, ...]:
    """Whether the server has another certificate of its client than where the session was issued (RFC 8446, 4.6.1).

    The wire of a resumption shows none, but that of the first connection did. Only reports of one stack and build are
    compared, and none after the server was given a session from elsewhere.
    """
    setup, report = connection.setup, connection.server
    if connection.wire.saw is not Saw.RESUMED or setup is None or not report.driven or connection.tampered:
        return ()
    origin = origin_of(connection.offered, earlier)
    if origin is None or origin.connection.setup is None or origin.connection.tampered:
        return ()
    first = origin.connection
    every = [made.setup for made in (*earlier, connection) if made.setup is not None]
    added = any(action.name == "add_session" for one in every for action in one.before)
    changed = any(action.name in CHANGES_IT for one in (setup, first.setup) if one for action in one.during)
    if added or changed or first.server.view.name != report.view.name or not _finished(first):
        return ()
    return tuple(
        Contradiction(
            Witness.SERVER,
            name,
            readable(now),
            f"connection {first.number}, from which the session comes, had {readable(then)}",
        )
        for name in FACTS
        for now, then in [(_leaf(getattr(report, name)), _leaf(getattr(first.server, name)))]
        if now is not None and then is not None and now != then
    )


def _leaf(value: object) -> object:
    """Of a chain its first certificate, which is what a session keeps in a ticket (i2d_SSL_SESSION)."""
    return value[:1] if isinstance(value, tuple) else value


def _finished(connection: Connection) -> bool:
    return connection.wire.saw in {Saw.FULL, Saw.RESUMED} and connection.transcript.handshakes == 1
