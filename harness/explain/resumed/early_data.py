"""Why a server refused early data although it resumed the session (RFC 8446, 4.2.10; final_early_data)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.facts.clocks import age_at_server, age_on_wire
from harness.explain.facts.negotiated import alpn_of, alpn_text
from harness.explain.finding import hash_of, knob_text, suite_name
from harness.model.reason import Finding, Reason
from harness.model.tls import Role

if TYPE_CHECKING:
    from harness.explain.facts.evidence import Evidence

ALLOWANCE = 10
"""How many seconds older than the client claims a ticket may be at the server (TICKET_AGE_ALLOWANCE)."""
ROUNDING = 2
"""Seconds by which two clocks of whole seconds may differ."""
CLOCKS = (
    "correct the clocks of both ends, and do not edit the session's time: OpenSSL accepts an age from "
    f"{ALLOWANCE} s below to 1 s above the server's own (TICKET_AGE_ALLOWANCE)"
)
Cause = tuple[str, tuple[str, ...], str]
"""The cause, the evidence, the remedy."""


def refused(evidence: Evidence) -> Finding | None:
    """The finding; None if early data was not sent, or was accepted."""
    connection = evidence.connection
    status = connection.client.early_data or connection.server.early_data
    if status != "rejected":
        return None
    causes = [cause for find in (_retry, _not_allowed, _alpn, _age) if (cause := find(evidence)) is not None]
    causes = causes or [cause for cause in (_cipher(evidence),) if cause is not None]
    asked = evidence.client_hello is not None and evidence.client_hello.early_data
    seen = (
        *(("wire: the ClientHello has the early_data extension",) if asked else ()),
        f"{'client' if connection.client.early_data else 'server'}: the early data was rejected",
    )
    number = connection.number
    if not causes:
        return Finding(
            Reason.EARLY_DATA_REFUSED,
            f"the early data of connection {number} was refused, but no evidence says why",
            (*seen, "wire: no HelloRetryRequest was sent"),
            remedy="check the server's allow_early_data callback (SSL_CTX_set_allow_early_data_cb) and its clock",
            source="final_early_data; RFC 8446, 4.2.10",
        )
    return Finding(
        Reason.EARLY_DATA_REFUSED,
        f"the early data of connection {number} was refused: " + "; and ".join(title for title, _, _ in causes),
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
        "send a key share for a group that the server supports (SSL_CTX_set1_groups_list)",
    )


def _not_allowed(evidence: Evidence) -> Cause | None:
    """Decided by the tickets that this server sends, or by its knob if it sends none."""
    tickets = evidence.transcript.tickets
    allowed = [ticket.max_early_data for ticket in tickets or ()]
    knob = evidence.now.server.max_early_data or 0 if evidence.now else None
    if any(allowed) or (not allowed and knob != 0):
        return None
    seen = ("wire: the tickets that it sent in this connection do not allow early data",) if allowed else ()
    return (
        "the server allows none",
        (*seen, *knob_text(evidence.connection, Role.SERVER, "max_early_data")),
        "allow early data at the server (SSL_CTX_set_max_early_data), as the issuing server did",
    )


def _alpn(evidence: Evidence) -> Cause | None:
    held = evidence.offered.get("alpn") if evidence.offered else None
    before = held.decode("ascii", "backslashreplace") if isinstance(held, bytes) else None
    now = alpn_of(evidence.connection)
    if before is None or now is None or before == now:
        return None
    return (
        f"the server chose {now or 'no ALPN protocol'}, but the session has {before or 'no ALPN protocol'}",
        (f"session: its ALPN protocol is {before or 'empty'}", alpn_text(evidence.connection)),
        f"with this session, offer {f'only {before}' if before else 'no protocol'} (SSL_set_alpn_protos)",
    )


def _age(evidence: Evidence) -> Cause | None:
    claimed, real = age_on_wire(evidence), age_at_server(evidence)
    if claimed is None or real is None or -ALLOWANCE - ROUNDING < claimed - real < ROUNDING:
        return None
    return (
        f"the ticket is {claimed:g} seconds old by the client's clock, but {real} by the server's",
        (
            f"wire: obfuscated_ticket_age minus the session's age_add is {claimed:g} seconds",
            f"clocks: by its own clock, the server issued the ticket {real} seconds ago",
        ),
        CLOCKS,
    )


def _cipher(evidence: Evidence) -> Cause | None:
    """RFC 8446, 4.2.10 requires the session's cipher suite; one with the same hash is not enough.

    OpenSSL's server checks it since https://github.com/openssl/openssl/pull/32032, which no known release includes.
    It is reported only if there is no other cause.
    """
    held = evidence.offered.get("cipher") if evidence.offered else None
    chosen = evidence.server_hello.cipher_suite if evidence.server_hello else None
    if not isinstance(held, int) or chosen is None or held == chosen:
        return None
    return (
        f"the server chose {suite_name(chosen)}, but the session has {suite_name(held)}",
        (
            f"session: {suite_name(held)} ({hash_of(held) or 'hash unknown'})",
            f"wire: the ServerHello chooses {suite_name(chosen)}",
        ),
        "make both ends prefer the session's cipher suite",
    )
