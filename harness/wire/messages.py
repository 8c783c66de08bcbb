"""Handshake messages other than hellos: tickets, and the fields of others that are worth printing."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from harness.model.errors import WireFormatError
from harness.model.transcript import EARLY_DATA, EncryptedExtensions, KeyExchange, NewSessionTicket
from harness.wire.cursor import Cursor
from harness.wire.hellos import ALPN, Extensions, protocols_of, refuse
from harness.wire.names import EXTENSIONS, list_of, name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.wire.hellos import Complain

STATUS_REQUEST: Final = 5
"""The extension (RFC 6066, 8)."""
OCSP: Final = 1
"""CertificateStatusType (RFC 6066, 8)."""
HELLO_VERIFY_REQUEST: Final = 3
NEW_SESSION_TICKET: Final = 4
ENCRYPTED_EXTENSIONS: Final = 8
CERTIFICATE: Final = 11
CERTIFICATE_STATUS: Final = 22
KEY_UPDATE: Final = 24
COMPRESSED_CERTIFICATE: Final = 25
OF_CERTIFICATES = frozenset({CERTIFICATE, CERTIFICATE_STATUS, COMPRESSED_CERTIFICATE})
SERVER_KEY_EXCHANGE: Final = 12
CLIENT_KEY_EXCHANGE: Final = 16


def new_session_ticket(body: bytes, offset: int, *, tls13: bool, complain: Complain = refuse) -> NewSessionTicket:
    """Read a NewSessionTicket (RFC 8446, 4.6.1; before TLS 1.3 RFC 5077, 3.3); WireFormatError says what is wrong.

    What is wrong behind the ticket itself goes to ``complain``: a client that does not look there keeps the ticket.
    """
    cursor = Cursor(body, "NewSessionTicket", offset)
    lifetime = cursor.number(4)
    age_add, nonce = (cursor.number(4), cursor.vector(1)) if tls13 else (0, b"")
    ticket = cursor.vector(2)
    early = 0
    try:
        if tls13:
            extensions = Extensions(cursor, complain)
            cursor.end()
            early = extensions.open(EARLY_DATA).number(4) if EARLY_DATA in extensions else 0
        cursor.end()
    except WireFormatError as error:
        complain(error)
    return NewSessionTicket(lifetime, ticket, age_add, nonce, early)


def certificates(body: bytes, offset: int, *, tls13: bool) -> tuple[bytes, ...]:
    """Read the chain of a Certificate message as DER (RFC 8446, 4.4.2; RFC 5246, 7.4.2)."""
    cursor = Cursor(body, "Certificate", offset)
    if tls13:
        cursor.vector(1)
    entries = cursor.inner(3)
    found = []
    while entries.left:
        found.append(entries.vector(3))
        if tls13:
            entries.vector(2)
    cursor.end()
    return tuple(found)


def certificate_response(body: bytes, offset: int) -> bytes:
    """Read the OCSP response of the first certificate of TLS 1.3 (RFC 8446, 4.4.2.1); empty without one."""
    cursor = Cursor(body, "Certificate", offset)
    cursor.vector(1)
    entries = cursor.inner(3)
    if not entries.left:
        return b""
    entries.vector(3)
    extensions = Extensions(entries)
    return _ocsp(extensions.open(STATUS_REQUEST)) if STATUS_REQUEST in extensions else b""


def certificate_status(body: bytes, offset: int) -> bytes:
    """Read the OCSP response of a CertificateStatus (RFC 6066, 8); WireFormatError if it has none."""
    return _ocsp(Cursor(body, "CertificateStatus", offset))


def _ocsp(cursor: Cursor) -> bytes:
    if (kind := cursor.number(1)) != OCSP:
        raise WireFormatError(f"CertificateStatus of type {kind}, which is not ocsp", 0)
    response = cursor.vector(3)
    cursor.end()
    return response


def raw_public_key(body: bytes, offset: int, *, tls13: bool) -> bytes:
    """Read the SubjectPublicKeyInfo of a Certificate message with a raw public key; empty if it has none (RFC 7250, 3).

    Before TLS 1.3 it stands there alone, where an empty list of certificates may be in its place.
    """
    if tls13:
        return next(iter(certificates(body, offset, tls13=True)), b"")
    cursor = Cursor(body, "Certificate", offset)
    found = cursor.vector(3)
    cursor.end()
    return found


def certificate_fields(chain: tuple[bytes, ...]) -> dict[str, str]:
    """How many certificates there are and how long each is."""
    return {"certificates": ", ".join(f"{len(der)} bytes" for der in chain) or "none"}


ZLIB = 1
ALGORITHMS = {ZLIB: "zlib", 2: "brotli", 3: "zstd"}
"""CertificateCompressionAlgorithm (RFC 8879, 3); Python reads zlib alone."""


def compressed_certificates(body: bytes, offset: int) -> tuple[bytes | None, dict[str, str]]:
    """Read the Certificate in a CompressedCertificate, None if its algorithm is not zlib, and what is worth printing.

    WireFormatError if it is malformed, or is not of the length that it says (RFC 8879, 4).
    """
    cursor = Cursor(body, "CompressedCertificate", offset)
    algorithm, length, compressed = cursor.number(2), cursor.number(3), cursor.vector(3)
    cursor.end()
    shown = {"algorithm": name_of(ALGORITHMS, algorithm), "uncompressed": f"{length} bytes"}
    if algorithm != ZLIB:
        return None, shown
    try:
        plain = zlib.decompressobj().decompress(compressed, length + 1)
    except zlib.error as error:
        raise WireFormatError(f"CompressedCertificate is not zlib data: {error}", offset) from error
    if len(plain) != length:
        raise WireFormatError(f"CompressedCertificate says {length} bytes and has {len(plain)} or more", offset)
    return plain, shown | certificate_fields(certificates(plain, offset, tls13=True))


def encrypted_extensions(body: bytes, offset: int) -> EncryptedExtensions:
    """Read EncryptedExtensions (RFC 8446, 4.3.1)."""
    extensions = Extensions(Cursor(body, "EncryptedExtensions", offset))
    alpn = protocols_of(extensions.open(ALPN)) if ALPN in extensions else ()
    return EncryptedExtensions(extensions.bodies, alpn)


def chosen_protocol(extensions: Mapping[int, bytes]) -> str:
    """The protocol that a server's ALPN extension names, empty if it has none; WireFormatError if it is malformed."""
    body = extensions.get(ALPN)
    return ", ".join(protocols_of(Cursor(body, "extension ALPN", 0))) if body is not None else ""


