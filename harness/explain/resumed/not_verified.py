"""Whether an end that verifies its peer skipped a check in a resumption that would fail now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.facts.clocks import shown_now
from harness.explain.finding import knob_text
from harness.model.knobs import Verify
from harness.model.reason import Finding, Reason
from harness.model.tls import Role
from harness.wire.session.certificate import VERIFY_RESULTS, host_names, names_match, not_after

if TYPE_CHECKING:
    from harness.explain.facts.evidence import Evidence
    from harness.model.connection import Connection
    from harness.model.knobs import Config
    from harness.model.setup import Setup

ASKS = (Verify.OPTIONAL, Verify.ONCE, Verify.REQUIRED)
KEPT = "wire: no Certificate was sent; the certificate and its verification result come from the session"
CERTIFICATE = ("Certificate", "CompressedCertificate")


def asks(config: Config) -> bool:
    """Whether an end requests and verifies its peer's certificate."""
    return config.verify in ASKS


def _then(evidence: Evidence) -> Setup | None:
    """The setup of the full handshake, in which both ends were authenticated."""
    full = evidence.full_handshake
    return full.setup if full else None


def peer(evidence: Evidence) -> Finding | None:
    """A peer that would not pass verification now; the client's peer comes first."""
    now, then = evidence.now, _then(evidence)
    if now is None or any(kind in CERTIFICATE for kind in evidence.transcript.types()):
        return None
    found = [*_at_client(evidence, now, then), *_at_server(evidence, now, then)]
    if not found:
        return None
    return Finding(
        Reason.PEER_NOT_VERIFIED_AGAIN,
        " and ".join(title for title, *_ in found),
        (*(line for _, *lines in found for line in lines), KEPT),
        remedy="offer no session that was created under a different policy (verify mode, authority or certificate): "
        "make a full handshake, or check SSL_get_verify_result and the peer's certificate after each handshake",
        source="SSL_set_session: verify_result; SSL_get_verify_result(3); RFC 8446, 2.2",
    )


def _at_client(evidence: Evidence, now: Setup, then: Setup | None) -> list[tuple[str, ...]]:
    if not asks(now.client) or not evidence.connection.client.driven:
        return []
    who = f"the client of connection {evidence.connection.number}"
    result = evidence.offered.get("verify_result") if evidence.offered else None
    found: list[tuple[str, ...]] = []
    if isinstance(result, int) and result:
        named = VERIFY_RESULTS.get(result, f"X509_V_ERR {result}")
        title = f"{who} verifies its server, but resumed a session whose server failed verification ({named})"
        found.append((title, f"session: its verify_result is {result}"))
    elif result is None and then is not None and not asks(then.client):
        title = f"{who} verifies its server, but resumed a session whose server was not verified"
        found.append((title, *_knob(evidence.full_handshake, Role.CLIENT, "verify")))
    found += _other_name(evidence, now, who)
    end, shows = _expiry(evidence), shown_now(evidence, Role.CLIENT)
    if end is not None and shows is not None and end < shows:
        title = f"{who} has a server certificate that expired {shows - end} seconds ago"
        found.append((title, f"clocks: the client's shows {shows}, the session's peer certificate expired at {end}"))
    if then is not None and (was := _certificate(then)) != (has := _certificate(now)):
        title = f"{who} has the certificate {was!r}, but the server now has {has!r}"
        found.append(
            (
                title,
                *_knob(evidence.full_handshake, Role.SERVER, "server_certificate"),
                *knob_text(evidence.connection, Role.SERVER, "server_certificate"),
            )
        )
    return found


def _knob(connection: Connection | None, role: Role, name: str) -> tuple[str, ...]:
    """A knob of the full handshake."""
    return knob_text(connection, role, name, here=False) if connection else ()


def _other_name(evidence: Evidence, now: Setup, who: str) -> list[tuple[str, ...]]:
    """The client's expected name, where the certificate in the session has another one."""
    expected = now.client.expected_name
    held = evidence.offered.get("peer_certificate") if evidence.offered else None
    names = host_names(held) if isinstance(held, bytes) and held else None
    if expected is None or names is None or names_match(expected, names):
        return []
    title = f"{who} expects the name {expected!r}, which the certificate in the session does not have"
    shown = f"session: its peer certificate has the names {', '.join(names) or 'none'}"
    return [(title, *knob_text(evidence.connection, Role.CLIENT, "expected_name"), shown)]


def _expiry(evidence: Evidence) -> int | None:
    """When the peer's certificate in the session expires, seconds since the epoch; None if unknown."""
    held = evidence.offered.get("peer_certificate") if evidence.offered else None
    return not_after(held) if isinstance(held, bytes) else None


def _certificate(setup: Setup) -> str:
    return setup.server.server_certificate or "server"


def _at_server(evidence: Evidence, now: Setup, then: Setup | None) -> list[tuple[str, ...]]:
    if then is None or not asks(now.server) or evidence.connection.server.peer_certificate is False:
        return []
    held, has = then.client.client_certificate, now.client.client_certificate
    if held is None or held == has or not asks(then.server):
        return []
    who = f"the server of connection {evidence.connection.number}"
    present = f"the certificate {has!r}" if has else "no certificate"
    title = f"{who} identifies the client by {held!r}, but the client now has {present}"
    return [
        (
            title,
            *_knob(evidence.full_handshake, Role.CLIENT, "client_certificate"),
            *knob_text(evidence.connection, Role.CLIENT, "client_certificate"),
        )
    ]


def client_certificate(evidence: Evidence) -> Finding | None:
    """A server that requests certificates but resumed a session without one."""
    now, then = evidence.now, _then(evidence)
    if now is None or not asks(now.server) or evidence.connection.server.peer_certificate:
        return None
    if "CertificateRequest" in evidence.transcript.types():
        return None
    number = evidence.connection.number
    had = then is not None and asks(then.server) and then.client.client_certificate is not None
    if had:
        return None
    if now.server.verify is Verify.REQUIRED:
        title = f"the server of connection {number} requires a client certificate, but resumed a session without one"
    elif then is not None and not asks(then.server):
        title = f"the server of connection {number} requests a client certificate, but resumed a session without one"
    elif then is not None and then.client.client_certificate != now.client.client_certificate:
        title = (
            f"the client of connection {number} now has the certificate {now.client.client_certificate!r}, but the "
            "server did not request it"
        )
    else:
        return None
    return Finding(
        Reason.CLIENT_CERTIFICATE_NOT_ASKED,
        title,
        (
            *knob_text(evidence.connection, Role.SERVER, "verify"),
            *_knob(evidence.full_handshake, Role.SERVER, "verify"),
            "wire: no CertificateRequest was sent: a resumption has none (RFC 8446, 4.3.2)",
            *_client_certificate(evidence),
        ),
        remedy="give servers that request certificates and servers that do not different session id contexts "
        "(SSL_CTX_set_session_id_context) and different ticket keys",
        source="ssl_get_prev_session: SSL_VERIFY_FAIL_IF_NO_PEER_CERT is not checked; RFC 8446, 4.3.2",
    )


def _client_certificate(evidence: Evidence) -> tuple[str, ...]:
    reported = evidence.connection.server.peer_certificate
    return () if reported is None else (f"server: it has {'a' if reported else 'no'} client certificate",)
