"""Why a server refused early data although it resumed the session (RFC 8446, 4.2.10; final_early_data)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.facts.clocks import age_at_server, age_on_wire
from harness.explain.facts.negotiated import alpn_of
from harness.explain.finding import suite_name
from harness.model.reason import Finding, Reason

if TYPE_CHECKING:
    from harness.explain.facts.evidence import Evidence

ALLOWANCE = 10
"""Seconds by which a ticket may be older at the server than the client claims (TICKET_AGE_ALLOWANCE)."""
ROUNDING = 2
"""Seconds by which two clocks of whole seconds may differ."""
Cause = tuple[str, tuple[str, ...], str]
"""The cause, the evidence, the remedy."""


def refused(evidence: Evidence) -> Finding | None:
    """The finding; None if early data was not sent, or was accepted."""
    connection = evidence.connection
    told = connection.client.early_data or connection.server.early_data
    if told != "rejected":
        return None
    causes = [cause for find in (_retry, _not_allowed, _alpn, _age) if (cause := find(evidence)) is not None]
    causes = causes or [cause for cause in (_cipher(evidence),) if cause is not None]
    asked = evidence.client_hello is not None and evidence.client_hello.early_data
    seen = (
        *(("wire: the ClientHello has the early_data extension",) if asked else ()),
        f"{'client' if connection.client.early_data else 'server'}: the early data were rejected",
    )
    number = connection.number
    if not causes:
        return Finding(
            Reason.EARLY_DATA_REFUSED,
            f"the early data of connection {number} were refused, and no evidence says why",
            (
                *seen,
                "wire: no HelloRetryRequest, the same ALPN protocol; the age of the ticket does not speak against it",
            ),
            remedy="look at the server's allow_early_data callback (SSL_CTX_set_allow_early_data_cb), and its clock",
            source="final_early_data; RFC 8446, 4.2.10",
        )
    return Finding(
        Reason.EARLY_DATA_REFUSED,
        f"the early data of connection {number} were refused: " + "; and ".join(title for title, _, _ in causes),
        (*seen, *(line for _, lines, _ in causes for line in lines)),
        remedy="; and ".join(remedy for _, _, remedy in causes),
        source="final_early_data; RFC 8446, 4.2.10 and 8.3",
    )


def _retry(evidence: Evidence) -> Cause | None:
    if evidence.retry is None:
        return None
    return (
        "the server answered with a HelloRetryRequest",
        ("wire: a HelloRetryRequest came before the ServerHello",),
        "let the client send a key share of a group that the server takes (SSL_CTX_set1_groups_list)",
    )


def _not_allowed(evidence: Evidence) -> Cause | None:
    """The tickets that this server sends decide; without any, its knob does."""
    tickets = evidence.transcript.tickets
    allowed = [ticket.max_early_data for ticket in tickets or ()]
    knob = evidence.now.server.max_early_data or 0 if evidence.now else None
    if any(allowed) or (not allowed and knob != 0):
        return None
    seen = ("wire: the tickets that it sent in this connection allow none",) if allowed else ()
    return (
        "the server allows none",
        (*seen, *(() if knob is None else (f"knob: the server's max_early_data is {knob}",))),
        "let the server allow early data (SSL_CTX_set_max_early_data) as the one did that made the ticket",
    )


def _alpn(evidence: Evidence) -> Cause | None:
    held = evidence.offered.get("alpn") if evidence.offered else None
    before = held.decode("ascii", "backslashreplace") if isinstance(held, bytes) else None
    now = alpn_of(evidence.connection)
    if before is None or now is None or before == now:
        return None
    return (
        f"the server chose {now or 'no ALPN protocol'}, and the session is of {before or 'none'}",
        (f"session: its ALPN protocol is {before or 'empty'}", f"wire: the server chose {now or 'none'}"),
        f"offer {before or 'no protocol'} alone with this session (SSL_set_alpn_protos)",
    )


def _age(evidence: Evidence) -> Cause | None:
    claimed, real = age_on_wire(evidence), age_at_server(evidence)
    if claimed is None or real is None or -ALLOWANCE - ROUNDING < claimed - real < ROUNDING:
        return None
    return (
        f"the ticket is {claimed:g} seconds old for the client and {real} for the server",
        (
            f"wire: obfuscated_ticket_age, less the session's age_add, is {claimed:g} seconds",
            f"clocks: by its own the server issued the ticket {real} seconds before",
            f"OpenSSL's server allows 1 second more and {ALLOWANCE} less than it reckons (TICKET_AGE_ALLOWANCE)",
        ),
        "set the clocks of both ends right, and leave the session's time as it is",
    )


def _cipher(evidence: Evidence) -> Cause | None:
    """RFC 8446, 4.2.10 requires the session's cipher suite; one with the same hash is not enough.

    OpenSSL's server checks it since https://github.com/openssl/openssl/pull/32032, which no known release has,
    so it is named only if nothing else refused the early data.
    """
    held = evidence.offered.get("cipher") if evidence.offered else None
    chosen = evidence.server_hello.cipher_suite if evidence.server_hello else None
    if not isinstance(held, int) or chosen is None or held == chosen:
        return None
    return (
        f"the server chose {suite_name(chosen)}, and the session is of {suite_name(held)}",
        (f"session: {suite_name(held)}", f"wire: the ServerHello chooses {suite_name(chosen)}"),
        "let both ends prefer the session's cipher suite",
    )
