"""What a server does that a client has to refuse or to ignore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tlslite.constants import CertificateType, CipherSuite, ExtensionType, HandshakeType
from tlslite.extensions import SrvPreSharedKeyExtension
from tlslite.messages import (
    CertificateRequest,
    EncryptedExtensions,
    NewSessionTicket,
    NewSessionTicket1_0,
    ServerHello,
)
from tlslite.utils.cryptomath import getRandomBytes

from harness.foreign.tlslite.liar import add, message_of, remove
from harness.foreign.tlslite.mutation import SERVER, mutation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.foreign.tlslite.liar import Liar

WEEK = 604800
LARGEST = 65535
"""Bytes of a ticket (RFC 8446, 4.6.1; RFC 5077, 3.3)."""
HUGE = 40000
UNKNOWN_EXTENSION = 0xFAFA
"""A number that is kept for GREASE (RFC 8701, 2)."""
TLS_1_1 = (3, 2)
TLS_1_3 = (3, 4)
SHA256_RSA, ECDSA_P256 = (8, 4), (4, 3)

SELECTED = "RFC 8446, 4.2.11"
ISSUED = "RFC 8446, 4.6.1"
AUTHENTICATED = "RFC 8446, 2.2 and 4.3.2"
OLDER_TICKET = "RFC 5077, 3.3"
OLDER_RESUMED = "RFC 5246, 7.3 and 7.4.1.3"


@mutation(SERVER, "1.3", SELECTED, ServerHello)
def select_psk_identity_out_of_range(_liar: Liar, hello: ServerHello) -> None:
    """The selected identity is one that the client did not offer: the second of one."""
    hello.getExtension(ExtensionType.pre_shared_key).selected = 1


@mutation(SERVER, "1.3", SELECTED, ServerHello, resuming=False)
def always_select_psk_identity(_liar: Liar, hello: ServerHello) -> None:
    """A PSK is accepted although the client offered none."""
    if hello.getExtension(ExtensionType.pre_shared_key) is None:
        hello.extensions.append(SrvPreSharedKeyExtension().create(0))


@mutation(SERVER, "1.3", SELECTED, ServerHello)
def psk_of_another_hash(_liar: Liar, hello: ServerHello) -> None:
    """The cipher suite has another hash than the PSK that is accepted."""
    of_sha256 = hello.cipher_suite in CipherSuite.sha256PrfSuites
    hello.cipher_suite = CipherSuite.TLS_AES_256_GCM_SHA384 if of_sha256 else CipherSuite.TLS_AES_128_GCM_SHA256


@mutation(SERVER, "1.3", "RFC 8446, 4.1.3", ServerHello)
def unoffered_cipher_on_resumption(_liar: Liar, hello: ServerHello) -> None:
    """The cipher suite of the resumption is one that no client offers."""
    hello.cipher_suite = CipherSuite.TLS_AES_128_CCM_8_SHA256


@mutation(SERVER, "1.3", "RFC 8446, 4.2.9", ServerHello)
def no_key_share_on_resumption(_liar: Liar, hello: ServerHello) -> None:
    """The resumption has no key_share although the client offered psk_dhe_ke alone."""
    remove(hello, ExtensionType.key_share)


@mutation(SERVER, "1.3", AUTHENTICATED, EncryptedExtensions)
def certificate_request_on_resumption(_liar: Liar, extensions: EncryptedExtensions) -> Iterable[Any]:
    """A CertificateRequest comes within a resumption."""
    asked = CertificateRequest(TLS_1_3).create(context=b"", sig_algs=[ECDSA_P256, SHA256_RSA], extensions=[])
    return (extensions, asked)


@mutation(SERVER, "1.3", AUTHENTICATED, EncryptedExtensions)
def certificate_on_resumption(liar: Liar, extensions: EncryptedExtensions) -> Iterable[Any]:
    """A Certificate comes within a resumption."""
    return (extensions, _certificate(liar))


def _certificate(liar: Liar) -> Any:
    return liar._create_cert_msg(  # noqa: SLF001 - tlslite-ng has no other way
        "server", liar.hello, [], liar.chain, CertificateType.x509, bytearray(), liar.version
    )


@mutation(SERVER, "1.3", "RFC 8446, 4.2.10", EncryptedExtensions, resuming=False)
def unsolicited_early_data_accepted(_liar: Liar, extensions: EncryptedExtensions) -> None:
    """Early data is accepted although the client sent none."""
    add(extensions, ExtensionType.early_data)


@mutation(SERVER, "1.3", "RFC 8446, 4.2", EncryptedExtensions)
def psk_in_encrypted_extensions(_liar: Liar, extensions: EncryptedExtensions) -> None:
    """pre_shared_key is in EncryptedExtensions."""
    add(extensions, ExtensionType.pre_shared_key, bytes(2))


@mutation(SERVER, "1.3", "RFC 8446, 4.1.3", ServerHello, resuming=False)
def wrong_session_id_echo(_liar: Liar, hello: ServerHello) -> None:
    """The legacy_session_id_echo is not the client's legacy_session_id."""
    hello.session_id = getRandomBytes(32)


