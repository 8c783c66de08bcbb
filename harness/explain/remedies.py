"""What would help, by the circumstances: what they contradict, or an end cannot do, is not said without saying so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.knobs import why_not
from harness.explain.facts.offer import single_use
from harness.model.knobs import knobs_of
from harness.model.tls import Role, TLSVersion

if TYPE_CHECKING:
    from harness.explain.facts.evidence import Evidence
    from harness.model.knobs import ServerConfig

A_WEEK = 604800
"""Seconds; no TLS 1.3 ticket lives longer (RFC 8446, 4.6.1)."""
KEYS = "give servers that share sessions the same ticket keys"
KEEP = "keep the keys across restarts (SSL_CTX_set_tlsext_ticket_keys)"
NO_REPLAY = (
    "allow no early data, or switch anti-replay off (SSL_OP_NO_ANTI_REPLAY) if the application prevents replay: "
    "with both, TLS 1.3 tickets are handles of one server's cache"
)
TICKETS_ON = "clear SSL_OP_NO_TICKET at the server"
SHARED_CACHE = "let the servers share a cache (SSL_CTX_sess_set_new_cb, SSL_CTX_sess_set_get_cb)"


def by_knob(evidence: Evidence, role: Role, name: str, value: object, remedy: str) -> str:
    """The remedy; if this end's stack cannot set the knob so, with the reason why it cannot."""
    report = evidence.connection.server if role is Role.SERVER else evidence.connection.client
    stack, _, version = report.view.name.partition("@")
    if not version or name not in knobs_of(role):
        return remedy
    why = why_not(stack, role.value, version, name, value)
    return f"{remedy}; {report.view.name} cannot: {why}" if why else remedy


def shares_keys(evidence: Evidence) -> bool:
    """Whether the issuing server and this one have the same ticket keys."""
    now, then = evidence.now, evidence.then
    if now is None or then is None:
        return False
    ring, key = (now.server.ticket_ring or "").split(","), (then.server.ticket_ring or "").split(",")[0]
    return bool(now.server.ticket_keys and now.server.ticket_keys == then.server.ticket_keys) or key in filter(
        None, ring
    )


def stateful(config: ServerConfig | None) -> tuple[str, ...]:
    """What would make a TLS 1.3 server issue, and accept, tickets that hold the session; empty if it does."""
    if config is None:
        return ()
    return (*_tickets_off(config), *([NO_REPLAY] if single_use(config) else []))


def _tickets_off(config: ServerConfig) -> tuple[str, ...]:
    return (TICKETS_ON,) if config.tickets is False else ()


def other_cache(evidence: Evidence, *, tls13: bool) -> str:
    """What helps if the session is in another server's cache: one server, one cache, or sessions in tickets."""
    config = evidence.then.server if evidence.then else None
    changes = stateful(config) if tls13 or config is None else _tickets_off(config)
    keys = () if shares_keys(evidence) else (f"{KEYS} (SSL_CTX_set_tlsext_ticket_keys)",)
    tickets = " and ".join((*changes, *keys))
    return "; or ".join(("reconnect to the same server", SHARED_CACHE, *([tickets] if changes else [])))


def longer(evidence: Evidence, timeout: int | None, version: TLSVersion | None) -> str:
    """What helps against an expired session."""
    if timeout is not None and timeout < 0:
        raised = "set a timeout of more than 0 at the server (SSL_CTX_set_timeout)"
        return by_knob(evidence, Role.SERVER, "timeout", A_WEEK, raised)
    if timeout is not None and timeout >= A_WEEK and version is TLSVersion.TLSv1_3:
        return "resume earlier: no TLS 1.3 session lasts longer than a week (RFC 8446, 4.6.1)"
    raised = "resume earlier, or raise the server's session timeout (SSL_CTX_set_timeout)"
    return by_knob(evidence, Role.SERVER, "timeout", A_WEEK, raised)
