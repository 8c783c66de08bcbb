"""Reasons to decline that follow from both hellos and both ends' knobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain.finding import Candidate, Weight, hash_of, knob_text, release_of, suite_name
from harness.explain.remedies import by_knob
from harness.model.knobs import PskMode, show_knob
from harness.model.reason import Reason
from harness.model.tls import Mechanism, Role, TLSVersion
from harness.wire.names import PSK_MODES, list_of

if TYPE_CHECKING:
    from harness.explain.facts.offer import Offer
    from harness.model.setup import Setup

SAME_CONTEXT = "give servers that share sessions the same session id context (SSL_CTX_set_session_id_context)"
KE, DHE_KE = 0, 1
"""PskKeyExchangeMode (RFC 8446, 4.2.9)."""


def version_differs(offer: Offer) -> Candidate | None:
    """The server negotiated another version than the session's."""
    server = offer.evidence.server_hello
    if server is None or server.version is None or offer.version in {None, server.version} or offer.version is None:
        return None
    return Candidate(
        Weight.SHOWN,
        Reason.VERSION_DIFFERS,
        f"the session is for {offer.version.label}, but {server.version.label} was negotiated",
        (
            f"session: version {offer.version.label}",
            f"wire: the ServerHello negotiates {server.version.label}",
            *knob_text(offer.evidence.connection, Role.SERVER, "versions"),
        ),
        _one_version(offer, offer.version, server.version),
        "RFC 8446, 4.2.11; RFC 5246, 7.4.1.2; ssl_get_prev_session compares ssl_version",
        "negotiate the session's version",
    )


def _one_version(offer: Offer, held: TLSVersion, negotiated: TLSVersion) -> str:
    """What makes both versions the same; a server that has both takes the higher one."""
    enabled = offer.server_config.versions if offer.server_config else None
    if enabled and held in enabled:
        return f"offer a session for {negotiated.label}: both ends enable it, and the higher version wins"
    return f"enable {held.label} at the server, or offer a session for {negotiated.label}"


def dtls_version_chosen_later(offer: Offer) -> Candidate | None:
    """A server of 1.0.2 looks for a session of its highest version, and chooses DTLS 1.0 only afterwards."""
    evidence = offer.evidence
    release = release_of(evidence.connection, Role.SERVER)
    if offer.version is not TLSVersion.DTLSv1 or not release.startswith("1.0."):
        return None
    return Candidate(
        Weight.SHOWN,
        Reason.VERSION_DIFFERS,
        "the session is for DTLSv1, and an OpenSSL before 1.1.0 looks for one of DTLSv1.2, its highest, before it "
        "chooses a version",
        (
            "session: version DTLSv1",
            *(f"counters: {evidence.counter_text(name)}" for name in ("hits", "misses") if evidence.counted(name)),
        ),
        "negotiate DTLSv1.2, or use OpenSSL 1.1.0 or later at the server",
        "ssl3_get_client_hello of 1.0.2 (ssl/s3_srvr.c) calls ssl_get_prev_session before `Select version to use`",
        "offer a session for DTLSv1.2",
    )


def no_psk_mode(offer: Offer) -> Candidate | None:
    """The server accepts none of the client's key exchange modes, so it ignores the identities."""
    hello, config = offer.hello, offer.server_config
    if offer.by is not Mechanism.PSK or hello is None or DHE_KE in hello.psk_modes:
        return None
    accepted = config.psk_modes if config else None
    if KE in hello.psk_modes and (config is None or accepted in {PskMode.KE, PskMode.BOTH}):
        return None
    return Candidate(
        Weight.SHOWN,
        Reason.NO_PSK_MODE,
        f"the client offers {list_of(PSK_MODES, hello.psk_modes) or 'no PSK mode'}, but the server accepts "
        f"only {accepted or PskMode.DHE}",
        (
            f"wire: psk_key_exchange_modes in the ClientHello is {list_of(PSK_MODES, hello.psk_modes) or 'absent'}",
            *knob_text(offer.evidence.connection, Role.SERVER, "psk_modes"),
        ),
        "offer psk_dhe_ke at the client, or accept psk_ke at the server (SSL_OP_ALLOW_NO_DHE_KEX)",
        "RFC 8446, 4.2.9; tls_parse_ctos_psk_kex_modes",
        "offer psk_dhe_ke too",
    )


