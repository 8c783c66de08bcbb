"""Why a server did not find the session in its cache: no lookup, already used, never stored, or lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.explain.expiry import aged, had_expired, timeout_of
from harness.explain.facts.offer import single_use
from harness.explain.finding import Candidate, Weight, knob_text
from harness.explain.remedies import KEYS, by_knob, longer, other_cache, shares_keys, stateful
from harness.explain.ticket import first_difference, server_change
from harness.model.connection import HANDLE
from harness.model.knobs import UNSET, CacheMode, Verify
from harness.model.reason import Reason
from harness.model.tls import Close, Mechanism, Outcome, Role, TLSVersion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.explain.facts.evidence import Evidence
    from harness.explain.facts.offer import Offer
    from harness.model.connection import Connection

NO_LOOKUP = {CacheMode.NO_INTERNAL_LOOKUP, CacheMode.NO_INTERNAL}
NO_STORE = {CacheMode.NO_INTERNAL_STORE, CacheMode.NO_INTERNAL}
STORES = {CacheMode.SERVER, CacheMode.BOTH}
OWN_RETRY = (
    "send a first key share for a group that the server supports, so that no HelloRetryRequest makes the client offer "
    "the session twice"
)
UNCLEAN = {
    *(Close.CLIENT_ONLY, Close.EOF, Close.RST, Close.FREE, Close.UNREAD),
    Close.EOF_READ_SHUTDOWN,
}
"""Close modes in which the server sends no close_notify (ssl_clear_bad_session checks SSL_SENT_SHUTDOWN)."""


@dataclass(frozen=True, slots=True)
class Absence:
    """One reason why the session is not in the cache."""

    title: str
    evidence: tuple[str, ...]
    remedy: str
    source: str


def lookup_off(offer: Offer) -> Candidate | None:
    """The server does not look up sessions (SSL_SESS_CACHE_NO_INTERNAL_LOOKUP) and counts no misses."""
    misses = offer.evidence.counted("misses")
    if offer.external_answer is not None:
        return None
    config = offer.server_config
    modes = config.cache_mode or frozenset() if config else None
    if misses or (modes is not None and not modes & NO_LOOKUP):
        return None
    counted = (
        (f"counters: {offer.evidence.counter_text('misses')}, although a session was offered",) if misses == 0 else ()
    )
    knob = knob_text(offer.evidence.connection, Role.SERVER, "cache_mode") if modes else ()
    return Candidate(
        Weight.OPEN if modes is None else Weight.SHOWN,
        Reason.LOOKUP_OFF,
        "the server does not look up sessions in its cache",
        (*counted, *knob),
        "do not set SSL_SESS_CACHE_NO_INTERNAL_LOOKUP, or give the server a callback that finds sessions",
        "lookup_sess_in_cache; SSL_CTX_set_session_cache_mode(3)",
        "the server's cache mode; its miss counter (SSL_CTX_sess_misses) does not rise",
    )


def consumed(offer: Offer) -> Candidate | None:
    """Anti-replay: the first offer of a session that allows early data removes it from the cache."""
    evidence = offer.evidence
    config = offer.server_config
    misses = evidence.counted("misses")
    if offer.by is not Mechanism.PSK or misses == 0 or (config is not None and not single_use(config)):
        return None
    before = _used_by(offer) if config else evidence.offers_before
    own = evidence.retry is not None and evidence.same_server is True and (misses == 1 or not (misses or _why(offer)))
    if not before and not own:
        return None
    by = f"connection {before[0].number}" if before else "this connection's first ClientHello"
    knob = [
        line for name in ("max_early_data", "anti_replay") for line in knob_text(evidence.connection, Role.SERVER, name)
    ]
    return Candidate(
        Weight.OPEN if config is None else Weight.SHOWN if misses else Weight.FITS,
        Reason.CONSUMED,
        f"the session can be used only once, and {by} used it",
        (
            f"setup: {by} offered it to this server",
            *knob,
            *((f"counters: {evidence.counter_text('misses')}",) if misses else ()),
        ),
        ("offer each session once" if before else OWN_RETRY)
        + ", or disable anti-replay (SSL_OP_NO_ANTI_REPLAY) if the application prevents replay",
        "RFC 8446, 8.1; tls_parse_ctos_psk calls SSL_CTX_remove_session; SSL_CTX_set_options(3)",
        "offer a session that was not offered before",
    )


def _used_by(offer: Offer) -> tuple[Connection, ...]:
    """The connections that may have used the session up, first the one that resumed it: others were made beside it."""
    before, beside = offer.offered_here_before, offer.used_beside
    resumed = tuple(one for one in before if one.observed_mechanism)
    return (*resumed, *beside) or before


def not_in_cache(offer: Offer) -> Candidate | None:
    """The server looked up the session and did not find it."""
    evidence = offer.evidence
    if offer.version is TLSVersion.TLSv1_3 and offer.by is not Mechanism.PSK:
        return None  # a server looks such a session up for an identity alone, and the client sends none
    if offer.external_answer is not None and offer.external_answer not in NO_ANSWER:
        return None  # OpenSSL counts a miss of its own cache before it asks the callback (lookup_sess_in_cache)
    misses = evidence.counted("misses")
    too_long = offer.by is Mechanism.PSK and len(offer.identity) != HANDLE and offer.looked_up is True
    unanswered = offer.external_answer in NO_ANSWER
    if misses == 0 and not too_long and not unanswered:
        return None
    why = _why(offer)
    weight = Weight.SHOWN if misses or too_long or unanswered else Weight.FITS if why else Weight.OPEN
    first = why[0] if why else None
    return Candidate(
        weight,
        Reason.NOT_IN_CACHE,
        first.title if first else "the session is not in the server's cache, but no evidence says why",
        (
            *((f"counters: {evidence.counter_text('misses')}",) if misses else ()),
            *(fact for absence in why for fact in absence.evidence),
        ),
        first.remedy if first else "check what else uses the server's cache",
        first.source if first else "lookup_sess_in_cache; SSL_CTX_sess_number(3)",
        "the server's miss counter (SSL_CTX_sess_misses) rises",
    )


def _why(offer: Offer) -> tuple[Absence, ...]:
    """Every cause that the evidence shows, the most direct first."""
    return tuple(_other_id(offer)) or tuple(_external(offer)) or (*never_there(offer), *lost(offer))


def _other_id(offer: Offer) -> Iterator[Absence]:
    """The id, or the handle in a ticket of TLS 1.3, is not the one that the server made."""
    issued = offer.issued_id
    if not issued or issued == offer.identity:
        return
    first = first_difference(issued, offer.identity)
    yield Absence(
        "the offered session id differs from the issued one",
        (
            f"session: a session id of {len(issued)} bytes was issued",
            f"wire: a session id of {len(offer.identity)} bytes was offered, which differs from byte {first} on",
        ),
        "offer the session id unchanged; check the code that stores and transfers sessions",
        "lookup_sess_in_cache; RFC 5246, 7.4.1.2",
    )


NO_ANSWER = {
    "absent": ("has no session with this id", "let all servers that share sessions use one external cache"),
    "nothing": ("returns no session", "let the get callback return the session that the cache holds"),
    "unreadable": (
        "has the session, and this OpenSSL cannot read it (d2i_SSL_SESSION)",
        "give servers of releases that cannot read each other's sessions an external cache each",
    ),
    "other_id": (
        "returns a session with another id, which this OpenSSL does not use",
        "let the get callback return the session with the id that it was asked for",
    ),
    "not_resumable": (
        "returns a session that is marked as not resumable",
        "store the DER of a session (i2d_SSL_SESSION), not its object, which a failed connection marks",
    ),
}
"""What a get callback said where the server goes on without a session, in words, with the remedy."""


def _external(offer: Offer) -> Iterator[Absence]:
    answer = offer.external_answer
    if answer in NO_ANSWER:
        words, remedy = NO_ANSWER[answer]
        yield Absence(
            f"the external cache {words}",
            (f"callback: get({offer.identity.hex()[:16]}…) returned {answer}",),
            remedy,
            "lookup_sess_in_cache; SSL_CTX_sess_set_get_cb(3)",
        )


def never_there(offer: Offer) -> Iterator[Absence]:
    """Why it was never stored."""
    in_ticket = tuple(_in_a_ticket(offer))
    yield from in_ticket
    for find in (*(() if in_ticket else (_other_server,)), _not_stored, _not_trusted):
        yield from find(offer)


def _other_server(offer: Offer) -> Iterator[Absence]:
    if offer.evidence.same_server is False:
        yield Absence(
            "the session is in the cache of another server",
            server_change(offer.evidence),
            other_cache(offer.evidence, tls13=offer.by is Mechanism.PSK),
            "each SSL_CTX has its own cache; SSL_CTX_set_session_cache_mode(3)",
        )


def _in_a_ticket(offer: Offer) -> Iterator[Absence]:
    issued = offer.issued if offer.issued is not None else b""
    if offer.looked_up is not True:
        return
    if offer.by is Mechanism.PSK:
        if len(offer.identity) != HANDLE:
            yield Absence(
                "the session is in its ticket, but this server accepts only handles of its cache",
                (
                    f"wire: the offered ticket has {len(offer.identity)} bytes, a handle has {HANDLE}",
                    *server_change(offer.evidence),
                ),
                _accept_tickets(offer),
                "tls_get_stateful_ticket",
            )
    elif issued:
        sent = f"a ticket of {len(issued)} bytes" if offer.by is Mechanism.SESSION_TICKET else "no ticket"
        answer = offer.evidence.connection.transcript.server_hellos[-1]
        if answer.session_ticket is not None:
            yield Absence(
                "the session is in its ticket, which was taken out of it, and was never in a cache",
                (
                    f"session: it has a ticket of {len(issued)} bytes",
                    f"wire: offered by session id, {len(offer.identity)} bytes",
                    *server_change(offer.evidence),
                ),
                "offer the session with its ticket",
                "tls_get_ticket_from_client; a server that issues a ticket sends no session id",
            )
            return
        yield Absence(
            "the session is in its ticket, which was not read, and was never in a cache",
            (
                f"session: it has a ticket of {len(issued)} bytes",
                f"wire: the ClientHello has {sent}, and the ServerHello does not announce a new one",
                *server_change(offer.evidence),
            ),
            _send_and_read_tickets(offer),
            "tls_use_ticket, tls_get_ticket_from_client; a server that issues a ticket sends no session id",
        )


def _accept_tickets(offer: Offer) -> str:
    """What makes a TLS 1.3 server that accepts only handles read a ticket of the issuing server."""
    evidence = offer.evidence
    other = evidence.same_server is False and not shares_keys(evidence)
    changes = (*stateful(offer.server_config), *([f"{KEYS} (SSL_CTX_set_tlsext_ticket_keys)"] if other else []))
    return " and ".join(changes) or "make the server issue tickets, not handles of its cache"


def _send_and_read_tickets(offer: Offer) -> str:
    """What makes a TLS 1.2 session that is in its ticket resume, by the end that does not use tickets."""
    evidence = offer.evidence
    end = "server" if offer.by is Mechanism.SESSION_TICKET else "client"
    keys = evidence.same_server is False and not shares_keys(evidence)
    return f"enable tickets at the {end} (clear SSL_OP_NO_TICKET)" + (f", and {KEYS}" if keys else "")


def _issuing_knob(evidence: Evidence, name: str) -> tuple[str, ...]:
    """A knob of the server in the connection that yielded the session."""
    return knob_text(evidence.origin.connection, Role.SERVER, name, here=False) if evidence.origin else ()


def _not_stored(offer: Offer) -> Iterator[Absence]:
    then = offer.evidence.then
    if then and then.server.not_resumable is not None:
        yield Absence(
            "the issuing server's callback makes its sessions not resumable",
            _issuing_knob(offer.evidence, "not_resumable"),
            "let the callback return 0 (SSL_CTX_set_not_resumable_session_callback)",
            "tls_post_process_client_hello; ssl_update_cache",
        )
    modes = then.server.cache_mode if then else None
    if modes and (modes & NO_STORE or not modes & STORES):
        yield Absence(
            "the issuing server does not store sessions",
            _issuing_knob(offer.evidence, "cache_mode"),
            by_knob(
                offer.evidence,
                Role.SERVER,
                "cache_mode",
                frozenset({CacheMode.SERVER}),
                "make the server store sessions (SSL_SESS_CACHE_SERVER without SSL_SESS_CACHE_NO_INTERNAL_STORE)",
            ),
            "ssl_update_cache; SSL_CTX_set_session_cache_mode(3)",
        )


def _not_trusted(offer: Offer) -> Iterator[Absence]:
    then = offer.evidence.then
    if then and then.server.session_id_context is UNSET and then.server.verify not in {None, Verify.NONE}:
        yield Absence(
            "the issuing server verifies its clients but has no session id context, so it does not store sessions",
            (*_issuing_knob(offer.evidence, "verify"), *_issuing_knob(offer.evidence, "session_id_context")),
            by_knob(
                offer.evidence,
                Role.SERVER,
                "session_id_context",
                b"context",
                "call SSL_CTX_set_session_id_context at the server",
            ),
            "ssl_update_cache",
        )


def lost(offer: Offer) -> Iterator[Absence]:
    """How it was lost, the most direct cause first."""
    for find in (_removed, _flushed, _expired_before, _killed, _unclean, _evicted):
        yield from find(offer)


def _removed(offer: Offer) -> Iterator[Absence]:
    for action in offer.evidence.actions(Role.SERVER, "remove"):
        if action.values.get("found") and action.values.get("session_id") == offer.identity:
            yield Absence(
                "the session was removed from the server's cache",
                ("action: SSL_CTX_remove_session found and removed it",),
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
                (f"action: SSL_CTX_flush_sessions({at})",),
                "flush only expired sessions: pass the current time, as 0 flushes all"
                if at == 0
                else longer(offer.evidence, timeout_of(offer.evidence), offer.version),
                "SSL_CTX_flush_sessions(3); 0 flushes all",
            )


def _expires(evidence: Evidence) -> int | None:
    """When it expires by the server's timeout; the client's copy has a separate one."""
    made = evidence.origin.session.get("time") if evidence.origin else None
    timeout = timeout_of(evidence)
    if not isinstance(made, int) or timeout is None or evidence.actions(Role.SERVER, "age_sessions"):
        return None
    return made + timeout


def _expired_before(offer: Offer) -> Iterator[Absence]:
    seen = offer.first_declined_here
    if offer.by is Mechanism.PSK or seen is None or not had_expired(seen):
        return  # tls_parse_ctos_psk leaves expired sessions in the cache
    number = seen.connection.number
    yield Absence(
        f"the session had expired when connection {number} offered it ({aged(seen)}), and was then removed",
        (f"counters: in connection {number} {seen.counter_text('timeouts')}",),
        longer(offer.evidence, timeout_of(seen), offer.version),
        "ssl_get_prev_session removes what it finds expired",
    )


def _killed(offer: Offer) -> Iterator[Absence]:
    for one in offer.offered_here_before:
        if not one.disagreement and one.observed_outcome() is Outcome.ABORTED:
            yield Absence(
                f"connection {one.number} offered the session and was aborted, which removed it from the cache",
                (f"setup: connection {one.number} ended with {one.observed_alert() or 'no alert'}",),
                "fix the cause of that abort; create a new session",
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
                f"connection {one.number} ended without a close_notify from the server, which dropped its session",
                (f"setup: the close mode of connection {one.number} was {one.close}",),
                "call SSL_shutdown at the server (or SSL_set_shutdown, or SSL_CTX_set_quiet_shutdown)",
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
        size = now.cache_size if now and now.cache_size is not None else "an unknown number of"
        yield Absence(
            "the session was evicted because the server's cache was full",
            (
                f"counters: overflows rose from {was} to {grown} since connection {origin.connection.number}",
                f"counters: the cache holds at most {size} sessions",
            ),
            by_knob(evidence, Role.SERVER, "cache_size", 20480, "make the cache larger (SSL_CTX_sess_set_cache_size)"),
            "SSL_CTX_add_session removes the oldest; SSL_CTX_sess_set_cache_size(3)",
        )
