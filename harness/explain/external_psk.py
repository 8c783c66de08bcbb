"""Why a handshake with an external PSK was aborted, or why its server did not use the PSK.

The rules follow tls_parse_ctos_psk and tls_process_cke_psk_preamble: the identity, the hash, the binder. Before TLS 1.3
a key that differs shows in the first encrypted record only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.vocabulary import PskCipher
from harness.explain.finding import errors, hash_of, knob_text, place, suite_name
from harness.model.reason import Finding, Reason
from harness.model.tls import Role

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.explain.facts.evidence import Evidence
    from harness.model.connection import Connection
    from harness.model.transcript import ExternalPsk, Transcript

BAD_RECORD_MAC, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, DECRYPT_ERROR, UNKNOWN_PSK_IDENTITY = 20, 40, 47, 51, 115
HASHES = {32: "sha256", 48: "sha384"}
"""The hash of a PSK by the length of its binder."""


def aborted(evidence: Evidence) -> tuple[Finding, ...]:
    """The reason if the handshake was aborted over an external PSK; empty if it was not."""
    alert, psk = evidence.alert, _offered(evidence)
    if alert is None or (psk is None and evidence.transcript.psk_identity is None):
        return ()
    if psk is None:
        name = evidence.transcript.psk_identity or b""
        if alert.number == UNKNOWN_PSK_IDENTITY:
            return (_unknown(evidence, name),)
        return (_other_key(evidence, name),) if alert.number in {BAD_RECORD_MAC, DECRYPT_ERROR} else ()
    if evidence.server_hello is not None:
        return ()
    refused = alert.number in {ILLEGAL_PARAMETER, DECRYPT_ERROR}
    if refused and Role.SERVER not in psk.holders and _told(evidence, psk.identity) is not False:
        return (_other_key(evidence, psk.identity),)
    uncertified = alert.number == HANDSHAKE_FAILURE and evidence.now is not None and not evidence.now.server.certificate
    return (_unknown(evidence, psk.identity),) if uncertified and _told(evidence, psk.identity) is False else ()


def not_used(evidence: Evidence) -> tuple[Finding, ...]:
    """Why the server made a full handshake without the external PSK that the client offered; empty if it used one."""
    psk, answer = _offered(evidence), evidence.server_hello
    if psk is None or answer is None or evidence.connection.observed_external_psk is not None:
        return ()
    digest = digest_of(evidence.transcript, psk)
    if _told(evidence, psk.identity) is False:
        return (_unknown(evidence, psk.identity, Reason.PSK_NOT_KNOWN),)
    if declined_for_its_hash(evidence.connection):
        return (
            Finding(
                Reason.PSK_HASH_DIFFERS,
                f"the server chose {suite_name(answer.cipher_suite)}, and the external PSK {name_of(psk.identity)} has "
                f"{digest}",
                (
                    f"wire: the ClientHello offers the external PSK {name_of(psk.identity)} with {digest}",
                    f"wire: the ServerHello chooses {suite_name(answer.cipher_suite)} ({hash_of(answer.cipher_suite)})",
                ),
                f"let the server prefer a suite with {digest} (SSL_CTX_set_ciphersuites), or give both ends a session "
                "with the suite that it chooses (SSL_SESSION_set_cipher)",
                "RFC 8446, 4.2.11; tls_parse_ctos_psk comes after ssl3_choose_cipher, which prefers the hash of a PSK "
                "only at a server without certificate",
            ),
        )
    held = _hash_at_server(evidence)
    if digest and held and digest != held:
        return (
            Finding(
                Reason.PSK_HASH_DIFFERS,
                f"the external PSK {name_of(psk.identity)} has {digest} at the client and {held} at the server",
                (
                    f"wire: the ClientHello offers the external PSK {name_of(psk.identity)} with {digest}",
                    *(line for role in Role for line in knob_text(evidence.connection, role, "psk_cipher")),
                ),
                "give both ends a PSK with the same hash: a session with the same suite (SSL_SESSION_set_cipher)",
                "RFC 8446, 4.2.11; tls_parse_ctos_psk ignores a PSK whose hash is not that of the chosen suite",
            ),
        )
    return (_unknown(evidence, psk.identity, Reason.PSK_NOT_USED_UNKNOWN),)


def _hash_at_server(evidence: Evidence) -> str | None:
    """The hash of the server's external PSK, by its knobs; None if it is not known."""
    now = evidence.now
    if now is None or not now.server_library.is_openssl:
        return None
    return hash_of((now.server.psk_cipher or PskCipher.AES_128).number)


