"""Sends a GET as early data, and the same flight again, byte for byte, as somebody who recorded it could."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.capability import Capability
from harness.model.errors import UnreachableError
from harness.model.probe import EarlyData
from harness.model.tls import Mechanism, Role
from harness.model.transcript import EARLY_DATA, PRE_SHARED_KEY, Chunk
from harness.probe.further import TRIES
from harness.probe.say import status
from harness.probe.studies import config_of
from harness.wire.reading import read
from harness.wire.records import ContentType, records_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.connection import Connection
    from harness.model.knobs import ClientConfig
    from harness.model.session import Session
    from harness.probe.say import Said
    from harness.probe.visitor import Visit, Visitor

CONNECTIONS = 3 * TRIES
"""Connections that the question may take: full handshakes, offers with early data, and replays."""
EMPTY_EXTENSION = 4
"""Bytes by which EncryptedExtensions is longer if it accepts early data (RFC 8446, 4.2.10)."""
CHUNK = 1 << 16
MOST = 100
"""Reads of an answer to a replay, at most."""


def lacks(visitor: Visitor) -> str | None:
    """Why the client cannot choose what its early data is; None if it can."""
    return visitor.pair.client_stack.abilities(Role.CLIENT).lacks(Capability.EARLY_DATA_CONTENT)


def early_data(visitor: Visitor, base: ClientConfig, request: Said, *, shared: bool) -> EarlyData | None:
    """Send the request early until it is accepted, with fresh sessions, then the flight again; None without a session.

    Once each if the back ends share what they issue, else up to TRIES times.
    """
    plain = config_of(Mechanism.PSK, base)
    sending = plain.changed(max_early_data=len(request.data))
    tries = 1 if shared else TRIES
    visit: Visit | None = None
    for _ in range(tries):
        session = _session(visitor.full(plain).connection, len(request.data))
        if session is None:
            break
        visit = visitor.visit(sending, session, request, early=True)
        if _accepted(visit.connection):
            break
    if visit is None:
        return None
    again: list[tuple[bool | None, str]] = []
    for _ in range(tries if _accepted(visit.connection) else 0):
        again.append(_replayed(visitor, visit.connection))
        if again[-1][0]:
            break
    return EarlyData(
        len(request.data),
        visit.outcome,
        _accepted(visit.connection),
        visit.connection.number,
        status(visit.answer or b""),
        tuple(accepted for accepted, _ in again),
        tuple(detail for _, detail in again),
        visit.early_answer,
    )


def _session(connection: Connection, size: int) -> Session | None:
    session = connection.last_session
    allowed = session.get("max_early_data") if session else None
    return session if isinstance(allowed, int) and allowed >= size else None


def _accepted(connection: Connection) -> bool:
    """Whether the wire and the client say so, which the audit compares."""
    extensions = connection.transcript.encrypted_extensions
    return extensions is not None and EARLY_DATA in extensions


def _flight(connection: Connection) -> bytes:
    """The client's first flight: its ClientHello, and all up to the record of its early data."""
    flight = b""
    for record in records_of(connection.chunks, Role.CLIENT):
        flight += record.header + record.payload
        if record.type == ContentType.APPLICATION_DATA:
            break
    return flight


def _sealed(chunks: Sequence[Chunk]) -> int | None:
    """Bytes of the server's first encrypted record, which holds EncryptedExtensions; None if there is none yet."""
    sealed = (len(one.payload) for one in records_of(chunks, Role.SERVER) if one.type == ContentType.APPLICATION_DATA)
    return next(sealed, None)


def _replayed(visitor: Visitor, connection: Connection) -> tuple[bool | None, str]:
    """Send the flight again on a connection of its own: whether it was accepted, and what shows that.

    Nobody can read the answer without the client's secrets. But a server that accepts early data answers the same
    ClientHello with an EncryptedExtensions of the same length, and with a shorter one if it does not.
    """
    answer: list[Chunk] = []
    with visitor.connected() as server:
        try:
            server.sendall(_flight(connection))
            while _sealed(answer) is None and not _declined(answer) and len(answer) < MOST:
                data = server.recv(CHUNK)
                if not data:
                    break
                answer.append(Chunk(Role.SERVER, 0.0, data))
        except TimeoutError as error:
            raise UnreachableError(f"{visitor.target.text} did not answer a replayed ClientHello") from error
        except ConnectionError:
            return False, "the server resets the connection"
    if _declined(answer):
        return False, "the server does not take the session"
    return _compared(_sealed(answer), _sealed(connection.chunks))


def _compared(seen: int | None, accepted: int | None) -> tuple[bool | None, str]:
    """What the first encrypted record of an answer says, beside that of the answer that accepted the early data."""
    if seen is None or accepted is None:
        return False, "the server ends the connection without EncryptedExtensions"
    if seen == accepted:
        return True, f"EncryptedExtensions is as long as in the first answer: a record of {seen} bytes"
    if seen == accepted - EMPTY_EXTENSION:
        return False, f"the session resumes, and EncryptedExtensions lacks early_data: {seen} bytes, not {accepted}"
    return None, f"the first encrypted record has {seen} bytes, not {accepted}"


def _declined(answer: Sequence[Chunk]) -> bool:
    """Whether the answer has a ServerHello that takes no session, or an alert."""
    seen = read(answer)
    return bool(seen.alerts) or any(PRE_SHARED_KEY not in hello.extensions for hello in seen.server_hellos)
