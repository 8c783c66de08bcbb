"""What says more of an aborted handshake than its reason code: which check failed, by setup, messages and callbacks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.agent.vocabulary import ExternalGet
from harness.explain.facts.negotiated import answer_of
from harness.explain.finding import hash_of, knob_text, suite_name
from harness.model.tls import Role
from harness.wire.session.certificate import host_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.explain.facts.offer import Offer
    from harness.explain.openssl_errors.cause import Cause

BAD_EXTENSION, CERTIFICATE_VERIFY_FAILED, OLD_CIPHER_NOT_RETURNED, UNEXPECTED_MESSAGE = 110, 134, 197, 244
"""Reason codes of openssl/sslerr.h."""


@dataclass(frozen=True, slots=True)
class Refined:
    """The words in place of those of the code."""

    title: str
    evidence: tuple[str, ...]
    remedy: str


def refined(offer: Offer, cause: Cause) -> Refined | None:
    """More precise words for the cause; None where nothing shows more."""
    return next((found for find in FINDERS if (found := find(offer, cause))), None)


def _other_name(offer: Offer, cause: Cause) -> Refined | None:
    """X509_check_host: the certificate has none of the names that the client expects (SSL_set1_host)."""
    connection = offer.evidence.connection
    expected = connection.setup.client.expected_name if connection.setup else None
    chain = connection.transcript.certificates.get(Role.SERVER)
    if cause.role is not Role.CLIENT or cause.code.number != CERTIFICATE_VERIFY_FAILED or not expected or not chain:
        return None
    names = host_names(chain[0])
    if names is None or any(_matches(name.lower(), expected.lower()) for name in names):
        return None
    return Refined(
        f"the server's certificate does not have the name {expected!r}, which the client expects",
        (
            *knob_text(connection, Role.CLIENT, "expected_name"),
            f"wire: the server's certificate has the names {', '.join(names) or 'none'}",
        ),
        f"give the server a certificate with the name {expected}, or expect one of its names (SSL_set1_host)",
    )


def _matches(name: str, expected: str) -> bool:
    """Whether a name of a certificate, or its wildcard, is the expected one (RFC 6125, 6.4)."""
    return name == expected or (name.startswith("*.") and name[1:] == expected[expected.find(".") :])


def _other_cipher(offer: Offer, cause: Cause) -> Refined | None:
    """The client's copy of the session names another cipher suite than the session was made with.

    The client compares the ServerHello with its copy in TLS 1.2 (set_client_ciphersuite); in TLS 1.3 it makes a binder
    with the hash of its copy, whose length the server's session has not (tls_psk_do_binder).
    """
    evidence = offer.evidence
    made = answer_of(evidence.origin.connection) if evidence.origin else None
    copy = evidence.offered.get("cipher") if evidence.offered else None
    if made is None or not isinstance(copy, int) or copy == made.cipher_suite or evidence.origin is None:
        return None
    kept = cause.code.number == OLD_CIPHER_NOT_RETURNED
    if not kept and not (cause.code.number == BAD_EXTENSION and hash_of(copy) != hash_of(made.cipher_suite)):
        return None
    number = evidence.origin.connection.number
    return Refined(
        f"the client's copy of the session has {suite_name(copy)}, and the session was made with "
        f"{suite_name(made.cipher_suite)}",
        (
            f"session: {suite_name(copy)} ({hash_of(copy) or 'hash unknown'})",
            f"wire: the ServerHello of connection {number} chooses {suite_name(made.cipher_suite)}",
            *([f"session: edited since it was issued ({', '.join(evidence.edits)})"] if evidence.edits else []),
        ),
        "offer the session unchanged; check the code that stores and transfers sessions",
    )


def _other_session(offer: Offer, cause: Cause) -> Refined | None:
    """The external cache returns another session than the one it was asked for, and the server resumes it."""
    if offer.external_answer != ExternalGet.OTHER_ID or cause.code.number != UNEXPECTED_MESSAGE:
        return None
    hello, answer = offer.hello, offer.evidence.server_hello
    if hello is None or answer is None or hello.session_id == answer.session_id:
        return None
    return Refined(
        "the server resumed a session with another id than the offered one, and its client expects a full handshake",
        (
            f"callback: get({offer.identity.hex()[:16]}…) returned {offer.external_answer}",
            "wire: the session id of the ServerHello is not that of the ClientHello",
        ),
        "let the get callback return the session with the id that it was asked for (SSL_CTX_sess_set_get_cb)",
    )


FINDERS: tuple[Callable[[Offer, Cause], Refined | None], ...] = (_other_name, _other_cipher, _other_session)