@mutation(SERVER, "1.3", "RFC 8446, 4.1.3", ServerHello, resuming=False)
def empty_session_id_echo(_liar: Liar, hello: ServerHello) -> None:
    """The legacy_session_id_echo is empty, and the client's legacy_session_id is not."""
    hello.session_id = bytearray()


@mutation(SERVER, "1.3", "RFC 8446, 4.1.4", ServerHello, resuming=False)
def psk_in_hello_retry_request(_liar: Liar, hello: ServerHello) -> None:
    """pre_shared_key is in a HelloRetryRequest."""
    if _is_retry(hello):
        hello.extensions.append(SrvPreSharedKeyExtension().create(0))


@mutation(SERVER, "1.3", "RFC 8446, 4.1.4", ServerHello, resuming=False)
def second_hello_retry_request(_liar: Liar, hello: ServerHello) -> Iterable[Any]:
    """A second HelloRetryRequest follows the first."""
    return (hello, hello) if _is_retry(hello) else (hello,)


@mutation(SERVER, "1.3", "RFC 8446, 4.1.4", ServerHello, resuming=False)
def unnecessary_hello_retry_request(_liar: Liar, hello: ServerHello) -> None:
    """A HelloRetryRequest changes nothing in the ClientHello."""
    if _is_retry(hello):
        remove(hello, ExtensionType.cookie)
        remove(hello, ExtensionType.key_share)


def _is_retry(hello: ServerHello) -> bool:
    return hello.getExtension(ExtensionType.cookie) is not None


@mutation(SERVER, "1.3", ISSUED, NewSessionTicket, resuming=False)
def empty_session_ticket(_liar: Liar, ticket: NewSessionTicket) -> None:
    """The ticket of a NewSessionTicket has no bytes."""
    ticket.ticket = bytearray()


@mutation(SERVER, "1.3", "RFC 8446, 4.6.1: a ticket has up to 65535 bytes", NewSessionTicket, resuming=False)
def huge_session_ticket(_liar: Liar, ticket: NewSessionTicket) -> None:
    """The ticket has 40000 bytes, of which the server knows none again."""
    ticket.ticket = getRandomBytes(HUGE)


@mutation(SERVER, "1.3", "RFC 8446, 4.6.1: a ticket has up to 65535 bytes", NewSessionTicket, resuming=False)
def largest_session_ticket(_liar: Liar, ticket: NewSessionTicket) -> None:
    """The ticket has 65535 bytes, too many for the extension that would offer it."""
    ticket.ticket = getRandomBytes(LARGEST)


@mutation(SERVER, "1.3", "RFC 8446, 4.6.1: zero says to discard the ticket at once", NewSessionTicket, resuming=False)
def zero_ticket_lifetime(_liar: Liar, ticket: NewSessionTicket) -> None:
    """The lifetime of the ticket is zero."""
    ticket.ticket_lifetime = 0


@mutation(SERVER, "1.3", ISSUED, NewSessionTicket, resuming=False)
def ticket_lifetime_over_a_week(_liar: Liar, ticket: NewSessionTicket) -> None:
    """The lifetime of the ticket is a second more than seven days."""
    ticket.ticket_lifetime = WEEK + 1


