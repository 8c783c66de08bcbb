"""What an end that resumes reports of its peer, against the connection from which the session comes."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from harness.explain.facts.index import index_of
from harness.explain.facts.origin import origin_of
from harness.model.tls import Role
from harness.model.transcript import Certificate, NewSessionTicket
from harness.model.view import Contradiction, Saw, Witness
from harness.pair.audit.shown import readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.model.connection import Connection
    from harness.model.session import Session

CHANGES_IT = {"authenticate", "renegotiate"}
"""What may give a connection another certificate of the client than that of a ticket that it sent before."""


def remembered(connection: Connection, earlier: Sequence[Connection]) -> tuple[Contradiction, ...]:
    """Whether an end that resumes has another certificate of its peer than where the session was issued.

    (RFC 8446, 4.6.1.) The wire of a resumption shows none, but that of the first connection did. What an end reported
    of that connection counts where its wire shows nothing; only reports of one stack and build are compared, and none
    after the server was given a session from elsewhere.
    """
    setup = connection.setup
    if connection.wire.saw is not Saw.RESUMED or setup is None or connection.tampered:
        return ()
    origin = origin_of(connection.offered, earlier)
    if origin is None or origin.connection.setup is None or origin.connection.tampered:
        return ()
    first = origin.connection
    done = (*setup.before, *(action for _place, action in index_of(earlier).actions()))
    added = any(action.name == "add_session" for action in done)
    changed = any(action.name in CHANGES_IT for action in setup.during)
    if added or changed or not _finished(first):
        return ()
    return tuple(_contradictions(connection, first))


def _contradictions(connection: Connection, first: Connection) -> Iterator[Contradiction]:
    where = f"connection {first.number}, from which the session comes, had"
    for role in Role:
        report, then = (connection.client, first.client) if role is Role.CLIENT else (connection.server, first.server)
        if not report.driven or then.view.name != report.view.name:
            continue
        chain = _chain_then(first, role, connection.offered)
        held = bool(chain) if chain is not None else None if _asked(first) else then.peer_certificate
        now = report.peer_certificate
        if role is Role.SERVER and None not in {held, now} and held is not now:
            yield Contradiction(Witness.SERVER, "peer_certificate", readable(now), f"{where} {readable(held)}")
        kept = {chain, (chain or ())[:1]} | ({()} if role is Role.CLIENT else set())
        if chain is not None and report.peer_chain is not None and report.peer_chain not in kept:
            shown = f"{where} {readable(chain)}"
            yield Contradiction(Witness(role.value), "peer_chain", readable(report.peer_chain), shown)


def _asked(first: Connection) -> bool:
    return first.setup is not None and any(action.name in CHANGES_IT for action in first.setup.during)


def _chain_then(first: Connection, role: Role, offered: Session | None) -> tuple[str, ...] | None:
    """The digests of the peer's chain where the session was issued; None if that is unknown.

    A ticket keeps the first certificate alone (i2d_SSL_SESSION). A client may be asked for its certificate after the
    handshake, and the tickets that follow have it.
    """
    if role is Role.CLIENT or not _asked(first):
        report = first.client if role is Role.CLIENT else first.server
        return None if role is Role.CLIENT and first.wire.saw is Saw.RESUMED else report.peer_chain
    ticket = offered.get("ticket") if offered else None
    sent: tuple[str, ...] | None = None if first.wire.saw is Saw.RESUMED else ()
    for message in first.transcript.messages:
        if message.sender is role.peer and isinstance(message.content, Certificate):
            sent = tuple(sha256(der).hexdigest() for der in message.content.chain)
        if isinstance(message.content, NewSessionTicket) and message.content.ticket == ticket:
            return sent
    return None


def _finished(connection: Connection) -> bool:
    return connection.wire.saw in {Saw.FULL, Saw.RESUMED} and connection.transcript.handshakes == 1
