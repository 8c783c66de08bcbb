"""How long the session of a resumed connection lasts: its age, and the first age at which each end would not resume."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.expiry import ROUNDING, SLACK, WHOLE_SECONDS, age_text, lifetime, timeout_of
from harness.explain.facts.clocks import age_at_client, age_at_server, stands_still
from harness.explain.facts.evidence import gather
from harness.explain.facts.negotiated import version_of
from harness.explain.finding import release_of
from harness.model.errors import DisagreementError
from harness.model.reason import Expiry, Finding, Limit, Reason
from harness.model.tls import Mechanism, Outcome, Role, TLSVersion

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.explain.facts.evidence import Evidence
    from harness.model.connection import Connection

CLIENT13 = (
    "the ticket's lifetime is {lifetime} s, and the client takes one second off the age (tls_construct_ctos_psk; RFC "
    "8446, 4.2.11.1)"
)
CLIENT12 = "OpenSSL's client checks no age in TLS 1.2: the lifetime is a hint (RFC 5077, 3.3; SSL_SESSION_is_resumable)"
IN_SECONDS = "the timeout is {timeout} s, and the server declines what is older in whole seconds (ssl_get_prev_session)"
IN_FRACTIONS = (
    "the timeout is {timeout} s, and since 3.2 the server declines what is any fraction of a second older "
    "(sess_timedout, OSSL_TIME)"
)
OF_TICKET = f"{IN_FRACTIONS}; a ticket holds the session's time in whole seconds, rounded down"
STATEFUL = 32
"""Bytes of a TLS 1.3 ticket that is the id of a cached session (tls_get_stateful_ticket)."""


def expiry_of(connections: Sequence[Connection], connection: Connection) -> Expiry | None:
    """When the session that a connection resumed expires; ``connections`` are those of its pair.

    None if it was not resumed, or if neither end's limit is known. Does not mark the connection as asserted.
    """
    try:
        if connection.observed_outcome() is not Outcome.RESUMED:
            return None
    except DisagreementError:
        return None
    evidence = gather(connections, connection)
    client, server = _at_client(evidence), _at_server(evidence)
    if client.why == server.why == "":
        return None
    return Expiry(client, server, _copy(evidence))


def _at_client(evidence: Evidence) -> Limit:
    age = age_at_client(evidence)
    if version_of(evidence.connection) is not TLSVersion.TLSv1_3:
        return Limit(age, None, CLIENT12)
    hint = lifetime(evidence, evidence.offered) if evidence.offered else None
    return Limit(age, None, "") if hint is None else Limit(age, hint + ROUNDING + 1, CLIENT13.format(lifetime=hint))


def _at_server(evidence: Evidence) -> Limit:
    moved = evidence.actions(Role.SERVER, "age_sessions")  # in the cache alone, or in what is issued later
    age, timeout = None if moved else age_at_server(evidence), timeout_of(evidence)
    if timeout is None or timeout < 0:
        return Limit(age, None, "")
    if release_of(evidence.connection, Role.SERVER).startswith(WHOLE_SECONDS) or stands_still(evidence, Role.SERVER):
        return Limit(age, timeout + 1, IN_SECONDS.format(timeout=timeout))
    return Limit(age, timeout, (OF_TICKET if _in_ticket(evidence) else IN_FRACTIONS).format(timeout=timeout))


def _in_ticket(evidence: Evidence) -> bool:
    """Whether the server read the session from the ticket, not from its cache."""
    if evidence.connection.observed_mechanism is Mechanism.SESSION_ID or evidence.client_hello is None:
        return False
    identities = evidence.client_hello.psk_tickets
    return not identities or len(identities[0]) != STATEFUL


def _copy(evidence: Evidence) -> int:
    """How many seconds older the client's copy was made, by an edit of its time."""
    if evidence.origin is None or "time" not in evidence.edits or evidence.offered is None:
        return 0
    was, now = evidence.origin.session.get("time"), evidence.offered.get("time")
    return was - now if isinstance(was, int) and isinstance(now, int) else 0


def past_lifetime(evidence: Evidence) -> Finding | None:
    """The client offered a session that is older than its server said that it lasts."""
    session, age = evidence.offered, age_at_client(evidence)
    if session is None or age is None:
        return None
    said = lifetime(evidence, session) or timeout_of(evidence)
    if said is None or not 0 < said < age:
        return None
    tls13 = version_of(evidence.connection) is TLSVersion.TLSv1_3
    if tls13 and age > said + ROUNDING + SLACK:  # its client would not have offered it: one of the facts is wrong
        return None
    older, copy = age_at_server(evidence), _copy(evidence)
    why = (
        "OpenSSL's client takes one second off the age"
        if tls13
        else "OpenSSL's client checks no age in TLS 1.2, and the server goes by its own clock"
    )
    return Finding(
        Reason.PAST_LIFETIME,
        f"the session was {age} s old by its client's clock, and its lifetime is {said} s: {why}",
        tuple(
            filter(
                None,
                (
                    age_text(evidence, session),
                    f"action: the client's copy alone was made {copy} s older" if copy else "",
                    "" if older is None else f"clocks: by its own clock, the server issued it {older} s ago",
                ),
            )
        ),
        "to be strict, let the client drop what is older than the lifetime (SSL_SESSION_get_ticket_lifetime_hint)",
        "RFC 8446, 4.2.11.1; tls_construct_ctos_psk" if tls13 else "RFC 5077, 3.3; SSL_SESSION_is_resumable",
    )