@mutation(SERVER, "1.3", ISSUED, NewSessionTicket, resuming=False)
def largest_ticket_lifetime(_liar: Liar, ticket: NewSessionTicket) -> None:
    """The lifetime of the ticket is the largest number, 136 years."""
    ticket.ticket_lifetime = 0xFFFFFFFF


@mutation(SERVER, "1.3", "RFC 8446, 4.6.1: a client ignores unknown extensions", NewSessionTicket, resuming=False)
def custom_ticket_extension(_liar: Liar, ticket: NewSessionTicket) -> None:
    """The ticket has an unknown extension."""
    add(ticket, UNKNOWN_EXTENSION, b"unknown")


@mutation(SERVER, "1.3", "RFC 8446, 4.2", NewSessionTicket, resuming=False)
def duplicate_ticket_early_data(_liar: Liar, ticket: NewSessionTicket) -> None:
    """The ticket has two early_data."""
    for _ in range(2):
        add(ticket, ExtensionType.early_data, bytes(4))


@mutation(SERVER, "1.3", ISSUED, NewSessionTicket, resuming=False)
def malformed_ticket_early_data(_liar: Liar, ticket: NewSessionTicket) -> None:
    """The early_data of the ticket has three bytes in place of four."""
    add(ticket, ExtensionType.early_data, bytes(3))


@mutation(SERVER, "1.3", "RFC 8446, 4.2", NewSessionTicket, resuming=False)
def psk_in_ticket(_liar: Liar, ticket: NewSessionTicket) -> None:
    """The ticket has pre_shared_key, which is of hellos alone."""
    add(ticket, ExtensionType.pre_shared_key, bytes(2))


@mutation(SERVER, "1.3", "RFC 8446, 6", NewSessionTicket, resuming=False)
def trailing_ticket_data(_liar: Liar, ticket: NewSessionTicket) -> Iterable[Any]:
    """A byte follows the extensions of the ticket."""
    return (message_of(HandshakeType.new_session_ticket, bytes(ticket.write()[4:]) + b"\0"),)


@mutation(SERVER, "1.3", "RFC 8446, 6", NewSessionTicket, resuming=False)
def truncated_ticket_message(_liar: Liar, ticket: NewSessionTicket) -> Iterable[Any]:
    """The NewSessionTicket ends before its extensions."""
    return (message_of(HandshakeType.new_session_ticket, bytes(ticket.write()[4:-2])),)


@mutation(SERVER, "1.2", OLDER_RESUMED, ServerHello)
def resumption_with_another_session_id(_liar: Liar, hello: ServerHello) -> None:
    """The resumption does not echo the session id."""
    hello.session_id = getRandomBytes(32)


@mutation(SERVER, "1.2", OLDER_RESUMED, ServerHello)
def resumption_with_empty_session_id(_liar: Liar, hello: ServerHello) -> None:
    """The resumption has an empty session id."""
    hello.session_id = bytearray()


@mutation(SERVER, "1.2", "RFC 5246, 7.4.1.3", ServerHello, resuming=False)
def server_session_id_of_33_bytes(_liar: Liar, hello: ServerHello) -> None:
    """The session id has a byte more than it may have."""
    hello.session_id = getRandomBytes(33)


@mutation(SERVER, "1.2", OLDER_RESUMED, ServerHello, resuming=False, declines=True)
def echo_session_id_without_resumption(liar: Liar, hello: ServerHello) -> None:
    """The session id is echoed, and a full handshake follows."""
    if liar.hello is not None and liar.hello.session_id:
        hello.session_id = liar.hello.session_id


@mutation(SERVER, "1.2", "RFC 5246, 7.4.1.3", ServerHello)
def cipher_mismatch_on_resumption(_liar: Liar, hello: ServerHello) -> None:
    """The cipher suite of the resumption is another than the session's."""
    of_sha384 = hello.cipher_suite in CipherSuite.sha384PrfSuites
    suites = CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, CipherSuite.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
    hello.cipher_suite = suites[not of_sha384]


