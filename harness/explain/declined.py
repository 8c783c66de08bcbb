"""Why a server declined an offered session and made a full handshake.

The rules follow the order of OpenSSL's own checks (ssl_get_prev_session, tls_parse_ctos_psk):
version, PSK mode, the ticket or the cache, hash, session id context, expiry, extended master secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain import expiry, mismatch, server_cache, ticket
from harness.explain.facts.offer import Offer
from harness.explain.finding import Weight, choose, suite_name
from harness.model.reason import Finding, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.explain.facts.evidence import Evidence
    from harness.explain.finding import Candidate

BEFORE_ALL = (
    mismatch.version_differs,
    mismatch.dtls_version_chosen_later,
    mismatch.no_psk_mode,
    mismatch.retry_changed_hash,
    mismatch.retry_changed_offer,
)
"""Each of these makes the server ignore the offer."""
AFTERWARDS = (
    mismatch.cipher_differs,
    mismatch.session_id_context_differs,
    expiry.expired_at_server,
    mismatch.extended_master_secret_added,
)
"""The checks after the server found the session."""


def findings(evidence: Evidence) -> tuple[Finding, ...]:
    """The reasons, the most likely first; never empty."""
    offer = Offer(evidence)
    for find in BEFORE_ALL:
        found = find(offer)
        if found is not None:
            return (found.finding(alone=True),)
    if offer.by is None:
        counted = expiry.expired_at_server(offer) if evidence.counted("timeouts") else None
        return choose([counted]) or (_unknown(offer),)
    return choose([*_not_found(offer), *(find(offer) for find in AFTERWARDS)]) or (_unknown(offer),)


def _not_found(offer: Offer) -> Iterator[Candidate | None]:
    """Why the server did not find the session."""
    if offer.looked_up is not False:
        off, used = server_cache.lookup_off(offer), server_cache.consumed(offer)
        yield off
        yield used
        if all(found is None or found.weight is Weight.OPEN for found in (off, used)):
            yield server_cache.not_in_cache(offer)
    if offer.looked_up is not True:
        yield ticket.key_unknown(offer)
        yield ticket.refused_by_callback(offer)
        yield ticket.ignored_by_callback(offer)
        yield ticket.damaged(offer)
        yield ticket.other_key_length(offer)
        yield ticket.other_secrets(offer)
        yield ticket.other_cipher(offer)
        yield ticket.unreadable(offer)


def _unknown(offer: Offer) -> Finding:
    evidence = offer.evidence
    server = evidence.server_hello
    by = str(offer.by).replace("_", " ") if offer.by else "an unreadable ClientHello"
    facts = [
        f"wire: offered by {by}, {len(offer.identity)} bytes",
        *(f"wire: {line}" for line in evidence.connection.wire.evidence),
        *([f"wire: the ServerHello chooses {suite_name(server.cipher_suite)}"] if server else []),
        f"session: {suite_name(offer.cipher)}, {offer.version.label if offer.version else 'version unknown'}",
        *(
            f"counters: {evidence.counter_text(name)}"
            for name in ("hits", "misses", "timeouts")
            if evidence.known(name)
        ),
    ]
    return Finding(
        Reason.DECLINED_UNKNOWN,
        f"{evidence.connection.server.view.name} declined the session, but no evidence says why",
        tuple(facts),
        "use a server that reports its counters (libssl) and a client that exports its sessions",
    )
