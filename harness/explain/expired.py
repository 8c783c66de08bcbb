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

ROUNDING = 1
"""Seconds by which tls_construct_ctos_psk takes a ticket to be younger than it is."""


def findings(evidence: Evidence, session: Session) -> tuple[Finding, ...]:
    """The reason; empty if the ticket was young enough, or its age or its lifetime is unknown.

    In TLS 1.2 the hint is one, and OpenSSL's client never looks at it.
    """
    version = session.get("version") or (version_of(evidence.origin.connection) if evidence.origin else None)
    age, hint = age_at_client(evidence), session.get("lifetime_hint")
    if version is not TLSVersion.TLSv1_3 or age is None or not isinstance(hint, int) or age - ROUNDING <= hint:
        return ()
    edited = ("done: the session was edited, its time is not the one that it was yielded with",)
    return (
        Finding(
            Reason.EXPIRED_AT_CLIENT,
            f"the ticket was {age} seconds old for the client of connection {evidence.connection.number}, and its "
            f"lifetime is {hint}",
            (
                age_text(evidence, session),
                f"session: the server gave the ticket a lifetime of {hint} seconds",
                "wire: the ClientHello has no pre_shared_key",
                *(edited if "time" in evidence.edits else ()),
                *_moved(evidence),
            ),
            remedy="resume within the ticket's lifetime, or let the server give it a longer one (SSL_CTX_set_timeout, "
            "in TLS 1.3 at most a week)",
            source="tls_construct_ctos_psk: tick_lifetime_hint; RFC 8446, 4.2.11.1",
        ),
    )


def age_text(evidence: Evidence, session: Session) -> str:
    """How old the session was for its client; empty if that is unknown."""
    age = age_at_client(evidence)
    if age is None:
        return ""
    return f"clocks: for the client the session, of time {session.get('time')}, was {age} seconds old"


def _moved(evidence: Evidence) -> tuple[str, ...]:
    return tuple(
        f"done: the client's clock was {'stopped at' if deed.name == 'stop_clock' else 'moved by'} "
        f"{next((v for n, v in deed.values.items() if n != 'context'), '')}"
        for deed in evidence.deeds(Role.CLIENT, "move_clock", "stop_clock")
    )
