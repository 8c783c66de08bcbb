"""When a certificate ends, from its DER (RFC 5280, 4.1.2.5); nothing else of it is read, and nothing is verified.

By hand, for asn1crypto.x509 and cryptography take longer to import than the rest of an explanation takes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from asn1crypto import parser

CONTEXT: Final = 2
UTC_TIME: Final = 23
FORMATS = {UTC_TIME: "%y%m%d%H%M%SZ", 24: "%Y%m%d%H%M%SZ"}
"""UTCTime and GeneralizedTime as RFC 5280 has them."""
FIRST_GENERALIZED: Final = 2050
"""UTCTime has two digits for the year, of which those from 50 on are 1950 and later."""


def not_after(certificate: bytes) -> int | None:
    """Seconds since the epoch; None for bytes that are no certificate."""
    try:
        fields = _elements(_contents(_contents(certificate, whole=True)))
        validity = fields[4 if parser.parse(fields[0])[0] == CONTEXT else 3]
        _class, _method, tag, _header, text, _trailer = parser.parse(_elements(_contents(validity))[1])
        end = datetime.strptime(text.decode("ascii"), FORMATS[tag]).replace(tzinfo=UTC)
        early = tag == UTC_TIME and end.year >= FIRST_GENERALIZED
        return int(end.replace(year=end.year - 100 if early else end.year).timestamp())
    except (ValueError, KeyError, IndexError):
        return None


def _contents(element: bytes, *, whole: bool = False) -> bytes:
    """What is in the first element; with ``whole`` it must be the only one."""
    contents: bytes = parser.parse(element, strict=whole)[4]
    return contents


def _elements(contents: bytes) -> list[bytes]:
    found = []
    while contents:
        length = parser.peek(contents)
        found.append(contents[:length])
        contents = contents[length:]
    return found
