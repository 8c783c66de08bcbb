"""How a session was lost from a server's cache: removed, flushed, expired, dropped with its connection, evicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.absence import Absence
from harness.explain.expiry import DEFAULT_TIMEOUT, aged, had_expired
from harness.model.tls import Close, Mechanism, Outcome, Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.explain.evidence import Evidence
    from harness.explain.offer import Offer

UNCLEAN = {Close.CLIENT_ONLY, Close.EOF, Close.RST}
"""Ways to close in which the server sends no close_notify (ssl_clear_bad_session asks for SSL_SENT_SHUTDOWN)."""


def lost(offer: Offer) -> Iterator[Absence]:
    """Every way that the circumstances tell of, the most direct one first."""
    for find in (_removed, _flushed, _expired_before, _killed, _unclean, _evicted):
        yield from find(offer)


def _removed(offer: Offer) -> Iterator[Absence]:
    for action in offer.evidence.actions(Role.SERVER, "remove"):
        if action.values.get("found") and action.values.get("session_id") == offer.identity:
            yield Absence(
                "the session was removed from the server's cache",
                ("done: SSL_CTX_remove_session of its id, which found it",),
                "do not remove it",
                "SSL_CTX_remove_session(3)",
            )


def _flushed(offer: Offer) -> Iterator[Absence]:
    until = _expires(offer.evidence)
    for action in offer.evidence.actions(Role.SERVER, "flush"):
        at = action.values.get("at")
        if at == 0 or until is None or (isinstance(at, int) and at > until):
            yield Absence(
                "the session was flushed from the server's cache",
                (f"done: SSL_CTX_flush_sessions({at})" + ("" if until is None else f"; it expires at {until}"),),
                "flush what has expired alone (the present time), or give sessions more time",
                "SSL_CTX_flush_sessions(3); 0 flushes all",
            )


def _expires(evidence: Evidence) -> int | None:
    """When it expires by the server's timeout; a client's copy has its own."""
    made = evidence.origin.session.get("time") if evidence.origin else None
    if not isinstance(made, int) or evidence.then is None or evidence.actions(Role.SERVER, "age_sessions"):
        return None
    timeout = evidence.then.server.timeout
    return made + (DEFAULT_TIMEOUT if timeout is None else timeout)


def _expired_before(offer: Offer) -> Iterator[Absence]:
    seen = offer.first_declined_here
    if offer.by is Mechanism.PSK or seen is None or not had_expired(seen):
        return  # what tls_parse_ctos_psk finds expired stays in the cache
    number = seen.connection.number
    yield Absence(
        f"the session had expired when connection {number} offered it, and was removed then",
        (f"circumstances: in connection {number} {seen.told('timeouts')}; {aged(seen)}",),
        "resume earlier, or give sessions more time at the server (SSL_CTX_set_timeout)",
        "ssl_get_prev_session removes what it finds expired",
    )


def _killed(offer: Offer) -> Iterator[Absence]:
    for one in offer.offered_here_before:
        if not one.disagreement and one.observed_outcome() is Outcome.ABORTED:
            yield Absence(
                f"connection {one.number} offered the session and was aborted, which removes it from the cache",
                (f"circumstances: connection {one.number} ended in {one.observed_alert() or 'no alert'}",),
                "mend what aborts that connection; take a new session",
                "ssl3_send_alert, ssl3_read_bytes: a fatal alert calls SSL_CTX_remove_session (RFC 5246, 7.2.2)",
            )


def _unclean(offer: Offer) -> Iterator[Absence]:
    evidence = offer.evidence
    origin = evidence.origin
    if origin is None or evidence.same_server is False:
        return
    resumed = [one for one in offer.offered_here_before if one.observed_mechanism]
    for one in (origin.connection, *resumed):
        if one.close in UNCLEAN:
            yield Absence(
                f"connection {one.number} ended without a close_notify from the server, which drops its session",
                (f"circumstances: connection {one.number} was closed by {one.close}",),
                "close with SSL_shutdown at the server (or SSL_set_shutdown, or SSL_CTX_set_quiet_shutdown)",
                "ssl_clear_bad_session, which SSL_free calls; SSL_shutdown(3)",
            )


def _evicted(offer: Offer) -> Iterator[Absence]:
    evidence = offer.evidence
    origin = evidence.origin
    if origin is None or evidence.same_server is not True:
        return
    then, now = origin.connection.counters, evidence.counters_before
    was, grown = (then.overflows if then else None), (now.overflows if now else None)
    if was is not None and grown is not None and grown > was:
        size = now.cache_size if now and now.cache_size is not None else "so many"
        yield Absence(
            "the session was evicted, for the server's cache was full",
            (
                f"counters: overflows rose from {was} to {grown} since connection {origin.connection.number}",
                f"counters: the cache holds at most {size} sessions",
            ),
            "make the cache larger (SSL_CTX_sess_set_cache_size)",
            "SSL_CTX_add_session removes the oldest; SSL_CTX_sess_set_cache_size(3)",
        )
