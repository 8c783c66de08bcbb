"""Whether a TLS 1.3 ticket was too old for its client, which then leaves it out (RFC 8446, 4.2.11.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.agreed import version_of
from harness.explain.clocks import age_at_client
from harness.model.reason import Finding, Reason
from harness.model.tls import Role, TLSVersion

if TYPE_CHECKING:
    from harness.explain.evidence import Evidence
    from harness.model.session import Session

UNSIGNED = ("1.", "3.0.", "3.1.")
"""How the versions before 3.2 begin, with which OSSL_TIME came."""
ROUNDING = 1
"""Seconds by which tls_construct_ctos_psk takes a ticket to be younger than it is."""


def findings(evidence: Evidence, session: Session) -> tuple[Finding, ...]:
    """The reason; empty if the ticket was young enough, or its age or its lifetime is unknown.

    In TLS 1.2 the hint is one, and OpenSSL's client never looks at it.
    """
    version = session.get("version") or (version_of(evidence.origin.connection) if evidence.origin else None)
    age, hint = age_at_client(evidence), lifetime(evidence, session)
    if version is not TLSVersion.TLSv1_3 or age is None or hint is None:
        return ()
    if age < 0 and unsigned(evidence):
        title = (
            f"the session's time is {-age} seconds in the future of its client, which takes that for 136 years of age"
        )
        remedy = "set the client's clock right: it has gone back, or the session comes from a clock that runs ahead"
        source = "tls_construct_ctos_psk: before 3.2 agesec = (uint32_t)(time(NULL) - s->session->time)"
    elif age - ROUNDING > hint:
        title = f"the ticket was {age} seconds old for its client, and its lifetime is {hint}"
        remedy = (
            "resume within the ticket's lifetime, or let the server give it a longer one (SSL_CTX_set_timeout, in "
            "TLS 1.3 at most a week)"
        )
        source = "tls_construct_ctos_psk: tick_lifetime_hint; RFC 8446, 4.2.11.1"
    else:
        return ()
    edited = ("done: the session was edited, its time is not the one that it was yielded with",)
    seen = (
        age_text(evidence, session),
        f"session: the server gave the ticket a lifetime of {hint} seconds",
        "wire: the ClientHello has no pre_shared_key",
        *(edited if "time" in evidence.edits else ()),
        *_moved(evidence),
    )
    return (Finding(Reason.EXPIRED_AT_CLIENT, title, seen, remedy, source),)


def lifetime(evidence: Evidence, session: Session) -> int | None:
    """Seconds that the server gave the ticket; of a session that does not tell it, as the last ticket on the wire."""
    hint = session.get("lifetime_hint")
    if isinstance(hint, int):
        return hint
    tickets = evidence.origin.connection.transcript.tickets if evidence.origin else None
    return tickets[-1].lifetime if tickets else None


def unsigned(evidence: Evidence) -> bool:
    """Whether the client is an OpenSSL before 3.2, which reckons ages without a sign."""
    return evidence.connection.client.view.name.partition("@")[2].startswith(UNSIGNED)


def age_text(evidence: Evidence, session: Session) -> str:
    """How old the session was for its client; empty if that is unknown."""
    age = age_at_client(evidence)
    if age is None:
        return ""
    made = f", of time {session.time}," if session.get("time") is not None else ""
    return f"clocks: for the client the session{made} was {age} seconds old"


def _moved(evidence: Evidence) -> tuple[str, ...]:
    return tuple(
        f"done: the client's clock was {'stopped at' if action.name == 'stop_clock' else 'moved by'} "
        f"{next((v for n, v in action.values.items() if n != 'context'), '')}"
        for action in evidence.actions(Role.CLIENT, "move_clock", "stop_clock")
    )
