"""Rules about abbreviated handshakes before TLS 1.3: the session id, and what the session fixes (RFC 5246, 7.4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from harness.explain.finding import suite_name
from harness.explain.rules.handshake import handshakes
from harness.explain.rules.table import When, rule
from harness.model.tls import Role
from harness.wire.ending import fatal_alerts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.explain.rules.handshake import Handshake
    from harness.model.connection import Connection
    from harness.model.tls import Alert


def resumed_from(handshake: Handshake) -> Handshake | None:
    """The handshake whose session an abbreviated one resumes."""
    return handshake.made_in if handshake.abbreviated else None


@rule(Role.CLIENT, "RFC 5246, 7.4.1.2", When.TLS12)
def suite_of_session_offered(handshake: Handshake) -> Iterator[str]:
    """A client that offers a session offers the session's cipher suite."""
    made, hello = handshake.made_in, handshake.asked
    if made is None or made.answer is None or hello is None or handshake.edited:
        return
    if made.answer.cipher_suite not in hello.cipher_suites:
        suite = suite_name(made.answer.cipher_suite)
        yield f"wire: the session of connection {made.connection.number} has {suite}, which the ClientHello lacks"


@rule(Role.SERVER, "RFC 5246, 7.4.1.3; RFC 5077, 3.4", When.TLS12)
def resumption_echoes_session_id(handshake: Handshake) -> Iterator[str]:
    """A server that resumes a session echoes the client's session id."""
    hello, answer = handshake.asked, handshake.answer
    if handshake.abbreviated and hello and answer and answer.session_id != hello.session_id:
        yield "wire: the handshake is abbreviated, and the session id of the ServerHello is not the ClientHello's"


@rule(Role.SERVER, "RFC 5246, 7.4.1.3", When.TLS12)
def echoed_session_id_means_resumption(handshake: Handshake) -> Iterator[str]:
    """A server that makes a full handshake does not echo the client's session id."""
    hello, answer = handshake.asked, handshake.answer
    if handshake.abbreviated is False and hello and answer and answer.session_id == hello.session_id != b"":
        yield "wire: the handshake is full, and the session id of the ServerHello is the ClientHello's"


@rule(Role.SERVER, "RFC 5246, 7.4.1.3", When.TLS12)
def resumption_keeps_suite(handshake: Handshake) -> Iterator[str]:
    """A server that resumes a session keeps its cipher suite."""
    made = resumed_from(handshake)
    if made and made.answer and handshake.answer and made.answer.cipher_suite != handshake.answer.cipher_suite:
        yield f"wire: the ServerHello chooses {suite_name(handshake.answer.cipher_suite)}"
        yield f"wire: that of connection {made.connection.number} chose {suite_name(made.answer.cipher_suite)}"


@rule(Role.SERVER, "RFC 5246, 7.4.1.3", When.TLS12)
def resumption_keeps_compression(handshake: Handshake) -> Iterator[str]:
    """A server that resumes a session keeps its compression method."""
    made = resumed_from(handshake)
    if made and made.answer and handshake.answer and made.answer.compression != handshake.answer.compression:
        yield f"wire: the compression method was {made.answer.compression} and is {handshake.answer.compression}"


@rule(Role.SERVER, "RFC 5246, 7.4.1.3", When.TLS12)
def resumption_keeps_version(handshake: Handshake) -> Iterator[str]:
    """A server that resumes a session keeps its protocol version."""
    made = resumed_from(handshake)
    if made and made.answer and handshake.answer and made.answer.legacy_version != handshake.answer.legacy_version:
        then, now = made.answer.legacy_version, handshake.answer.legacy_version
        yield f"wire: the version was 0x{then:04x} and is 0x{now:04x}"


@rule(Role.CLIENT, "RFC 5246, 7.3", When.TLS12)
def server_finishes_resumption_first(handshake: Handshake) -> Iterator[str]:
    """A client finishes an abbreviated handshake after the server."""
    if not handshake.abbreviated:
        return
    client, server = (handshake.place("ChangeCipherSpec", role) for role in (Role.CLIENT, Role.SERVER))
    if client is not None and server is not None and client < server:
        yield "wire: the client's change_cipher_spec comes before the server's in an abbreviated handshake"


@rule(Role.SERVER, "RFC 5246, 7.2.2", When.TLS12)
def failed_session_not_resumed(handshake: Handshake) -> Iterator[str]:
    """A server does not resume by its id a session whose connection ended in a fatal alert.

    A server that makes the same id again makes another session: the latest full handshake with the id is meant.
    """
    if not handshake.abbreviated or handshake.offered_by_ticket or handshake.asked is None:
        return
    for other in reversed(handshake.earlier):
        had = _had(other)
        if handshake.asked.session_id not in had.ids:
            continue
        if had.alerts:
            yield f"wire: connection {other.number} had this session id and ended with {had.alerts[0]}"
        if had.full:
            return


@dataclass(frozen=True, slots=True)
class _Had:
    """What a connection showed of the session that it had."""

    ids: frozenset[bytes]
    """The session ids that the server sent."""
    alerts: tuple[Alert, ...]
    """The fatal ones."""
    full: bool
    """Whether one of its handshakes was full."""


_KNOWN: WeakKeyDictionary[Connection, _Had] = WeakKeyDictionary()
"""Each later connection of a pair asks for those before it."""


def _had(connection: Connection) -> _Had:
    if connection not in _KNOWN:
        transcript = connection.transcript
        _KNOWN[connection] = _Had(
            frozenset(hello.session_id for hello in transcript.server_hellos if not hello.hello_retry_request),
            fatal_alerts(transcript),
            any(made.abbreviated is False for made in handshakes(connection, ())),
        )
    return _KNOWN[connection]
