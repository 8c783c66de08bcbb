"""What made a session object in the client's memory non-resumable (SSL_SESSION_is_resumable).

Sessions offered from their DER are not affected: it does not include ``not_resumable``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.explain.facts import history
from harness.explain.facts.negotiated import completed, version_of
from harness.explain.finding import knob_text
from harness.explain.no_session import TAKES
from harness.model.knobs import CacheMode
from harness.model.reason import Finding, Reason
from harness.model.tls import Close, Role, TLSVersion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.explain.facts.evidence import Evidence
    from harness.explain.facts.origin import Origin
    from harness.model.connection import Connection
    from harness.model.session import Session

CLOSE_NOTIFY = 0
COPIES = "ssl@"
"""Python's SSLObject.session is a copy (Modules/_ssl.c, PySSL_get_session)."""
AS_CLIENT = frozenset({CacheMode.CLIENT, CacheMode.BOTH})
OWN_MODES = {"libssl": frozenset({CacheMode.CLIENT, CacheMode.NO_INTERNAL_STORE})}
"""The default cache mode of a stack's clients where it is not OpenSSL's own, SERVER."""
UNCLEAN = {
    Close.SERVER_ONLY: "its client closed the connection without a close_notify",
    Close.EOF: "the connection ended before its client sent a close_notify",
    Close.RST: "the connection was reset before its client sent a close_notify",
    Close.FREE: "its client called SSL_free without SSL_shutdown",
    Close.UNREAD: "its client called SSL_free without SSL_shutdown",
    Close.EOF_READ_SHUTDOWN: "the connection ended before its client sent a close_notify",
}
"""How each close mode ends for a client that did not call SSL_shutdown."""


@dataclass(frozen=True)
class Event:
    """An event that marked a session object as not resumable."""

    title: str
    evidence: tuple[str, ...]
    remedy: str
    source: str
    reason: Reason = Reason.NOT_RESUMABLE


def is_object(session: Session) -> bool:
    """Whether it is the SSL_SESSION object of a connection, not data."""
    return session.handle is not None and session.der is None and not session.taken_by.startswith(COPIES)


def how_kept(origin: Origin) -> Mapping[str, object]:
    """What was said when the session was kept (`OpenConnection.keep_session`); empty if that is not known."""
    setup, held = origin.connection.setup, origin.connection.held_sessions
    taking = [action.values for action in (setup.during if setup else ()) if action.name in TAKES]
    found = zip(taking, held, strict=True) if len(taking) == len(held) else ()
    return next((values for values, one in found if one is origin.session), {})


def known(session: Session) -> tuple[str, ...]:
    """Whether it was resumable when it was saved, if known."""
    if session.get("resumable") is None:
        return ()
    return (f"session: SSL_SESSION_is_resumable returned {int(session.resumable)} when it was saved",)


def findings(evidence: Evidence, session: Session) -> tuple[Finding, ...]:
    """The first event that marked the object; empty if none is known, or the session is data."""
    if not is_object(session) or evidence.origin is None:
        return ()
    used = evidence.offers_before[-1:]
    if used:
        events = _used(used[0])
    elif session.get("resumable") is False:
        events = [_kept_too_late(evidence.origin)]
    elif how_kept(evidence.origin).get("duplicate"):
        events = []  # what happens to the first object does not reach it
    else:
        events = _closed(evidence.origin.connection)
    events += _forgotten(evidence)
    if not events:
        return ()
    first, *more = events
    return (
        Finding(
            first.reason,
            first.title,
            (
                (
                    f"action: connection {evidence.connection.number} was given the same SSL_SESSION object that "
                    f"connection {evidence.origin.connection.number} had ({session.taken_by})"
                ),
                *first.evidence,
                *known(session),
                *(line for event in more for line in event.evidence),
            ),
            remedy=first.remedy,
            source=first.source,
        ),
    )


def _closed(origin: Connection) -> list[Event]:
    """What closing a connection did to its session, by the client's alerts on the wire."""
    alerts = origin.transcript.alerts
    fatal = [alert for alert in alerts if alert.fatal and alert.number != CLOSE_NOTIFY]
    notified = any(alert.number == CLOSE_NOTIFY and alert.sender is Role.CLIENT for alert in alerts)
    number = origin.number
    if notified or (origin.close not in UNCLEAN and not fatal):
        return []
    seen = [f"wire: {alert} in connection {number}" for alert in fatal]
    how = UNCLEAN.get(origin.close, "a fatal alert ended it")
    return [
        Event(
            f"connection {number} made the session non-resumable: {how}",
            (f"wire: the client sent no close_notify in connection {number} (close mode {origin.close})", *seen),
            "call SSL_shutdown before SSL_free, or save the session as data (i2d_SSL_SESSION), which stays valid",
            "SSL_free: ssl_clear_bad_session; ssl3_send_alert; SSL_get_session(3)",
        )
    ]


