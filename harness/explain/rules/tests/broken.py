"""For each rule, a recording and an edit that breaks the rule."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.explain.rules.tests.edits import (
    CLIENT,
    SERVER,
    both,
    extension,
    insert,
    message,
    move_before,
    numbers,
    older,
    on,
    plain,
    psks,
    remove,
    repeat,
    vector,
)
from harness.model.tls import Alert
from harness.model.transcript import ExternalPsk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.explain.rules.tests.edits import Edit
    from harness.model.connection import Connection
    from harness.model.transcript import ClientHello, ServerHello

HELLO, ANSWER, RETRY, ENCRYPTED = "ClientHello", "ServerHello", "HelloRetryRequest", "EncryptedExtensions"
TICKET, CHANGE, FINISHED = "NewSessionTicket", "ChangeCipherSpec", "Finished"
SERVER_NAME, FRAGMENT, GROUPS, ALPN, MAC, EMS, SESSION_TICKET = 0, 1, 10, 16, 22, 23, 35
PSK, EARLY_DATA, VERSIONS, COOKIE, MODES, SHARE, TRANSPORT, RENEGOTIATION = 41, 42, 43, 44, 45, 51, 57, 65281
SECP224R1, P256, P384 = 21, 23, 24
AES128_GCM, AES128_CCM = 0x1301, 0x1304
CBC = 0xC023
"""TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256."""
OTHER12 = 0xC02F
"""TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, which no recording negotiates."""
OTHER_NAME = vector(2, b"\0" + vector(2, b"other.example"))


def share(group: int) -> bytes:
    """A key share of no meaning."""
    return numbers([group]) + vector(2, b"\4" * 32)


def offer(**changes: Any) -> Edit:
    """Write pre_shared_key of connection 2 with other identities, ages or binders."""

    def body(hello: ClientHello) -> bytes:
        made = {"identities": hello.psk_identities, "ages": hello.psk_ages, "binders": hello.psk_binders} | changes
        return psks(made["identities"], made["ages"], made["binders"])

    return extension(2, HELLO, PSK, body)


def minute_older(hello: ClientHello) -> bytes:
    ages = [(age + 60_000) % 2**32 for age in hello.psk_ages]
    return psks(hello.psk_identities, ages, hello.psk_binders)


def first_psk_then_the_rest(hello: ClientHello) -> Mapping[str, Any]:
    body = hello.extensions[PSK]
    return {"extensions": {PSK: body} | {n: b for n, b in hello.extensions.items() if n != PSK}}


def offered_before(recorded: Sequence[Connection]) -> Sequence[Connection]:
    """Offer the ticket of connection 2 in connection 1 too."""
    hello = recorded[1].transcript.client_hello
    return extension(1, HELLO, PSK, hello.extensions[PSK])(recorded)


def failed(connection: Connection) -> Connection:
    """End the connection in a fatal alert."""
    alerts = (*connection.transcript.alerts, Alert(80, SERVER))
    return replace(connection, transcript=replace(connection.transcript, alerts=alerts))


def unsignalled(hello: ClientHello) -> Mapping[str, Any]:
    kept = {number: body for number, body in hello.extensions.items() if number != RENEGOTIATION}
    return {"extensions": kept, "cipher_suites": tuple(suite for suite in hello.cipher_suites if suite != 0xFF)}


def unmarked(answer: ServerHello) -> Mapping[str, Any]:
    return {"random": answer.random[:-8] + bytes(8)}


def hello(number: int, which: int = 0, **changes: Any) -> Edit:
    return message(number, HELLO, lambda _hello: changes, which=which)


def answer(number: int = 2, kind: str = ANSWER, **changes: Any) -> Edit:
    return message(number, kind, lambda _answer: changes)


def ticket(which: int = 0, **changes: Any) -> Edit:
    return message(1, TICKET, lambda _ticket: changes, which=which)


def in_hello(number: int, of: int, body: bytes | None, which: int = 0) -> Edit:
    return extension(number, HELLO, of, body, which=which)


def in_answer(of: int, body: bytes | None, number: int = 2, kind: str = ANSWER, which: int = 0) -> Edit:
    return extension(number, kind, of, body, which=which)


ALPN_OTHER = vector(2, vector(1, b"http/1.1"))
SHARES_OF_P384 = vector(2, share(P384))

BROKEN: dict[str, tuple[str, Edit]] = {
    "key_share_in_groups": ("psk", in_hello(2, SHARE, vector(2, share(SECP224R1)))),
    "one_key_share_per_group": ("psk", in_hello(2, SHARE, vector(2, share(P256) * 2))),
    "key_share_with_groups": ("psk", in_hello(2, GROUPS, None)),
    "legacy_version_is_tls12": ("psk", hello(2, legacy_version=0x0304)),
    "no_compression_offered": ("psk", hello(2, compression_methods=b"\1\0")),
    "renegotiation_signalled": ("ticket12", message(2, HELLO, unsignalled)),
    "renegotiation_verified": ("renegotiated", in_hello(1, RENEGOTIATION, None, which=1)),
    "renegotiation_answered": ("ticket12", in_answer(RENEGOTIATION, None)),
    "psk_is_last": ("psk", message(2, HELLO, first_psk_then_the_rest)),
    "psk_with_modes": ("psk", in_hello(2, MODES, None)),
    "dhe_mode_with_key_share": ("psk", in_hello(2, SHARE, None)),
    "binder_per_identity": ("psk", offer(binders=[bytes(48), bytes(48)])),
    "identity_not_empty": ("psk", offer(identities=[b""])),
    "binder_length": ("psk", offer(binders=[bytes(47)])),
    "nothing_after_binders": ("psk", extension(2, HELLO, PSK, lambda hello: hello.extensions[PSK] + b"\0")),
    "ticket_not_too_old": ("psk", older(7300)),
    "ticket_within_seven_days": ("psk", older(604_900)),
    "ticket_age_is_true": ("psk", extension(2, HELLO, PSK, minute_older)),
    "external_psk_has_no_age": (
        "external",
        extension(1, HELLO, PSK, lambda hello: psks(hello.psk_identities, [7], hello.psk_binders)),
    ),
    "suite_for_psk_offered": ("psk", hello(2, cipher_suites=(AES128_GCM,))),
    "name_in_certificate": ("psk", in_hello(2, SERVER_NAME, OTHER_NAME)),
    "same_name_resumed": ("psk", in_hello(2, SERVER_NAME, OTHER_NAME)),
    "ticket_offered_once": ("psk", offered_before),
    "early_data_with_psk": ("early", in_hello(2, PSK, None)),
    "no_early_data_after_retry": ("retry", in_hello(2, EARLY_DATA, b"", which=1)),
    "early_data_is_allowed": ("early", ticket(which=-1, max_early_data=0)),
    "early_data_fits": ("early", insert(2, ("EndOfEarlyData", CLIENT), plain("ApplicationData", CLIENT, length=5000))),
    "end_of_early_data_sent": ("early", remove(2, "EndOfEarlyData", CLIENT)),
    "early_data_with_first_psk": ("early", in_answer(PSK, numbers([1]))),
    "early_data_with_same_suite": ("early", answer(cipher_suite=AES128_GCM)),
    "early_data_with_same_alpn": ("early", in_answer(ALPN, ALPN_OTHER, kind=ENCRYPTED)),
    "no_early_data_accepted_after_retry": ("retry", in_answer(EARLY_DATA, b"", kind=ENCRYPTED)),
    "second_hello_same_fields": ("retry", hello(2, 1, random=bytes(32))),
    "second_hello_same_extensions": ("retry", in_hello(2, GROUPS, vector(2, numbers([P256])), which=1)),
    "second_hello_key_share": ("retry", in_hello(2, SHARE, SHARES_OF_P384, which=1)),
    "cookie_returned": ("retry", in_hello(2, COOKIE, vector(2, b"cookie"), which=1)),
    "second_hello_psks": ("retry", in_hello(2, PSK, None, which=1)),
    "second_hello_psk_hash": ("retry", answer(kind=RETRY, cipher_suite=AES128_GCM)),
    "one_retry": ("retry", repeat(2, RETRY, SERVER)),
    "retry_changes_the_hello": ("retry", in_answer(SHARE, None, kind=RETRY)),
    "retry_group_is_new": ("retry", in_answer(SHARE, numbers([P384]), kind=RETRY)),
    "same_suite_after_retry": ("retry", answer(kind=RETRY, cipher_suite=AES128_GCM)),
    "same_version_after_retry": ("retry", in_answer(VERSIONS, numbers([0x0303]), kind=RETRY)),
    "share_of_the_group_asked_for": ("retry", in_answer(SHARE, share(P384))),
    "session_id_echoed": ("psk", answer(session_id=bytes(32))),
    "suite_was_offered": ("psk", answer(cipher_suite=AES128_CCM)),
    "version_was_offered": ("psk", in_answer(VERSIONS, numbers([0x7F1C]))),
    "answer_legacy_fields": ("psk", answer(compression=1)),
    "downgrade_marked": ("older12", message(2, ANSWER, unmarked)),
    "downgrade_marked_by_tls12": ("older11", message(2, ANSWER, unmarked)),
    "server_share_was_offered": ("psk", in_answer(SHARE, share(P384))),
    "full_handshake_has_key_share": ("psk", in_answer(SHARE, None, number=1)),
    "selected_identity_exists": ("psk", in_answer(PSK, numbers([3]))),
    "suite_has_hash_of_psk": ("psk", answer(cipher_suite=AES128_GCM)),
    "external_binder_verifies": (
        "external",
        hello(1, external_psks=(ExternalPsk(b"Client_identity", frozenset({CLIENT})),)),
    ),
    "psk_mode_was_offered": ("psk", in_answer(SHARE, None)),
    "no_modes_from_the_server": ("psk", in_answer(MODES, b"\1\1", kind=ENCRYPTED)),
    "nothing_unasked": ("psk", in_answer(ALPN, ALPN_OTHER, kind=ENCRYPTED)),
    "extensions_in_their_place": ("psk", in_answer(EMS, b"")),
    "no_certificate_with_psk": ("psk", insert(2, (FINISHED, SERVER), plain("Certificate", SERVER))),
    "alpn_was_offered": ("early", in_answer(ALPN, ALPN_OTHER, kind=ENCRYPTED)),
    "ticket_after_finished": ("psk", move_before(1, TICKET, SERVER, (FINISHED, SERVER))),
    "ticket_lifetime_at_most_seven_days": ("psk", ticket(lifetime=604_801)),
    "ticket_not_empty": ("psk", ticket(ticket=b"")),
    "ticket_nonces_differ": ("psk", both(ticket(nonce=b"same"), ticket(1, nonce=b"same"))),
    "ticket_age_adds_are_fresh": ("psk", both(ticket(age_add=7), ticket(1, age_add=7))),
    "no_ticket_without_modes": ("psk", in_hello(1, MODES, None)),
    "asked_later_only_if_allowed": ("psk", insert(1, (TICKET, SERVER), plain("CertificateRequest", SERVER))),
    "later_answer_is_whole": ("psk", insert(1, (TICKET, SERVER), plain("Certificate", CLIENT))),
    "change_cipher_spec_in_compatibility_mode": ("psk", remove(2, CHANGE, SERVER)),
    "no_change_cipher_spec_after_finished": (
        "psk",
        insert(2, (FINISHED, CLIENT), plain(CHANGE, CLIENT, b"\1"), after=True),
    ),
    "change_cipher_spec_is_one_byte": ("psk", insert(2, (FINISHED, CLIENT), plain(CHANGE, CLIENT, b"\2"))),
    "suite_of_session_offered": ("ticket12", hello(2, cipher_suites=(OTHER12, 0xFF))),
    "resumption_echoes_session_id": ("ticket12", answer(session_id=bytes(32))),
    "echoed_session_id_means_resumption": ("id12", insert(2, (CHANGE, SERVER), plain("Certificate", SERVER))),
    "resumption_keeps_suite": ("ticket12", answer(cipher_suite=OTHER12)),
    "resumption_keeps_compression": ("ticket12", answer(compression=1)),
    "resumption_keeps_version": ("ticket12", answer(legacy_version=0x0302)),
    "server_finishes_resumption_first": ("ticket12", move_before(2, CHANGE, CLIENT, (CHANGE, SERVER))),
    "failed_session_not_resumed": ("id12", on(1, failed)),
    "announced_ticket_sent": ("ticket12", remove(1, TICKET, SERVER)),
    "no_ticket_unannounced": ("ticket12", in_answer(SESSION_TICKET, None, number=1)),
    "ticket_announcement_empty": ("ticket12", in_answer(SESSION_TICKET, b"ticket", number=1)),
    "ticket_before_change_cipher_spec": ("ticket12", move_before(1, CHANGE, SERVER, (TICKET, SERVER))),
    "ticket_with_empty_session_id": ("ticket12", answer(1, session_id=bytes(32))),
    "extended_master_secret_offered_again": ("ticket12", in_hello(2, EMS, None)),
    "no_offer_without_extended_master_secret": ("ticket12", in_answer(EMS, None, number=1)),
    "extended_master_secret_not_added": ("ticket12", in_answer(EMS, None, number=1)),
    "extended_master_secret_not_dropped": ("ticket12", in_hello(2, EMS, None)),
    "extended_master_secret_answered": ("ticket12", in_answer(EMS, None)),
    "other_name_not_resumed": ("ticket12", in_hello(2, SERVER_NAME, OTHER_NAME)),
    "name_not_answered_in_resumption": ("ticket12", in_answer(SERVER_NAME, b"")),
    "fragment_length_as_asked": ("fragment13", in_answer(FRAGMENT, b"\1", kind=ENCRYPTED)),
    "fragment_length_kept": ("ticket12", in_answer(FRAGMENT, None)),
    "encrypt_then_mac_for_block_ciphers": ("ticket12", in_answer(MAC, b"")),
    "encrypt_then_mac_kept_in_renegotiation": (
        "renegotiated",
        both(in_answer(MAC, b"", number=1), message(1, ANSWER, lambda _answer: {"cipher_suite": CBC}, which=1)),
    ),
    "session_id_empty_in_quic": ("quic", hello(2, session_id=bytes(32))),
    "transport_parameters_in_quic": ("quic", in_hello(2, TRANSPORT, None)),
    "transport_parameters_in_quic_alone": ("psk", in_hello(2, TRANSPORT, b"")),
    "protocol_agreed_in_quic": ("quic", in_answer(ALPN, None, kind=ENCRYPTED)),
    "ticket_of_quic_allows_all_early_data": ("quic", ticket(max_early_data=100)),
    "no_request_after_the_handshake_in_quic": (
        "quic",
        insert(1, (TICKET, SERVER), plain("CertificateRequest", SERVER)),
    ),
    "messages_that_quic_has_not": ("quic", insert(2, (TICKET, SERVER), plain("KeyUpdate", SERVER))),
}
"""The recording and the edit that breaks the rule."""
