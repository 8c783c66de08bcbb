"""Why a session was not offered.

The rules follow OpenSSL's client: tls_construct_client_hello offers a session if its version is enabled and it is
resumable (SSL_SESSION_is_resumable); tls_construct_ctos_psk leaves out a TLS 1.3 ticket older than its lifetime.
The first rule that applies is the reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain import expiry, in_memory, no_session
from harness.explain.facts.negotiated import enabled_versions, gave, holds, version_of
from harness.explain.finding import hash_of, suite_name
from harness.model.reason import Finding, Reason
from harness.model.tls import TLSVersion
from harness.model.view import Saw

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.explain.facts.evidence import Evidence
    from harness.model.connection import Connection
    from harness.model.session import Session
    from harness.model.transcript import ClientHello


TLS13_SUITES = 0x13
"""The first byte of the numbers of TLS 1.3 cipher suites (RFC 8446, B.4)."""


def findings(evidence: Evidence) -> tuple[Finding, ...]:
    """The reasons, the most likely first; empty if no earlier connection could have yielded a session."""
    if evidence.offered is None:
        return no_session.nothing_given(evidence)
    for rule in RULES:
        if found := rule(evidence, evidence.offered):
            return found
    return (_unknown(evidence, evidence.offered),)


def session_version(evidence: Evidence, session: Session) -> TLSVersion | None:
    """The session's protocol version, or that of the connection that yielded it."""
    known = session.get("version")
    if isinstance(known, TLSVersion):
        return known
    return version_of(evidence.origin.connection) if evidence.origin else None


def _may_enable(evidence: Evidence, hello: ClientHello, version: TLSVersion) -> bool:
    """Whether the client enables a version; one below the highest of a hello without supported_versions may be so."""
    if hello.supported_versions or version.wire >= hello.legacy_version:
        return version in enabled_versions(hello)
    versions = evidence.now.client.versions if evidence.now else None
    return versions is None or version in versions


def _version(evidence: Evidence, session: Session) -> tuple[Finding, ...]:
    version, hello = session_version(evidence, session), evidence.client_hello
    if version is None or hello is None or _may_enable(evidence, hello, version):
        return ()
    enabled = " and ".join(sorted(one.label for one in enabled_versions(hello))) or "no known version"
    return (
        Finding(
            Reason.VERSION_NOT_ENABLED,
            f"the session is for {version.label}, but the client of connection {evidence.connection.number} "
            f"enables {enabled}",
            (
                f"session: version {version.label}",
                f"wire: the ClientHello offers {enabled}",
            ),
            remedy=f"enable {version.label} at the client, or offer a session for a version that it enables",
            source="tls_construct_client_hello: ssl_version_supported; SSL_set_session(3)",
        ),
    )


def _empty(evidence: Evidence, session: Session) -> tuple[Finding, ...]:
    origin = evidence.origin.connection if evidence.origin else None
    version = session_version(evidence, session)
    held = holds(session, version)
    if origin is not None and origin.wire.saw is Saw.RESUMED and session.get("has_ticket") is None:
        return ()  # it has the session that it resumed, if no other
    if held is None and origin is not None:
        early = version is TLSVersion.TLSv1_3 and no_session.saved_before_any_read(origin)
        held = False if early and session in origin.held_sessions else gave(origin)
    if held is False and evidence.origin is not None and _had_ticket(evidence):
        return (_taken_out(evidence, evidence.origin.connection),)
    empty = held is False
    return no_session.no_ticket(origin, session) if empty else ()


def _had_ticket(evidence: Evidence) -> bool:
    """Whether the session had a ticket when it was issued, and has none now."""
    return evidence.origin is not None and bool(evidence.origin.session.get("ticket")) and "ticket" in evidence.edits


def _taken_out(evidence: Evidence, origin: Connection) -> Finding:
    issued = evidence.origin.session.get("ticket_length") if evidence.origin else None
    return Finding(
        Reason.TICKET_TAKEN_OUT,
        f"the ticket of connection {origin.number} is not in the session any more",
        (
            f"session: a ticket of {issued} bytes was issued",
            f"session: edited since it was issued ({', '.join(evidence.edits)})",
            "wire: the ClientHello has no pre_shared_key",
        ),
        remedy="offer the session with its ticket; check the code that stores and transfers sessions",
        source="SSL_SESSION_is_resumable(3); RFC 8446, 4.6.1",
    )


def _cipher(evidence: Evidence, session: Session) -> tuple[Finding, ...]:
    """RFC 8446, 4.2.11; RFC 5246, 7.4.1.2. OpenSSL's client does not check this and offers such a session."""
    hello, cipher = evidence.client_hello, session.get("cipher")
    if hello is None or not isinstance(cipher, int) or hash_of(cipher) is None or cipher in hello.cipher_suites:
        return ()
    tls13 = session_version(evidence, session) is TLSVersion.TLSv1_3
    offered = [suite for suite in hello.cipher_suites if hash_of(suite) and _of_tls13(suite) is tls13]
    if tls13 and hash_of(cipher) in map(hash_of, offered):
        return ()
    what = f"a cipher suite with its hash, {hash_of(cipher)}" if tls13 else "that cipher suite"
    return (
        Finding(
            Reason.CIPHER_NOT_ENABLED,
            f"the session uses {suite_name(cipher)}, but the client does not enable {what}",
            (
                f"session: {suite_name(cipher)} ({hash_of(cipher)})",
                f"wire: the ClientHello offers {', '.join(map(suite_name, offered)) or 'no other known suite'}",
            ),
            remedy=f"enable {suite_name(cipher)} at the client",
            source="RFC 8446, 4.2.11" if tls13 else "RFC 5246, 7.4.1.2",
        ),
    )


def _of_tls13(suite: int) -> bool:
    return suite >> 8 == TLS13_SUITES


RULES: tuple[Callable[[Evidence, Session], tuple[Finding, ...]], ...] = (
    _version,
    _empty,
    in_memory.findings,
    expiry.expired_at_client,
    _cipher,
)


def _unknown(evidence: Evidence, session: Session) -> Finding:
    version, hello = session_version(evidence, session), evidence.client_hello
    held = holds(session, version)
    enabled = sorted(one.label for one in enabled_versions(hello)) if hello else []
    seen = [
        f"session: version {version.label if version else 'unknown'}",
        f"wire: the ClientHello offers {' and '.join(enabled) or 'no known version'}"
        if hello
        else "wire: no ClientHello",
        {
            True: "session: it has a ticket or a session id",
            None: "session: a ticket or a session id is not known",
        }.get(held, ""),
        "session: it comes from an unknown connection"
        if evidence.origin is None
        else f"session: it comes from connection {evidence.origin.connection.number}",
        expiry.age_text(evidence, session),
        *in_memory.known(session),
    ]
    return Finding(
        Reason.NOT_OFFERED_UNKNOWN,
        f"the client of connection {evidence.connection.number} was given a session and did not offer it; "
        "no evidence says why",
        tuple(line for line in seen if line),
        remedy="call SSL_SESSION_is_resumable right before SSL_set_session, or offer a copy made with d2i_SSL_SESSION",
        source="tls_construct_client_hello",
    )
