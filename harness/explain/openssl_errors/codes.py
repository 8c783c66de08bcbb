"""OpenSSL's reason codes in words: `reason_codes.csv` has one row for each meaning of a number of ERR_LIB_SSL.

A number can have changed its meaning between versions, so each row says since which version it holds and from which
version on it holds no more. The rows cover openssl/sslerr.h (openssl/ssl.h before 1.1.1) of 1.0.2 to 4.0. What all
libraries of OpenSSL have in common (ERR_R_* of openssl/err.h) is in `COMMON` and `LIBRARIES`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from harness.builds.versions import build_version
from harness.explain.openssl_errors.areas import Words
from harness.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE = "reason_codes.csv"
COMMON_FLAG = 1 << 19
"""ERR_RFLAG_COMMON of 3.0 and later."""
FLAGS = 3 << 18
"""ERR_RFLAG_COMMON and ERR_RFLAG_FATAL."""
LAST_COMMON = 99
"""Before 3.0 the numbers up to here are those of ERR_R_*."""
LIBRARIES = {
    2: "the operating system",
    3: "its big numbers (BN)",
    4: "RSA",
    5: "Diffie-Hellman",
    6: "its ciphers, hashes and keys (EVP)",
    7: "its buffers",
    8: "its object identifiers",
    9: "PEM",
    10: "DSA",
    11: "its certificates (X509)",
    13: "ASN.1",
    14: "its configuration",
    15: "its core (CRYPTO)",
    16: "elliptic curves",
    20: "its TLS (SSL)",
    32: "its input and output (BIO)",
    33: "PKCS7",
    34: "its certificate extensions (X509V3)",
    35: "PKCS12",
    36: "its random numbers",
    37: "its shared objects",
    38: "an engine",
    39: "OCSP",
    40: "its user interface",
    42: "ECDSA",
    44: "its stores",
    47: "its time stamps",
    57: "a provider",
}
"""Parts of OpenSSL by number (ERR_LIB_*): an ERR_R_*_LIB says that the error was made there."""
MEMORY = "{me} has no memory left"
INTERNAL = "{me} met a condition that its OpenSSL does not expect (an internal error)"
MISUSED = "a function of OpenSSL at {me} was called at a time or in a way that it does not allow"
NULL = "a function of OpenSSL at {me} was given nothing where it needs something"
DISABLED = "{me} needs a function that its OpenSSL was built without"
UNREADY = "a part of OpenSSL at {me} could not be initialised"
ARGUMENT = "a function of OpenSSL at {me} was given an argument that is not valid"
FAILED = "an operation of OpenSSL at {me} failed"
UNSUPPORTED = "the OpenSSL of {me} does not support an operation"
NO_ALGORITHM = "no provider of OpenSSL at {me} has an algorithm that the handshake needs"
COMMON = {
    58: ("NESTED_ASN1_ERROR", "{me} cannot read an ASN.1 structure"),
    59: ("BAD_ASN1_OBJECT_HEADER", "{me} cannot read an ASN.1 structure: its header is not valid"),
    60: ("BAD_GET_ASN1_OBJECT_CALL", "{me} cannot read an ASN.1 structure: an object in it is not valid"),
    61: ("EXPECTING_AN_ASN1_SEQUENCE", "{me} cannot read an ASN.1 structure: it is not a sequence"),
    62: ("ASN1_LENGTH_MISMATCH", "{me} cannot read an ASN.1 structure: a length in it is wrong"),
    63: ("MISSING_ASN1_EOS", "{me} cannot read an ASN.1 structure: its end is missing"),
    64: ("FATAL", FAILED),
    65: ("MALLOC_FAILURE", MEMORY),
    66: ("SHOULD_NOT_HAVE_BEEN_CALLED", MISUSED),
    67: ("PASSED_NULL_PARAMETER", NULL),
    68: ("INTERNAL_ERROR", INTERNAL),
    69: ("DISABLED", DISABLED),
    70: ("INIT_FAIL", UNREADY),
    72: ("OPERATION_FAIL", FAILED),
    256: ("MALLOC_FAILURE", MEMORY),
    257: ("SHOULD_NOT_HAVE_BEEN_CALLED", MISUSED),
    258: ("PASSED_NULL_PARAMETER", NULL),
    259: ("INTERNAL_ERROR", INTERNAL),
    260: ("DISABLED", DISABLED),
    261: ("INIT_FAIL", UNREADY),
    262: ("PASSED_INVALID_ARGUMENT", ARGUMENT),
    263: ("OPERATION_FAIL", FAILED),
    264: ("INVALID_PROVIDER_FUNCTIONS", "a provider of OpenSSL at {me} lacks functions"),
    265: ("INTERRUPTED_OR_CANCELLED", "an operation of OpenSSL at {me} was interrupted"),
    266: ("NESTED_ASN1_ERROR", "{me} cannot read an ASN.1 structure"),
    267: ("MISSING_ASN1_EOS", "{me} cannot read an ASN.1 structure: its end is missing"),
    268: ("UNSUPPORTED", UNSUPPORTED),
    269: ("FETCH_FAILED", NO_ALGORITHM),
    270: ("INVALID_PROPERTY_DEFINITION", "a property query of OpenSSL at {me} is not valid"),
    271: ("UNABLE_TO_GET_READ_LOCK", "{me} could not lock its data"),
    272: ("UNABLE_TO_GET_WRITE_LOCK", "{me} could not lock its data"),
}
"""ERR_R_*: those of 1.x below 100, those of 3.0 and later without their flags."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code(Words):
    """One meaning of a reason code."""

    number: int
    macro: str
    """Its name in OpenSSL's headers."""
    since: str = ""
    """The first version in which it has this meaning."""
    before: str = ""
    """The first version in which it has it no more; empty if the newest has it."""