def retry_changed_hash(offer: Offer) -> Candidate | None:
    """After a HelloRetryRequest for a cipher suite of another hash the client withdraws its offer."""
    evidence = offer.evidence
    if evidence.retry is None or evidence.answered is None or offer.by is not Mechanism.PSK:
        return None
    if evidence.answered.psk_tickets:
        return None
    session, retried = hash_of(offer.cipher), hash_of(evidence.retry.cipher_suite)
    if session and session == retried:
        return None
    return Candidate(
        Weight.SHOWN,
        Reason.RETRY_CHANGED_HASH,
        f"the HelloRetryRequest chose {suite_name(evidence.retry.cipher_suite)}, whose hash is not the session's, "
        "so the client withdrew its offer",
        (
            "wire: the first ClientHello has pre_shared_key, the second does not",
            f"wire: the HelloRetryRequest chooses {suite_name(evidence.retry.cipher_suite)} ({retried or 'unknown'})",
            f"session: {suite_name(offer.cipher)} ({session or 'hash unknown'})",
        ),
        "make both ends prefer a cipher suite with the session's hash; a first key share for a group that the "
        "server supports avoids the retry, but not the mismatch",
        "RFC 8446, 4.1.4 and 4.2.11; tls_construct_ctos_psk",
        "send a first key share for a group that the server supports",
    )


def retry_changed_offer(offer: Offer) -> Candidate | None:
    """After a HelloRetryRequest the client offers no session, or another one, and the server goes by that offer."""
    evidence = offer.evidence
    if evidence.retry is None or evidence.answered is None or offer.by is not Mechanism.PSK:
        return None
    offered = evidence.answered.psk_tickets
    if offer.identity in offered:
        return None
    second = (
        "wire: the second ClientHello offers other identities than the first"
        if offered
        else "wire: the first ClientHello has pre_shared_key, the second does not"
    )
    return Candidate(
        Weight.SHOWN,
        Reason.RETRY_CHANGED_OFFER,
        f"the client offered {'another session' if offered else 'no session'} after the HelloRetryRequest, and a "
        "server goes by the second ClientHello",
        (second, "wire: a HelloRetryRequest came before the ServerHello"),
        "use a client that keeps its offer after a HelloRetryRequest, or send a first key share for a group that the "
        "server supports",
        "RFC 8446, 4.1.2: the second ClientHello only updates pre_shared_key; tls_early_post_process_client_hello",
        "send a first key share for a group that the server supports",
    )


def cipher_differs(offer: Offer) -> Candidate | None:
    """TLS 1.3: the hash of the chosen suite is not the session's. In TLS 1.2 OpenSSL resumes with any cipher."""
    server = offer.evidence.server_hello
    if offer.by is not Mechanism.PSK or server is None:
        return None
    session, chosen = hash_of(offer.cipher), hash_of(server.cipher_suite)
    if session and session == chosen:
        return None
    known = session is not None and chosen is not None
    return Candidate(
        Weight.SHOWN if known else Weight.OPEN,
        Reason.CIPHER_DIFFERS,
        f"the session is bound to {session or 'an unknown hash'}, but the server chose "
        f"{suite_name(server.cipher_suite)} with {chosen or 'an unknown hash'}",
        (
            f"session: {suite_name(offer.cipher)} ({session or 'hash unknown'})",
            f"wire: the ServerHello chooses {suite_name(server.cipher_suite)} ({chosen or 'hash unknown'})",
            *(knob_text(offer.evidence.connection, Role.SERVER, "server_preference") if _prefers(offer) else ()),
        ),
        _same_hash(offer, session),
        "RFC 8446, 4.2.11; tls_parse_ctos_psk",
        "make the server choose a cipher suite with the session's hash",
    )


