"""The steps within a connection that an end says it carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.tls import Role
from harness.pair.audit.shown import Shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.pair.audit.shown import Wire


def said(step: str) -> Callable[[Wire, Role], object]:
    """How often an end says that it carried out this step; None if it never says so.

    s_client and s_server print that they read the command to renegotiate, and not whether SSL_renegotiate succeeded.
    """

    def reports(wire: Wire, role: Role) -> object:
        if step == "renegotiate" and wire.report(role).view.name.startswith("openssl@"):
            return None
        return wire.connection.claims.count((role, step)) or None

    return reports


def renegotiations(wire: Wire, role: Role) -> Shown | None:
    """A client starts one with a ClientHello, a server with a HelloRequest (RFC 5246, 7.4.1.1)."""
    return _sent(wire, role, "HelloRequest" if role is Role.SERVER else "ClientHello")


def requests(wire: Wire, role: Role) -> Shown | None:
    """A server asks after the handshake with a CertificateRequest (RFC 8446, 4.6.2)."""
    return _sent(wire, role, "CertificateRequest")


def _sent(wire: Wire, role: Role, kind: str) -> Shown | None:
    """At most as many of these messages as an end sent after the first Finished, if all that it sent could be read."""
    if wire.cut or wire.renegotiation_hidden or not wire.opened(role):
        return None
    types = wire.transcript.types()
    later = wire.transcript.messages[types.index("Finished") :] if "Finished" in types else ()
    count = sum(message.type == kind and message.sender is role for message in later)
    return Shown(range(count + 1), f"{count} {kind} after the first Finished")
