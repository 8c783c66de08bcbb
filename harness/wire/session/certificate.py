"""What a session says of the peer's certificate: when it ends, its names, and the result of its verification.

It is read by hand, as cryptography takes longer to import than an explanation takes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from harness.model.errors import SessionFormatError
from harness.wire.session.der import CONTEXT, first, octets

UTC_TIME: Final = 23
FORMATS = {UTC_TIME: "%y%m%d%H%M%SZ", 24: "%Y%m%d%H%M%SZ"}
"""UTCTime and GeneralizedTime as RFC 5280 has them."""
FIRST_GENERALIZED: Final = 2050
"""UTCTime has two digits for the year, of which those from 50 on are 1950 and later."""
SUBJECT_ALT_NAME = bytes.fromhex("551d11")
"""The object identifier 2.5.29.17 (RFC 5280, 4.2.1.6)."""
EXTENSIONS, DNS_NAME = 3, 2
"""The context tags of a certificate's extensions, and of a dNSName."""
VERIFY_RESULTS = {
    0: "X509_V_OK",
    1: "X509_V_ERR_UNSPECIFIED",
    2: "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT",
    7: "X509_V_ERR_CERT_SIGNATURE_FAILURE",
    9: "X509_V_ERR_CERT_NOT_YET_VALID",
    10: "X509_V_ERR_CERT_HAS_EXPIRED",
    18: "X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT",
    19: "X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN",
    20: "X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    21: "X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    22: "X509_V_ERR_CERT_CHAIN_TOO_LONG",
    23: "X509_V_ERR_CERT_REVOKED",
    26: "X509_V_ERR_INVALID_PURPOSE",
    27: "X509_V_ERR_CERT_UNTRUSTED",
    28: "X509_V_ERR_CERT_REJECTED",
    50: "X509_V_ERR_APPLICATION_VERIFICATION",
    62: "X509_V_ERR_HOSTNAME_MISMATCH",
    63: "X509_V_ERR_EMAIL_MISMATCH",
    64: "X509_V_ERR_IP_ADDRESS_MISMATCH",
    66: "X509_V_ERR_EE_KEY_TOO_SMALL",
    68: "X509_V_ERR_CA_MD_TOO_WEAK",
}
"""Names of the X509_V_ERR_* numbers that verify_result commonly holds (openssl/x509_vfy.h)."""


def not_after(certificate: bytes) -> int | None:
    """Seconds since the epoch; None for bytes that are not a certificate."""
    try:
        fields = first(certificate).children()[0].children()
        until = fields[4 if fields[0].kind == CONTEXT else 3].children()[1]
        end = datetime.strptime(until.content.decode("ascii"), FORMATS[until.tag]).replace(tzinfo=UTC)
        early = until.tag == UTC_TIME and end.year >= FIRST_GENERALIZED
        return int(end.replace(year=end.year - 100 if early else end.year).timestamp())
    except (SessionFormatError, ValueError, KeyError, IndexError):
        return None


def host_names(certificate: bytes) -> tuple[str, ...] | None:
    """The host names of the subjectAltName; None for bytes that are not a certificate."""
    try:
        fields = first(certificate).children()[0].children()
        extensions = [each for each in fields if (each.kind, each.tag) == (CONTEXT, EXTENSIONS)]
        found: list[str] = []
        for extension in extensions[0].children()[0].children() if extensions else ():
            name, *_, value = extension.children()
            if name.content == SUBJECT_ALT_NAME:
                names = first(octets(value, "subjectAltName")).children()
                found += [each.content.decode("ascii") for each in names if each.tag == DNS_NAME]
    except (SessionFormatError, ValueError, IndexError):
        return None
    return tuple(found)


def names_match(name: str, names: tuple[str, ...]) -> bool:
    """Whether a host name is one of those, of which the first label may be ``*`` (RFC 6125, 6.4.3)."""
    wanted = name.lower().removesuffix(".")
    return any(wanted == each.lower() or f"*.{wanted.partition('.')[2]}" == each.lower() for each in names)