def _kept_too_late(origin: Origin) -> Event:
    """It was not resumable any more when it was kept."""
    duplicated = bool(how_kept(origin).get("duplicate"))
    return Event(
        f"the session was not resumable any more when it was {'duplicated' if duplicated else 'kept'} on connection "
        f"{origin.connection.number}",
        (f"action: connection {origin.connection.number} duplicated its object (SSL_SESSION_dup)",)
        if duplicated
        else (),
        "keep it, or duplicate it, before it is used or its connection fails",
        "SSL_SESSION_dup: ssl_session_dup_intern copies not_resumable" if duplicated else "SSL_SESSION_is_resumable(3)",
    )


def _used(used: Connection) -> list[Event]:
    """What its last use did to it. Nothing before marked it: it would not have been offered.

    TLS 1.3 marks a used session. Before TLS 1.3, the connection keeps the object until a new ticket replaces it.
    """
    if version_of(used) is TLSVersion.TLSv1_3 and completed(used):
        if cache_mode(used) & AS_CLIENT:
            return [_used_once(used)]
        return [] if any(used.ticket_counts()) else _closed(used)
    return _closed(used)


def _used_once(used: Connection) -> Event:
    return Event(
        f"the session was used before: connection {used.number} resumed it, and a caching client can use a TLS 1.3 "
        "session object only once",
        (
            f"action: connection {used.number} was given the same object",
            f"setup: the client of connection {used.number} caches by the mode {words(cache_mode(used))}",
        ),
        f"offer the session that connection {used.number} yielded, or a copy made with d2i_SSL_SESSION",
        "tls_finish_handshake: SSL_CTX_remove_session; RFC 8446, C.4",
    )


def _forgotten(evidence: Evidence) -> list[Event]:
    """Whether the client's own cache flushed or evicted it."""
    origin, now = evidence.origin, evidence.now
    if origin is None or now is None or not stores(origin.connection):
        return []
    events = [
        Event(
            f"the session of connection {origin.connection.number} expired under the client's own timeout and was "
            "flushed from its cache",
            (
                f"action: sessions expired at {action.values.get('at')} were flushed from the client's cache",
                *(knob_text(evidence.connection, Role.CLIENT, "timeout") if now.client.timeout is not None else ()),
            ),
            "raise the timeout of the client's context (SSL_CTX_set_timeout), or save the session as data",
            "SSL_CTX_flush_sessions(3)",
            Reason.EXPIRED_AT_CLIENT,
        )
        for action in evidence.actions(Role.CLIENT, "flush")
    ]
    size = now.client.cache_size
    since = [
        one.number
        for one in evidence.earlier
        if one.number > origin.connection.number
        and one.setup
        and history.context_of(one.setup, Role.CLIENT) == now.client_context
        and completed(one)
    ]
    if size and len(since) >= size:
        events.append(
            Event(
                f"the session of connection {origin.connection.number} was evicted from the client's cache of {size}",
                (
                    *knob_text(evidence.connection, Role.CLIENT, "cache_size"),
                    f"action: it has since stored the sessions of connection {', '.join(map(str, since))}",
                ),
                "enlarge the client's cache, or store nothing in it (SSL_SESS_CACHE_NO_INTERNAL_STORE)",
                "SSL_CTX_add_session: remove_session_lock",
            )
        )
    return events


def cache_mode(connection: Connection) -> frozenset[CacheMode]:
    """The session cache mode of a connection's client; empty if it is unknown."""
    if connection.setup is None:
        return frozenset()
    stack = connection.client.view.name.partition("@")[0]
    return connection.setup.client.cache_mode or OWN_MODES.get(stack, frozenset({CacheMode.SERVER}))


def words(mode: frozenset[CacheMode]) -> str:
    """A mode as a user types it."""
    return ",".join(sorted(mode))


def stores(connection: Connection) -> bool:
    """Whether the client's context keeps its sessions in its own cache."""
    mode = cache_mode(connection)
    kept = bool(mode & AS_CLIENT)
    return kept and not mode & {CacheMode.NO_INTERNAL_STORE, CacheMode.NO_INTERNAL}