def _same_hash(offer: Offer, session: str | None) -> str:
    """What makes both ends use a suite with the session's hash, by the end that has none."""
    hello = offer.evidence.answered
    if session and hello and session not in map(hash_of, hello.cipher_suites):
        return f"enable a cipher suite with {session} at the client, such as {suite_name(offer.cipher)}"
    if session and _prefers(offer):
        return (
            f"at the server, put a cipher suite with {session} first, or let the client's order decide (clear "
            "SSL_OP_CIPHER_SERVER_PREFERENCE)"
        )
    return (
        "make the server choose a cipher suite with the session's hash: the client's order decides, unless the server "
        "enables different suites or prefers its own order"
    )


def _prefers(offer: Offer) -> bool:
    """Whether the server was set to prefer its own order of suites."""
    return offer.server_config is not None and offer.server_config.server_preference is True


def extended_master_secret_added(offer: Offer) -> Candidate | None:
    """The session was created without extended master secret, but both ends use it now."""
    evidence = offer.evidence
    hello, server = evidence.answered, evidence.server_hello
    if server is None or server.version is TLSVersion.TLSv1_3 or hello is None:
        return None
    if not hello.extended_master_secret or not server.extended_master_secret or offer.extended_master_secret:
        return None
    known = offer.extended_master_secret is False
    return Candidate(
        Weight.SHOWN if known else Weight.OPEN,
        Reason.EXTENDED_MASTER_SECRET_ADDED,
        "the session was created without extended master secret, but both ends use it now",
        (
            f"session: extended_master_secret is {'false' if known else 'unknown'}",
            "wire: the ClientHello and the ServerHello have extended_master_secret",
        ),
        "create a new session: only a full handshake can add it",
        "RFC 7627, 5.3; ssl_get_prev_session",
        "offer a session that was created with it",
    )


def _of_chosen_contexts(now: Setup, then: Setup) -> Candidate | None:
    """The same where a client-hello callback chose the context of one of both connections."""
    here, there = ((setup.chosen or setup.server).session_id_context for setup in (now, then))
    if here == there:
        return None
    return Candidate(
        Weight.SHOWN,
        Reason.SESSION_ID_CONTEXT_DIFFERS,
        "the session belongs to a different session id context than that of the context for this server name",
        (
            f"setup: the session id context is {show_knob(here)} here",
            f"setup: the session id context is {show_knob(there)} where the session was issued",
        ),
        "offer each session to the server name that issued it; or give both contexts one session id context, if "
        "sessions may resume across these names",
        "SSL_set_SSL_CTX takes the session id context over before ssl_get_prev_session compares it",
        "offer the session under the server name that issued it",
    )


def session_id_context_differs(offer: Offer) -> Candidate | None:
    """The server found the session, but it belongs to a different session id context."""
    evidence = offer.evidence
    now, then = evidence.now, evidence.then
    common = (
        Reason.SESSION_ID_CONTEXT_DIFFERS,
        "the session belongs to a different session id context than the server's",
    )
    rest = (
        by_knob(evidence, Role.SERVER, "session_id_context", b"context", SAME_CONTEXT),
        "ssl_get_prev_session compares sid_ctx, and counts neither hit nor miss; SSL_CTX_set_session_id_context(3)",
        "give both servers the same session id context",
    )
    if now is None or then is None:
        return Candidate(Weight.OPEN, *common, (), *rest)
    if now.chosen or then.chosen:
        return _of_chosen_contexts(now, then)
    if now.server.session_id_context == then.server.session_id_context:
        return None
    made = evidence.origin.connection if evidence.origin else evidence.connection
    evidence_of = (
        *knob_text(made, Role.SERVER, "session_id_context", here=False),
        *knob_text(evidence.connection, Role.SERVER, "session_id_context"),
        *((f"counters: {evidence.counter_text('timeouts')}",) if evidence.counted("timeouts") == 0 else ()),
    )
    return Candidate(Weight.FITS, *common, evidence_of, *rest)