@mutation(SERVER, "1.2", "RFC 5246, 7.4.1.3", ServerHello)
def older_version_on_resumption(_liar: Liar, hello: ServerHello) -> None:
    """The resumption of a TLS 1.2 session is of TLS 1.1."""
    hello.server_version = TLS_1_1


@mutation(SERVER, "1.2", "RFC 7627, 5.3", ServerHello)
def extended_master_secret_dropped_on_resumption(_liar: Liar, hello: ServerHello) -> None:
    """The session has the extended master secret, and its resumption does not."""
    remove(hello, ExtensionType.extended_master_secret)


@mutation(SERVER, "1.2", "RFC 7627, 5.3", ServerHello, resuming=False)
def extended_master_secret_added_on_resumption(liar: Liar, hello: ServerHello) -> None:
    """The session does not have the extended master secret, and its resumption does."""
    if not liar.resuming:
        remove(hello, ExtensionType.extended_master_secret)
        liar.extendedMasterSecret, liar.late_extended_master_secret = False, True


@mutation(SERVER, "1.2", OLDER_RESUMED, ServerHello)
def certificate_on_older_resumption(liar: Liar, hello: ServerHello) -> Iterable[Any]:
    """A Certificate comes within a resumption of TLS 1.2."""
    return (hello, _certificate(liar))


@mutation(SERVER, "1.2", OLDER_RESUMED, ServerHello)
def certificate_request_on_older_resumption(liar: Liar, hello: ServerHello) -> Iterable[Any]:
    """A CertificateRequest comes within a resumption of TLS 1.2."""
    asked = CertificateRequest(liar.version).create(
        certificate_types=[64], certificate_authorities=[], sig_algs=[ECDSA_P256]
    )
    return (hello, asked)


@mutation(SERVER, "1.2", "RFC 5746, 3.4", ServerHello)
def resumption_as_server_renegotiation(_liar: Liar, hello: ServerHello) -> None:
    """The resumption of a new connection has the renegotiation_info of a renegotiation."""
    remove(hello, ExtensionType.renegotiation_info)
    add(hello, ExtensionType.renegotiation_info, b"\x18" + bytes(24))


@mutation(SERVER, "1.2", OLDER_TICKET, ServerHello, resuming=False)
def unsolicited_session_ticket(_liar: Liar, hello: ServerHello) -> None:
    """A NewSessionTicket comes, and the ServerHello has no session_ticket."""
    remove(hello, ExtensionType.session_ticket)


@mutation(SERVER, "1.2", OLDER_TICKET, NewSessionTicket1_0, resuming=False)
def promised_ticket_not_sent(_liar: Liar, _ticket: NewSessionTicket1_0) -> Iterable[Any]:
    """The ServerHello has session_ticket, and no NewSessionTicket comes."""
    return ()


@mutation(SERVER, "1.2", "RFC 5077, 3.3: a client keeps no empty ticket", NewSessionTicket1_0, resuming=False)
def empty_older_ticket(_liar: Liar, ticket: NewSessionTicket1_0) -> None:
    """The ticket of a NewSessionTicket has no bytes."""
    ticket.ticket = bytearray()


@mutation(SERVER, "1.2", "RFC 5077, 3.3: a ticket has up to 65535 bytes", NewSessionTicket1_0, resuming=False)
def huge_older_ticket(_liar: Liar, ticket: NewSessionTicket1_0) -> None:
    """The ticket has 65535 bytes, of which the server knows none again."""
    ticket.ticket = getRandomBytes(LARGEST)


@mutation(SERVER, "1.2", "RFC 5077, 3.3: zero leaves the lifetime to the client", NewSessionTicket1_0, resuming=False)
def zero_older_lifetime(_liar: Liar, ticket: NewSessionTicket1_0) -> None:
    """The lifetime hint of the ticket is zero."""
    ticket.ticket_lifetime = 0


@mutation(SERVER, "1.2", "RFC 5077, 3.3", NewSessionTicket1_0, resuming=False)
def trailing_older_ticket_data(_liar: Liar, ticket: NewSessionTicket1_0) -> Iterable[Any]:
    """A byte follows the ticket."""
    return (message_of(HandshakeType.new_session_ticket, bytes(ticket.write()[4:]) + b"\0"),)
