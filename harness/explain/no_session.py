"""Why the client had no session to offer: it was given none, or one with neither a ticket nor an id."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.explain import external_psk
from harness.explain.facts.index import yielded
from harness.explain.facts.negotiated import answer_of, asked_of, completed, gave, holds, version_of
from harness.explain.finding import hash_of, knob_text
from harness.model.errors import DisagreementError
from harness.model.knobs import CacheMode
from harness.model.reason import Finding, Reason
from harness.model.tls import BEFORE_1_3, Outcome, Role

if TYPE_CHECKING:
    from harness.explain.facts.evidence import Evidence
    from harness.model.connection import Connection
    from harness.model.session import Session
    from harness.model.transcript import NewSessionTicket

TAKES = ("session", "keep_session")
READS = "exchange"
KEEP = (
    "let the client keep its sessions from one connection to the next, in one context and one process: many HTTP "
    "libraries never do, and OpenSSL's client offers only what its program sets (SSL_set_session)"
)

NO_TICKET_SINCE = (
    "after declining one for its hash, OpenSSL before 3.0.21, 3.5.7, 3.6.3 and 4.0.1 sends no ticket "
    "(https://github.com/openssl/openssl/pull/30626)"
)


def nothing_given(evidence: Evidence) -> tuple[Finding, ...]:
    """The reasons; empty if no earlier handshake completed, because then there is no session.

    A client is expected to offer what the latest completed connection yielded.
    """
    before = [one for one in reversed(evidence.earlier) if completed(one)]
    if not before:
        return ()
    latest = before[0]
    session = usable(latest)
    if session is not None:
        find = _not_given if evidence.connection.client.driven else _not_kept
        return (find(evidence.connection, latest, session),)
    others = [one for one in before[1:] if usable(one) is not None]
    also = tuple(f"session: connection {one.number} yielded one that could have been offered" for one in others[:1])
    return tuple(replace(found, evidence=(*found.evidence, *also)) for found in no_ticket(latest, latest.last_session))


def usable(connection: Connection) -> Session | None:
    """The last session of a connection that could have been offered, as far as known."""
    version, given = version_of(connection), gave(connection)
    held = {None: given is True, True: True, False: False}
    found = [session for session in yielded(connection) if held[holds(session, version)]]
    return found[-1] if found else None


def describe(session: Session) -> str:
    """What a session can be resumed with."""
    if length := session.get("ticket_length"):
        return f"a ticket of {length} bytes"
    if session.get("has_ticket"):
        return "a ticket"
    found = session.get("session_id")
    return f"a session id of {len(found)} bytes" if isinstance(found, bytes) and found else "a way to resume it"


def _not_given(connection: Connection, source: Connection, session: Session) -> Finding:
    return Finding(
        Reason.NO_SESSION,
        f"the client of connection {connection.number} was given no session, although connection {source.number} "
        "yielded one",
        (
            _yielded(source, session),
            f"action: no session was set for connection {connection.number} (SSL_set_session)",
            _lacks(connection),
        ),
        remedy=f"save the session of connection {source.number} (SSL_get1_session after reading application data, or "
        f"the new-session callback) and set it before the handshake of connection {connection.number} "
        "(SSL_set_session): OpenSSL's client does not look up sessions itself",
        source="SSL_set_session(3), SSL_get_session(3), SSL_CTX_sess_set_new_cb(3)",
    )


def _not_kept(connection: Connection, source: Connection, session: Session) -> Finding:
    """Of a client that the harness does not drive, whose sessions are known from the wire alone."""
    return Finding(
        Reason.NO_SESSION,
        f"its client held none or did not offer it, although connection {source.number} gave one",
        (_yielded(source, session), _lacks(connection)),
        remedy=KEEP,
        source="RFC 8446, 2.2; RFC 5246, 7.3; SSL_set_session(3)",
    )


def _yielded(source: Connection, session: Session) -> str:
    version = version_of(source)
    label = f"for {version.label} " if version else ""
    resumed = ", after it was resumed" if source.observed_outcome() is Outcome.RESUMED else ""
    return f"session: connection {source.number} yielded one {label}with {describe(session)}{resumed}"


def _lacks(connection: Connection) -> str:
    shown = ["no pre_shared_key", "no session ticket"]
    hello = next(iter(connection.transcript.client_hellos), None)
    if hello is not None and not hello.session_id:
        shown.append("no session id")
    return f"wire: its ClientHello has {', '.join(shown)}"


def no_ticket(source: Connection | None, session: Session | None) -> tuple[Finding, ...]:
    """Why the session of a connection has neither ticket nor id; two reasons if both fit the evidence.

    ``session`` is the saved one, if any; ``source`` is None if its origin is unknown.
    """
    if source is None or version_of(source) is None:
        return (_unknown(source, session),)
    if version_of(source) in BEFORE_1_3:
        return (_tls12(source, session),)
    client, wire = source.ticket_counts()
    if wire == 0 and client:
        return (_unknown(source, session),)
    if wire or client:
        return (_not_yet(source, session, wire or client or 0),)
    return (_none_sent(source, session),) if wire == 0 else _sealed(source, session)


def _sealed(source: Connection, session: Session | None) -> tuple[Finding, ...]:
    """The two reasons where no key opens what may be a ticket."""
    if source.client.driven:
        apart = "a NewSessionTicket on the wire, which could not be decrypted because there is no key log"
        return _none_sent(source, session, apart), _not_yet(source, session, 0, apart)
    records = sum(source.transcript.sealed.values())
    seen = (f"wire: {records} records of connection {source.number} stay sealed",)
    apart = f"the key log of connection {source.number}, which shows whether a NewSessionTicket is in it"
    kept = Finding(
        Reason.NO_SESSION,
        f"its client held none or did not offer it, if connection {source.number} gave one",
        seen,
        remedy=KEEP,
        source="RFC 8446, 2.2",
        tell_apart=apart,
    )
    none = Finding(
        Reason.NO_TICKET_SENT,
        f"the server of connection {source.number} sent no ticket",
        seen,
        remedy="make the server send tickets (SSL_CTX_set_num_tickets, SSL_new_session_ticket)",
        source="SSL_CTX_set_num_tickets(3); RFC 8446, 4.6.1",
        tell_apart=apart,
    )
    return kept, none


def saved_before_any_read(source: Connection) -> bool:
    """Whether every session saved while the connection was open was saved before any data was read."""
    during = [action.name for action in source.setup.during] if source.setup else []
    taken = [index for index, name in enumerate(during) if name in TAKES]
    read = [index for index, name in enumerate(during) if name == READS]
    return bool(taken) and (not read or taken[-1] < read[0])


def _seen(session: Session | None) -> list[str]:
    if session is None:
        return ["session: the client has none"]
    shown = []
    if session.get("has_ticket") is not None:
        shown.append(f"session: it has {'a' if session.has_ticket else 'no'} ticket")
    if session.get("session_id") == b"":
        shown.append("session: its session id is empty")
    if session.get("resumable") is not None:
        shown.append(f"session: SSL_SESSION_is_resumable returned {int(session.resumable)} when it was saved")
    return shown


def _counts(source: Connection) -> list[str]:
    client, wire = source.ticket_counts()
    shown = [] if wire is None else [f"wire: {wire} NewSessionTicket messages in connection {source.number}"]
    return [*shown, *([] if client is None else [f"client: it counted {client} in connection {source.number}"])]


def _not_yet(source: Connection, session: Session | None, tickets: int, apart: str = "") -> Finding:
    early = ["action: it was saved before the client read application data"] if saved_before_any_read(source) else []
    sent = f"; the server sent {tickets}" if tickets else ""
    return Finding(
        Reason.NO_TICKET_YET,
        f"the session of connection {source.number} was saved before its client read a ticket{sent}",
        (*_counts(source), *_seen(session), *early),
        remedy="save the session after reading application data (SSL_read also reads the tickets that come before "
        "it), or in the new-session callback (SSL_CTX_sess_set_new_cb)",
        source="SSL_get_session(3), NOTES; RFC 8446, 4.6.1",
        tell_apart=apart,
    )


def _none_sent(source: Connection, session: Session | None, apart: str = "") -> Finding:
    why, remedy = _why_none(source)
    return Finding(
        Reason.NO_TICKET_SENT,
        f"the server of connection {source.number} sent no ticket",
        (*_counts(source), *_seen(session), *why),
        remedy=remedy,
        source="SSL_CTX_set_num_tickets(3); RFC 8446, 4.6.1",
        tell_apart=apart,
    )


def _why_none(source: Connection) -> tuple[list[str], str]:
    server = source.setup.server if source.setup else None
    if server is not None and server.not_resumable is not None:
        return [*knob_text(source, Role.SERVER, "not_resumable", here=False)], (
            "let the server's callback return 0 (SSL_CTX_set_not_resumable_session_callback)"
        )
    if server is not None and server.num_tickets == 0:
        return [
            *knob_text(source, Role.SERVER, "num_tickets", here=False)
        ], "make the server send tickets (SSL_CTX_set_num_tickets)"
    answer = answer_of(source)
    cipher = source.offered.get("cipher") if source.offered else None
    offered = hash_of(cipher) if isinstance(cipher, int) else None
    chosen = hash_of(answer.cipher_suite) if answer else None
    if _declined(source) and offered and chosen and offered != chosen:
        line = (
            f"wire: connection {source.number} offered a session for {offered}, and its ServerHello chooses a suite "
            f"with {chosen}"
        )
        return [line], (f"offer only sessions whose hash the server will choose: {NO_TICKET_SINCE}")
    if declined := external_psk.declined_for_its_hash(source):
        identity, offered, chosen = declined
        name = external_psk.name_of(identity)
        line = (
            f"wire: the external PSK {name} of connection {source.number} has {offered}, and its ServerHello {chosen}"
        )
        return [line], (
            "let the server choose a suite with the hash of the PSK (SSL_CTX_set_ciphersuites), or let the client "
            f"offer none: {NO_TICKET_SINCE}"
        )
    return [], "make the server send tickets (SSL_CTX_set_num_tickets, SSL_new_session_ticket)"


def _declined(source: Connection) -> bool:
    try:
        return source.observed_outcome() is Outcome.DECLINED
    except DisagreementError:
        return False


def _tls12(source: Connection, session: Session | None) -> Finding:
    hello, answer = asked_of(source), answer_of(source)
    sent = [ticket for ticket in source.transcript.tickets or () if ticket.ticket]
    if sent and session is None:
        return _discarded(source, sent[-1])
    if answer is None or answer.session_id or sent:
        return _unknown(source, session)
    asked = "requests a ticket" if hello and hello.session_ticket is not None else "has no session_ticket extension"
    seen = [
        f"wire: the session id in the ServerHello of connection {source.number} is empty",
        f"wire: the ClientHello of connection {source.number} {asked}, and the server sent no ticket",
    ]
    knobs = source.setup
    if knobs and knobs.server.cache_mode is not None and CacheMode.SERVER not in knobs.server.cache_mode:
        seen += knob_text(source, Role.SERVER, "cache_mode", here=False)
    seen += knob_text(source, Role.SERVER, "tickets", here=False) if knobs and knobs.server.tickets is False else ()
    return Finding(
        Reason.NO_TICKET_SENT,
        f"the server of connection {source.number} sent neither a ticket nor a session id",
        (*seen, *_seen(session)),
        remedy=_either(source, asked=hello is not None and hello.session_ticket is not None),
        source="SSL_CTX_set_session_cache_mode(3); RFC 5077, 3.2; tls_construct_server_hello",
    )


def _discarded(source: Connection, sent: NewSessionTicket) -> Finding:
    remedy = "let the server give its tickets a lifetime: some clients keep none whose hint is 0, such as JSSE"
    return Finding(
        Reason.TICKET_DISCARDED,
        f"the client of connection {source.number} keeps no session, although the server sent a ticket",
        (
            *_counts(source),
            f"wire: the server gave the ticket a lifetime of {sent.lifetime} seconds in connection {source.number}",
            *_seen(None),
        ),
        remedy=remedy if not sent.lifetime else "look for the client's own limits of what it keeps",
        source="RFC 5077, 3.3: a hint of 0 leaves the lifetime to the client",
    )


def _either(source: Connection, *, asked: bool) -> str:
    """What gives a TLS 1.2 session something to be resumed with: a ticket, or an id of a server that caches."""
    server = source.setup.server if source.setup else None
    ends = ([] if asked else ["client"]) + (["server"] if server and server.tickets is False else [])
    where = " and the ".join(ends) or "server"
    return (
        f"enable tickets at the {where} (clear SSL_OP_NO_TICKET), or let the server cache sessions "
        "(SSL_CTX_set_session_cache_mode)"
    )


def _unknown(source: Connection | None, session: Session | None) -> Finding:
    if source is None:
        return Finding(
            Reason.NOT_OFFERED_UNKNOWN,
            "the session has neither a ticket nor a session id, so no server can resume it; which connection it comes "
            "from cannot be seen in it",
            (*_seen(session), "session: it comes from an unknown connection"),
            remedy="offer a session that was saved after its client read a ticket, or one with a session id",
            source="SSL_SESSION_is_resumable(3)",
        )
    return Finding(
        Reason.NOT_OFFERED_UNKNOWN,
        f"the session of connection {source.number} has neither a ticket nor a session id, and the evidence is "
        "contradictory",
        (*_counts(source), *_seen(session)),
        remedy="inspect the messages of the connection that yielded it",
    )
