"""What differs from the full handshake, or was not checked again, in a resumed connection.

A resumption takes the peer's certificate and the result of its verification from the session (RFC 8446, 2.2; RFC 5246,
7.4.2; SSL_get_verify_result(3)). A plain resumption has no findings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.facts.negotiated import alpn_of, alpn_text, asked_of, version_of
from harness.explain.resumed import early_data, lifetime, not_verified
from harness.model.reason import Finding, Reason
from harness.model.tls import TLSVersion

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.explain.facts.evidence import Evidence


def findings(evidence: Evidence) -> tuple[Finding, ...]:
    """Every reason that applies; they do not exclude each other."""
    return tuple(found for caveat in CAVEATS if (found := caveat(evidence)) is not None)


def named(name: str | None) -> str:
    """``server name a.example`` or ``no server name``."""
    return f"server name {name}" if name else "no server name"


def server_name(evidence: Evidence) -> Finding | None:
    """The ClientHello has a different server name than that of the full handshake."""
    hello = evidence.client_hello
    if hello is None:
        return None
    full = evidence.full_handshake
    then = asked_of(full) if full else None
    held = evidence.offered.get("server_name") if evidence.offered else None
    before = then.server_name if then is not None else (str(held) if held else hello.server_name)
    if (before or "") == (hello.server_name or ""):
        return None
    tls13 = version_of(evidence.connection) is TLSVersion.TLSv1_3
    outcome = (
        "TLS 1.3 uses the name of each connection and ignores the session's"
        if tls13
        else "OpenSSL's server resumes a TLS 1.2 session under a different name and does not acknowledge the name"
    )
    return Finding(
        Reason.OTHER_SERVER_NAME,
        f"connection {evidence.connection.number} sent {named(hello.server_name)}, and the session was created "
        f"with {named(before)}",
        (
            *(() if full is None else (f"wire: the ClientHello of connection {full.number} has {named(before)}",)),
            f"wire: the ClientHello of connection {evidence.connection.number} has {named(hello.server_name)}",
            *(() if held is None else (f"session: its host name is {held or 'empty'}",)),
        ),
        remedy="keep one session per server name, and offer it only for that name (SSL_SESSION_get0_hostname): "
        f"{outcome}",
        source="RFC 8446, 4.6.1; tls_parse_ctos_server_name" if tls13 else "RFC 6066, 3; tls_parse_ctos_server_name",
    )


def alpn(evidence: Evidence) -> Finding | None:
    """The application protocol differs from that of the full handshake."""
    held = evidence.offered.get("alpn") if evidence.offered else None
    before = held.decode("ascii", "backslashreplace") if isinstance(held, bytes) else None
    full = evidence.full_handshake
    if not before and full is not None:  # before 1.1.1 no session has it
        before = alpn_of(full)
    now = alpn_of(evidence.connection)
    if before is None or now is None or before == now:
        return None
    return Finding(
        Reason.OTHER_ALPN,
        f"connection {evidence.connection.number} uses {now or 'no ALPN protocol'}, and the session was created "
        f"with {before or 'no ALPN protocol'}",
        (
            f"session: its ALPN protocol is {before}" if held else alpn_text(full or evidence.connection),
            alpn_text(evidence.connection),
        ),
        remedy="offer the same protocols (SSL_CTX_set_alpn_protos), or check which one was selected in each connection "
        "(SSL_get0_alpn_selected)",
        source="RFC 7301, 3.1; tls_handle_alpn",
    )


CAVEATS: tuple[Callable[[Evidence], Finding | None], ...] = (
    server_name,
    alpn,
    not_verified.peer,
    not_verified.client_certificate,
    lifetime.past_lifetime,
    early_data.refused,
)