def encrypted_extensions_fields(extensions: Mapping[int, bytes]) -> dict[str, str]:
    """The extensions, and what early data and ALPN say."""
    shown = {"extensions": list_of(EXTENSIONS, tuple(extensions)) or "none"}
    if EARLY_DATA in extensions:
        shown["early_data"] = "accepted"
    if ALPN in extensions:
        shown["alpn"] = chosen_protocol(extensions)
    return shown


def _key_update(cursor: Cursor) -> dict[str, str]:
    return {"request_update": name_of({0: "update_not_requested", 1: "update_requested"}, cursor.number(1))}


NAMED_CURVE = 3
"""ECCurveType (RFC 8422, 5.4)."""
ECDHE, DHE = ("TLS_ECDHE_", "TLS_ECDH_anon_"), ("TLS_DHE_", "TLS_DH_anon_")
"""How the names of the suites begin whose ServerKeyExchange has a key of ECDH or of DH."""
FFDHE = {2048: 256, 3072: 257, 4096: 258, 6144: 259, 8192: 260}
"""The number of the group of RFC 7919 whose prime has so many bits."""
FFDHE_STARTS = 0xFFFFFFFFFFFFFFFFADF85458A2BB4A9A
"""How each of its primes begins: 64 ones and the first bits of e (RFC 7919, A); those of RFC 3526 have pi."""


def key_exchange(body: bytes, offset: int, suite: str, *, server: bool) -> KeyExchange:
    """Read a ServerKeyExchange or ClientKeyExchange of this suite, by its name at IANA, as far as it concerns sessions.

    WireFormatError says what is wrong.
    """
    cursor = Cursor(body, "ServerKeyExchange" if server else "ClientKeyExchange", offset)
    psk = cursor.vector(2) if "PSK_" in suite else None
    group = bits = dh_group = None
    if server and suite.startswith(ECDHE) and cursor.number(1) == NAMED_CURVE:
        group = cursor.number(2)
    elif server and suite.startswith(DHE):
        prime = int.from_bytes(cursor.vector(2), "big")
        bits = prime.bit_length()
        dh_group = (
            FFDHE.get(bits) if bits in FFDHE and prime >> bits - FFDHE_STARTS.bit_length() == FFDHE_STARTS else None
        )
    return KeyExchange(group, bits, dh_group, psk)


def _hello_verify_request(cursor: Cursor) -> dict[str, str]:
    """The cookie of DTLS that the client is to return (RFC 6347, 4.2.1)."""
    cursor.number(2)
    return {"cookie": f"{len(cursor.vector(1))} bytes"}


def fields_of(kind: int, body: bytes, offset: int) -> dict[str, str]:
    """What is worth printing of any other message; most have nothing."""
    if kind == HELLO_VERIFY_REQUEST:
        return _hello_verify_request(Cursor(body, "HelloVerifyRequest", offset))
    return _key_update(Cursor(body, "KeyUpdate", offset)) if kind == KEY_UPDATE else {}