def _offered(evidence: Evidence) -> ExternalPsk | None:
    hellos = evidence.transcript.client_hellos[: 2 if evidence.retry else 1]
    return next((psk for hello in hellos[-1:] for psk in hello.external_psks), None)


def digest_of(transcript: Transcript, psk: ExternalPsk) -> str | None:
    """The hash of an external PSK by its binder, ``sha256``; None if it is not known."""
    return next((HASHES.get(len(binder)) for binder in _binders(transcript, psk)), None)


def _binders(transcript: Transcript, psk: ExternalPsk) -> Iterator[bytes]:
    for hello in transcript.client_hellos:
        for identity, binder in zip(hello.psk_identities, hello.psk_binders, strict=False):
            if identity == psk.identity:
                yield binder


def declined_for_its_hash(connection: Connection) -> tuple[bytes, str, str] | None:
    """The identity and the hash of the external PSK that a connection offered, and the hash that its server chose."""
    answer, hellos = connection.transcript.server_hello, connection.transcript.client_hellos
    psk = next((psk for hello in hellos[-1:] for psk in hello.external_psks), None)
    if psk is None or answer is None or connection.observed_external_psk is not None:
        return None
    digest, chosen = digest_of(connection.transcript, psk), hash_of(answer.cipher_suite)
    return (psk.identity, digest, chosen) if digest and chosen and digest != chosen else None


def _told(evidence: Evidence, identity: bytes) -> bool | None:
    """Whether the server knows the identity, by its callbacks, or else by its knobs; None if neither says."""
    calls = [call for call in evidence.connection.server.callback_calls or () if call.call == "psk"]
    results = {call.result for call in calls if call.subject == identity}
    if results:
        return results != {"unknown"}
    if evidence.now is None:
        return None
    server = evidence.now.server
    return server.psk_key is not None and identity.decode(errors="replace") in server.psk_identities


def name_of(identity: bytes) -> str:
    """An identity as text in quotes."""
    return repr(identity.decode(errors="backslashreplace"))


def _facts(evidence: Evidence, *knobs: str) -> tuple[str, ...]:
    """What the client sent, what the server's callbacks said, and the knobs of both ends."""
    psk = _offered(evidence)
    sent = [f"wire: the ClientHello offers the external PSK {name_of(psk.identity)}"] if psk else []
    if evidence.transcript.psk_identity is not None:
        sent.append(f"wire: the ClientKeyExchange names the identity {name_of(evidence.transcript.psk_identity)}")
    if psk and evidence.now and evidence.now.server.psk_key:
        holders = " and the ".join(f"{role}'s" for role in Role if role in psk.holders)
        others = "".join(f", and not with the {role}'s" for role in Role if role not in psk.holders)
        sent.append(f"wire: its binder verifies with the {holders} key{others}")
    lines = [line for name in knobs for role in Role for line in knob_text(evidence.connection, role, name)]
    alert = evidence.alert
    seen = [f"wire: alert {alert}, {place(evidence)}"] if alert in evidence.transcript.alerts else []
    return (*sent, *lines, *seen, *errors(evidence))


def _other_key(evidence: Evidence, identity: bytes) -> Finding:
    tls13 = evidence.transcript.psk_identity is None
    how = "the binder does not verify" if tls13 else "the first encrypted record does not open"
    return Finding(
        Reason.PSK_KEY_DIFFERS,
        f"the ends have different keys for the external PSK {name_of(identity)}: {how}",
        _facts(evidence, "psk_key"),
        "give both ends the same key for the identity",
        "RFC 8446, 4.2.11.2; tls_psk_do_binder, SSL_R_BINDER_DOES_NOT_VERIFY"
        if tls13
        else "RFC 4279, 2: the premaster secret is made of the key, and the Finished is the first that depends on it",
    )


def _unknown(evidence: Evidence, identity: bytes, reason: Reason = Reason.PSK_IDENTITY_UNKNOWN) -> Finding:
    known = reason is not Reason.PSK_NOT_USED_UNKNOWN
    why = "has no external PSK of that identity" if known else "did not use it, and no evidence says why"
    without = ", and no certificate to go on with" if reason is Reason.PSK_IDENTITY_UNKNOWN else ""
    if evidence.transcript.psk_identity is not None:
        without = ""
    return Finding(
        reason,
        f"the client offers the external PSK {name_of(identity)}, and the server {why}{without}",
        _facts(evidence, "psk_key", "psk_identity"),
        "give the server the identity and its key, or the client one that the server knows",
        "RFC 8446, 4.2.11: unknown identities are ignored; RFC 4279, 2: unknown_psk_identity",
    )
