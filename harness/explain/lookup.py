"""Whether a server did not find the session in its cache: the lookup was off, it was used up, or it is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.absence import never_there
from harness.explain.candidate import Candidate, Weight
from harness.explain.loss import lost
from harness.explain.offer import HANDLE, single_use
from harness.model.knobs import CacheMode
from harness.model.reason import Reason
from harness.model.tls import Mechanism

if TYPE_CHECKING:
    from harness.explain.absence import Absence
    from harness.explain.offer import Offer

NO_LOOKUP = {CacheMode.NO_INTERNAL_LOOKUP, CacheMode.NO_INTERNAL}


def lookup_off(offer: Offer) -> Candidate | None:
    """SSL_SESS_CACHE_NO_INTERNAL_LOOKUP: no miss is counted then."""
    misses = offer.evidence.counted("misses")
    config = offer.server_config
    modes = config.cache_mode or frozenset() if config else None
    if misses or (modes is not None and not modes & NO_LOOKUP):
        return None
    counted = (f"counters: {offer.evidence.told('misses')}, though a session was offered",) if misses == 0 else ()
    knob = (f"knob: the server's cache_mode is {','.join(sorted(modes))}",) if modes else ()
    return Candidate(
        Weight.OPEN if modes is None else Weight.SHOWN,
        Reason.LOOKUP_OFF,
        "the server does not look for sessions in its cache",
        (*counted, *knob),
        "leave SSL_SESS_CACHE_NO_INTERNAL_LOOKUP away, or give the server a callback that finds sessions",
        "lookup_sess_in_cache; SSL_CTX_set_session_cache_mode(3)",
        "the server's cache mode; its counter of misses (SSL_CTX_sess_misses) stays where it was if it is this",
    )


def consumed(offer: Offer) -> Candidate | None:
    """Anti-replay: the first ClientHello that offers a session which allows early data removes it from the cache."""
    evidence = offer.evidence
    config = offer.server_config
    misses = evidence.counted("misses")
    if offer.by is not Mechanism.PSK or misses == 0 or (config is not None and not single_use(config)):
        return None
    before = offer.offered_here_before if config else evidence.offers_before
    own = evidence.retry is not None and evidence.same_server is True and (misses == 1 or not (misses or _why(offer)))
    if not before and not own:
        return None
    by = f"connection {before[0].number}" if before else "this connection's first ClientHello"
    knob = (f"knob: the server's max_early_data is {config.max_early_data}, and anti-replay is on",) if config else ()
    return Candidate(
        Weight.OPEN if config is None else Weight.SHOWN if misses else Weight.FITS,
        Reason.CONSUMED,
        f"the session may be used once, and {by} used it up",
        (
            f"circumstances: it was offered to this server by {by}",
            *knob,
            *((f"counters: {evidence.told('misses')}",) if misses else ()),
        ),
        "offer each session once, or switch anti-replay off (SSL_OP_NO_ANTI_REPLAY) if the application guards itself",
        "RFC 8446, 8.1; tls_parse_ctos_psk calls SSL_CTX_remove_session; SSL_CTX_set_options(3)",
        "offer a session that was not offered before",
    )


def not_in_cache(offer: Offer) -> Candidate | None:
    """The server looked, and it was not there."""
    evidence = offer.evidence
    misses = evidence.counted("misses")
    too_long = offer.by is Mechanism.PSK and len(offer.identity) != HANDLE and offer.looked_up is True
    if misses == 0 and not too_long:
        return None
    why = _why(offer)
    weight = Weight.SHOWN if misses or too_long else Weight.FITS if why else Weight.OPEN
    first = why[0] if why else None
    return Candidate(
        weight,
        Reason.NOT_IN_CACHE,
        first.title if first else "the session is not in the server's cache, and nothing seen says why",
        (
            *((f"counters: {evidence.told('misses')}",) if misses else ()),
            *(fact for absence in why for fact in absence.evidence),
        ),
        first.remedy if first else "look at what else uses the server's cache",
        first.source if first else "lookup_sess_in_cache; SSL_CTX_sess_number(3)",
        "the server's counter of misses (SSL_CTX_sess_misses) rises if it is this",
    )


def _why(offer: Offer) -> tuple[Absence, ...]:
    """Every way in which the circumstances tell that it came not to be there, the most direct one first."""
    return (*never_there(offer), *lost(offer))
