"""Whether a session had expired at the server: by its counter of time-outs, or by both clocks; no other reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.candidate import Candidate, Weight
from harness.explain.clocks import age_at_server
from harness.model.reason import Reason
from harness.model.tls import Mechanism, Role

if TYPE_CHECKING:
    from harness.explain.evidence import Evidence
    from harness.explain.offer import Offer

DEFAULT_TIMEOUT = 7200
"""Seconds (SSL_get_default_timeout)."""
SLACK = 2
"""Seconds by which an age that both clocks give may be wrong."""


def expired_at_server(offer: Offer) -> Candidate | None:
    """The server found the session, and it was too old."""
    evidence = offer.evidence
    timeouts = evidence.counted("timeouts")
    timeout, age = timeout_of(evidence), age_of(evidence)
    known = tuple(
        [f"knob: the session's server gave it {timeout} s"] * (timeout is not None)
        + [f"clocks: it is about {age} s old at the server"] * (age is not None)
        + [
            f"done: {action.name} of the server by {action.values.get('seconds', action.values.get('at'))}"
            for action in evidence.actions(Role.SERVER, "age_sessions", "move_clock", "stop_clock")
        ]
    )
    if timeouts is not None:
        weight = Weight.SHOWN if timeouts else None
    elif timeout is None or age is None:
        weight = Weight.OPEN
    else:
        weight = Weight.FITS if age + SLACK > timeout or timeout < 0 else None
    if weight is None or _was_removed(offer):
        return None
    return Candidate(
        weight,
        Reason.EXPIRED_AT_SERVER,
        "the session had expired at the server",
        (*((f"counters: {evidence.told('timeouts')}",) if timeouts else ()), *known),
        "resume earlier, or give sessions more time at the server (SSL_CTX_set_timeout)",
        "ssl_get_prev_session, sess_timedout; SSL_CTX_set_timeout(3)",
        "the server's counter of time-outs (SSL_CTX_sess_timeouts) rises by one if it is this",
    )


def _was_removed(offer: Offer) -> bool:
    """Whether it had expired when it was offered before, and is no longer in the cache (ssl_get_prev_session)."""
    if offer.by is Mechanism.PSK or offer.looked_up is not True:
        return False
    before = offer.first_declined_here
    return before is not None and had_expired(before)


def had_expired(evidence: Evidence) -> bool:
    """Whether the session of a connection had expired, by the counter, or by both clocks where nobody counts."""
    timeouts = evidence.counted("timeouts")
    timeout, age = timeout_of(evidence), age_of(evidence)
    return bool(timeouts) if timeouts is not None else timeout is not None and age is not None and age + SLACK > timeout


def aged(evidence: Evidence) -> str:
    """``7260 s old, of 7200 s``."""
    return f"{age_of(evidence)} s old, of {timeout_of(evidence)} s"


def timeout_of(evidence: Evidence) -> int | None:
    """The seconds that the server gave the session, by its knob or by the hint that it sent."""
    if evidence.then is not None:
        return DEFAULT_TIMEOUT if evidence.then.server.timeout is None else evidence.then.server.timeout
    hint = evidence.offered.get("lifetime_hint") if evidence.offered else None
    return hint if isinstance(hint, int) and hint else None


def age_of(evidence: Evidence) -> int | None:
    """How old the session is by the server's clock, in seconds; None if nothing is known.

    Where nobody told when the connections were, the time that truly passed is taken from the sessions that the client
    got then and now, by its own clock.
    """
    if evidence.origin is None or evidence.actions(Role.SERVER, "age_sessions"):
        return None
    age = age_at_server(evidence)
    if age is not None:
        return age
    moved = {role: _moved(evidence, role) for role in Role}
    client, server = moved[Role.CLIENT], moved[Role.SERVER]
    if client is None or server is None:
        return None
    made = evidence.origin.session.get("time")
    renewed = evidence.connection.last_session.get("time") if evidence.connection.last_session else None
    passed = renewed - made - client if isinstance(made, int) and isinstance(renewed, int) else 0
    return max(passed, 0) + server


def _moved(evidence: Evidence, role: Role) -> int | None:
    """How many seconds an end's clock was moved between the session's making and now."""
    then, now = evidence.clock_then(role), evidence.clock(role)
    return None if then is None or now is None else now - then
