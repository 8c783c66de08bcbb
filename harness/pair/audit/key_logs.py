"""Whether the key log of an end is that of its connection: it has its secrets, and they open its records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.tls import Role
from harness.pair.audit.shown import Shown
from harness.wire.key_log import secrets_of
from harness.wire.reading import read

if TYPE_CHECKING:
    from harness.pair.audit.shown import Wire

OF_IT, FOREIGN, WRONG = "secrets of this connection", "secrets of other connections only", "secrets that are wrong"


def _tells(wire: Wire, role: Role) -> object:
    """What the lines are, None if there are none."""
    lines = wire.report(role).keylog
    if not lines or not wire.transcript.client_hellos or any(wire.mutated(each) for each in Role):
        return None
    if wire.connection.tampered:
        return None
    mine, peers = secrets_of(lines), secrets_of(wire.report(role.peer).keylog)
    if not any(random == wire.transcript.client_hello.random.hex() for _label, random in mine):
        return FOREIGN
    differing = any(peers.get(name, secret).lower() != secret.lower() for name, secret in mine.items())
    if not differing and not any(wire.transcript.misfits.values()):
        return OF_IT
    alone = read(wire.connection.chunks, lines)
    return WRONG if any(alone.misfits.values()) else OF_IT


def _shows(_wire: Wire, _role: Role) -> Shown:
    return Shown((OF_IT,), "records that they do not open")


key_log = (_tells, _shows)
"""What an end's key log is, and what it has to be."""