ARGUMENT_CODE = Code(
    area="library", what=ARGUMENT, number=7, macro="ERR_R_PASSED_INVALID_ARGUMENT", since="1.1.1", before="3.0"
)
"""Before 1.1.1 and since 3.0 the number 7 is that of a library."""


@cache
def table() -> Mapping[int, tuple[Code, ...]]:
    """The meanings of each number of ERR_LIB_SSL, the oldest first."""
    found: dict[int, tuple[Code, ...]] = {}
    text = (files(__package__) / TABLE).read_text("utf-8")
    for row in csv.DictReader(text.splitlines(), delimiter="|", strict=True):
        number = int(row["number"])
        code = Code(
            area=row["area"],
            what=row["what"],
            remedy=row["remedy"],
            number=number,
            macro=f"SSL_R_{row['name']}",
            since=row["since"],
            before=row["before"],
        )
        found[number] = (*found.get(number, ()), code)
    return found


def code_of(number: int, version: str) -> Code | None:
    """The meaning of a reason code of ERR_LIB_SSL in an OpenSSL of this version; None if it has none there.

    An unknown version (an empty text, another library's number) is taken for the newest.
    """
    if number >= COMMON_FLAG or number <= LAST_COMMON:
        return _common(number & ~FLAGS) if number >= COMMON_FLAG else _old_common(number, version)
    return next((code for code in reversed(table().get(number, ())) if _holds(code, version)), None)


def _holds(code: Code, version: str) -> bool:
    try:
        known = build_version(version)
    except UsageError:
        return not code.before
    return build_version(code.since) <= known and (not code.before or known < build_version(code.before))


def others(code: Code) -> tuple[Code, ...]:
    """The meanings that its number has in other versions."""
    return tuple(other for other in table().get(code.number, ()) if other != code)


def _old_common(number: int, version: str) -> Code | None:
    return ARGUMENT_CODE if number == ARGUMENT_CODE.number and _holds(ARGUMENT_CODE, version) else _common(number)


def _common(number: int) -> Code | None:
    if number in COMMON:
        name, what = COMMON[number]
        return Code(area="library", what=what, number=number, macro=f"ERR_R_{name}")
    if number in LIBRARIES:
        what = f"{{me}} got an error from {LIBRARIES[number]}"
        return Code(area="library", what=what, number=number, macro=f"ERR_LIB_ number {number}")
    return None
