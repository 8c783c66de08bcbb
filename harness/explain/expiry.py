"""Whether the offered session had expired, at the client or at the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.vocabulary import ExternalGet, default_timeout
from harness.explain.facts import history
from harness.explain.facts.clocks import age_at_client, age_at_server, issued_in
from harness.explain.facts.history import CLOCK_ACTIONS
from harness.explain.facts.index import upto
from harness.explain.facts.negotiated import version_of
from harness.explain.finding import Candidate, Weight, release_of
from harness.explain.remedies import A_WEEK, longer
from harness.model.connection import HANDLE
from harness.model.reason import Finding, Reason
from harness.model.tls import Mechanism, Role, TLSVersion

if TYPE_CHECKING:
    from harness.explain.facts.evidence import Evidence
    from harness.explain.facts.offer import Offer
    from harness.model.session import Session
    from harness.model.setup import Action

WHOLE_SECONDS = ("1.", "3.0.", "3.1.")
"""Prefixes of the versions before 3.2, which brought OSSL_TIME: they go by whole seconds."""
ROUNDING = 1
"""Seconds by which tls_construct_ctos_psk makes a ticket younger."""
WITHIN_A_WEEK = "resume within a week: a longer timeout at the server changes nothing, as TLS 1.3 allows no more"
EARLIER = (
    "resume within the ticket's lifetime, or raise it at the server (SSL_CTX_set_timeout; at most a week in TLS 1.3)"
)
SLACK = 2
"""Seconds by which an age computed from both clocks may be wrong."""


def expired_at_client(evidence: Evidence, session: Session) -> tuple[Finding, ...]:
    """Whether the client omitted a TLS 1.3 ticket because it was too old (RFC 8446, 4.2.11.1).

    Empty if its age or its lifetime is unknown. In TLS 1.2 the lifetime is a hint, which OpenSSL's client ignores.
    """
    version = session.get("version") or (version_of(evidence.origin.connection) if evidence.origin else None)
    age, hint = age_at_client(evidence), lifetime(evidence, session)
    if version is not TLSVersion.TLSv1_3 or age is None or hint is None:
        return ()
    if age < 0 and unsigned(evidence):
        title = f"the session's time is {-age} seconds ahead of the client's clock, so its computed age is 136 years"
        remedy = "correct the client's clock: it went back, or the clock that the session comes from runs ahead"
        source = "tls_construct_ctos_psk: before 3.2 agesec = (uint32_t)(time(NULL) - s->session->time)"
    elif age - ROUNDING > hint and (sent := set_on_wire(evidence, session)) is not None and sent > hint == A_WEEK:
        title = (
            f"the ticket was {age} seconds old by its client's clock, and this client keeps none for more than "
            f"{A_WEEK} seconds: it cut the {sent} that the server set"
        )
        remedy = WITHIN_A_WEEK
        source = "RFC 8446, 4.6.1: at most 604800 seconds; tls_process_new_session_ticket since 3.5.9, 3.6.5 and 4.0.3"
    elif age - ROUNDING > hint:
        title = f"the ticket was {age} seconds old by its client's clock, but its lifetime is {hint} seconds"
        remedy = WITHIN_A_WEEK if hint >= A_WEEK else EARLIER
        source = "tls_construct_ctos_psk: tick_lifetime_hint; RFC 8446, 4.2.11.1"
    else:
        return ()
    edited = ("action: the session's time was edited",)
    seen = (
        age_text(evidence, session),
        *_lifetimes(evidence, session, hint),
        "wire: the ClientHello has no pre_shared_key",
        *(edited if "time" in evidence.edits else ()),
        *_clock_moves(evidence),
    )
    return (Finding(Reason.EXPIRED_AT_CLIENT, title, seen, remedy, source),)


def lifetime(evidence: Evidence, session: Session) -> int | None:
    """The ticket's lifetime in seconds: the session's, or that of the last ticket on the wire."""
    hint = session.get("lifetime_hint")
    if isinstance(hint, int):
        return hint
    tickets = evidence.origin.connection.transcript.tickets if evidence.origin else None
    return tickets[-1].lifetime if tickets else None


def set_on_wire(evidence: Evidence, session: Session) -> int | None:
    """The lifetime that the server gave to the session's ticket, in seconds; None if the wire does not show it."""
    tickets = evidence.origin.connection.transcript.tickets if evidence.origin else None
    same = [one for one in tickets or () if one.ticket == session.get("ticket")] or tickets
    return same[-1].lifetime if same else None


def _lifetimes(evidence: Evidence, session: Session, hint: int) -> list[str]:
    """The ticket's lifetime as the wire shows it, and as the client's copy has it if that is another one."""
    sent = set_on_wire(evidence, session)
    copy = f"session: the client's copy has a lifetime of {hint} seconds"
    if sent is None or evidence.origin is None:
        return [copy]
    number = evidence.origin.connection.number
    return [
        f"wire: the server gave the ticket a lifetime of {sent} seconds in connection {number}",
        *([copy] if sent != hint else []),
    ]


def unsigned(evidence: Evidence) -> bool:
    """Whether the client is an OpenSSL before 3.2, which computes ages without a sign."""
    return release_of(evidence.connection, Role.CLIENT).startswith(WHOLE_SECONDS)


def age_text(evidence: Evidence, session: Session) -> str:
    """The session's age by its client's clock; empty if unknown."""
    age = age_at_client(evidence)
    if age is None:
        return ""
    made = f" (time {session.time})" if session.get("time") is not None else ""
    return f"clocks: the session{made} was {age} seconds old by its client's clock"


def _clock_move(action: Action) -> str:
    if "passed" in action.values:
        return f"action: {action.values['passed']} s passed by the {action.role}'s clock"
    how = {"stop_clock": "was stopped at", "run_clock": "ran on from"}.get(action.name, "was moved by")
    return f"action: the {action.role}'s clock {how} {action.values.get('at', action.values.get('seconds'))}"


def _clock_moves(evidence: Evidence) -> tuple[str, ...]:
    return tuple(_clock_move(action) for action in evidence.actions(Role.CLIENT, *CLOCK_ACTIONS))


def expired_at_server(offer: Offer) -> Candidate | None:
    """The server found the session, but it had expired."""
    evidence = offer.evidence
    timeouts = evidence.counted("timeouts")
    timeout, age = timeout_of(evidence), age_of(evidence)
    known = tuple(
        [f"knob: the session's timeout at the server is {timeout} s"]
        * (timeout is not None and evidence.then is not None)
        + [f"clocks: the session is about {age} s old at the server"] * (age is not None)
        + [f"callback: get({offer.identity.hex()[:16]}…) returned expired"]
        * (offer.external_answer == ExternalGet.EXPIRED)
        + [
            f"action: age_sessions at the server, {action.values.get('seconds')}"
            if action.name == "age_sessions"
            else _clock_move(action)
            for action in evidence.actions(Role.SERVER, "age_sessions", *CLOCK_ACTIONS)
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
        (*((f"counters: {evidence.counter_text('timeouts')}",) if timeouts else ()), *known),
        longer(evidence, timeout, offer.version),
        "ssl_get_prev_session, sess_timedout; SSL_CTX_set_timeout(3)",
        "the server's timeout counter (SSL_CTX_sess_timeouts) rises by one",
    )


def _was_removed(offer: Offer) -> bool:
    """Whether the server removed it at an earlier offer because it had expired (ssl_get_prev_session).

    An OpenSSL before 1.1.0 calls no remove callback for a session that its own cache does not have.
    """
    if offer.by is Mechanism.PSK or offer.looked_up is not True or offer.external_answer == ExternalGet.EXPIRED:
        return False
    before = offer.first_declined_here
    return before is not None and had_expired(before)


def had_expired(evidence: Evidence) -> bool:
    """Whether the offered session had expired, by the counter, or by both clocks if the counter is unknown."""
    timeouts = evidence.counted("timeouts")
    timeout, age = timeout_of(evidence), age_of(evidence)
    return bool(timeouts) if timeouts is not None else timeout is not None and age is not None and age + SLACK > timeout


def aged(evidence: Evidence) -> str:
    """``7260 s old, timeout 7200 s``, as far as known."""
    age, timeout = age_of(evidence), timeout_of(evidence)
    known = ([f"{age} s old"] if age is not None else []) + ([f"timeout {timeout} s"] if timeout is not None else [])
    return ", ".join(known) or "its age is unknown"


IN_CACHE = (0, HANDLE)
"""Bytes of a ticket whose session is in the server's cache: none, or a handle."""


def _set_timeout(evidence: Evidence) -> int | None:
    """What SSL_SESSION_set_timeout gave it at the server: before it was issued, or since, if it is in the cache."""
    made = evidence.origin.connection if evidence.origin else None
    if made is None or made.setup is None or evidence.offered is None:
        return None
    issued = upto(evidence.earlier, made.number)
    length = evidence.offered.get("ticket_length")
    done = history.actions(issued, Role.SERVER, made.setup.server_context, "set_timeouts") if length else ()
    if length in IN_CACHE:
        done += evidence.actions(Role.SERVER, "set_timeouts")
    last = done[-1].values.get("seconds") if done else None
    return last if isinstance(last, int) else None


def timeout_of(evidence: Evidence) -> int | None:
    """The session's timeout at the server in seconds, by the knob, the default, or the hint on the wire."""
    if (changed := _set_timeout(evidence)) is not None:
        return changed
    issuer = issued_in(evidence)
    issuing = issuer.setup if issuer else None
    if issuer and issuing and (issuing.server.timeout or issuing.server_library.is_openssl):
        return issuing.server.timeout or default_timeout(release_of(issuer, Role.SERVER))
    hint = evidence.offered.get("lifetime_hint") if evidence.offered else None
    return hint if isinstance(hint, int) and hint else None


def age_of(evidence: Evidence) -> int | None:
    """The session's age in seconds by the server's clock; None if unknown.

    If the connections' times are unknown, the times of the sessions that the client received in them are used.
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
    """How many seconds an end's clock was moved since the session was created."""
    then, now = evidence.clock_then(role), evidence.clock(role)
    return None if then is None or now is None else now - then
