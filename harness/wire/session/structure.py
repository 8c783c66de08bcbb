"""The ASN.1 structure of an SSL_SESSION: its fields by name, with their bounds checked.

The structure is SSL_SESSION_ASN1 of OpenSSL's ssl/ssl_asn1.c. It is the same in 1.1.1, 3.x and 4.0 but for what was
added at its end: [19] kex_group in 3.0, [20] peer_rpk in 3.2. A field with any other tag is kept as it is.
"""

from __future__ import annotations

import dataclasses
from itertools import islice
from typing import TYPE_CHECKING

from harness.model.errors import SessionFormatError, UsageError
from harness.model.session import EDITABLE
from harness.wire.session import der as asn1

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.wire.session.der import Element

FORMAT = 1
"""SSL_SESSION_ASN1_VERSION."""
MOST_ELEMENTS = 256
"""Fields of a session that are read; OpenSSL writes at most 26."""
SSL2 = 2
"""ssl_version of SSLv2, whose cipher has 3 bytes."""
MOST_OF_A_NUMBER = 9
"""Bytes of an INTEGER of 64 bits without a sign, at most."""
TIME, TIMEOUT, CERTIFICATE = 1, 2, 3
"""Context tags."""
CIPHER = 2
"""Which of the mandatory elements it is, from 0."""


@dataclasses.dataclass(frozen=True, slots=True)
class Number:
    """An INTEGER and its C type in SSL_SESSION_ASN1."""

    name: str
    bits: int
    signed: bool = False
    least: int = dataclasses.field(init=False)
    greatest: int = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        """Set the bounds, which each session is checked against."""
        object.__setattr__(self, "least", -(1 << self.bits - 1) if self.signed else 0)
        object.__setattr__(self, "greatest", (1 << self.bits - self.signed) - 1)

    def check(self, value: int, offset: int) -> int:
        """The same value; SessionFormatError if its C type cannot hold it."""
        if not self.least <= value <= self.greatest:
            raise SessionFormatError(f"{self.name} is {value}, beyond {self.least} to {self.greatest}", offset)
        return value


@dataclasses.dataclass(frozen=True, slots=True)
class Octets:
    """An OCTET STRING, and how many bytes d2i_SSL_SESSION allows; None is any number."""

    name: str
    least: int = 0
    most: int | None = None

    def check(self, value: bytes, offset: int) -> bytes:
        """The same value; SessionFormatError if it is too short or too long."""
        if len(value) < self.least or (self.most is not None and len(value) > self.most):
            allowed = f"{self.least}" if self.least == self.most else f"{self.least} to {self.most}"
            raise SessionFormatError(f"{self.name} has {len(value)} bytes where {allowed} are allowed", offset)
        return value


MANDATORY: tuple[Number | Octets, ...] = (
    Number("the version of the format", 32),
    Number("ssl_version", 32, signed=True),
    Octets("cipher", 2, 3),
    Octets("session_id", 0, 32),
    Octets("master_key", 0, 512),
)
"""In this order, without tags. TLS13_MAX_RESUMPTION_PSK_LENGTH is 512, and 256 in 1.1.1."""

PEER = "peer_certificate"

OPTIONAL: dict[int, Number | Octets] = {
    TIME: Number("time", 64, signed=True),
    TIMEOUT: Number("timeout", 64, signed=True),
    4: Octets("session_id_context", 0, 32),
    5: Number("verify_result", 32, signed=True),
    6: Octets("server_name"),
    7: Octets("psk_identity_hint"),
    8: Octets("psk_identity"),
    9: Number("lifetime_hint", 64),
    10: Octets("ticket"),
    11: Octets("compression", 1, 1),
    12: Octets("srp_username"),
    13: Number("flags", 64),
    14: Number("age_add", 32),
    15: Number("max_early_data", 32),
    16: Octets("alpn"),
    17: Number("max_fragment_length_mode", 32),
    18: Octets("ticket_appdata"),
    19: Number("kex_group", 32),
    20: Octets("peer_rpk"),
}
KEY_ARG, KEY_ARG_TAG = Octets("key_arg", 0, 8), 0
"""IMPLICIT, unlike all others; only an SSLv2 session has it (SSL_MAX_KEY_ARG_LENGTH)."""
"""By context tag, each EXPLICIT; [3] is a SEQUENCE and not here."""
NO_NUMBERS = {field.name: 0 for field in OPTIONAL.values() if isinstance(field, Number)}
NO_OCTETS = {
    PEER: b"",
    KEY_ARG.name: b"",
    **{field.name: b"" for field in OPTIONAL.values() if isinstance(field, Octets)},
}
"""The optional fields where they are absent."""


@dataclasses.dataclass(frozen=True, slots=True)
class Fields:
    """The fields by name; an optional one that is absent is 0 or empty."""

    numbers: dict[str, int]
    octets: dict[str, bytes]
    unknown: list[Element]
    """With a tag that no known OpenSSL writes."""

    def put(self, field: Number | Octets, element: Element) -> None:
        """Take a field's value from its element, checked."""
        if isinstance(field, Number):
            if len(element.content) > MOST_OF_A_NUMBER:
                asn1.expect(element, asn1.INTEGER, field.name)
                raise SessionFormatError(
                    f"{field.name} has {len(element.content)} bytes, beyond 64 bits", element.offset
                )
            self.numbers[field.name] = field.check(asn1.integer_value(element, field.name), element.offset)
        else:
            self.octets[field.name] = field.check(asn1.octets(element, field.name), element.offset)


def read(der: bytes) -> tuple[Element, ...]:
    """The elements in the outer SEQUENCE, none changed; SessionFormatError if there is no such SEQUENCE alone."""
    if not der:
        raise SessionFormatError("no bytes at all", 0)
    if der[0] != asn1.SEQUENCE_BYTE:
        raise SessionFormatError(
            f"byte 0x{der[0]:02x} where a session begins with SEQUENCE: this is not an SSL_SESSION", 0
        )
    root = asn1.first(der)
    size = root.header + len(root.content)
    if size != len(der):
        raise SessionFormatError(f"{len(der) - size} bytes too many follow the session", size)
    children = tuple(islice(asn1.elements(root.content, root.content_offset), MOST_ELEMENTS + 1))
    if len(children) > MOST_ELEMENTS:
        raise SessionFormatError(f"a session has at most {MOST_ELEMENTS} fields", children[-1].offset)
    return children


def write(elements: Iterable[Element]) -> bytes:
    """The DER of the elements in a SEQUENCE; ``write(read(der)) == der``."""
    return asn1.sequence(elements).der


def fields(elements: tuple[Element, ...], end: int) -> Fields:
    """The fields of the elements that ``read`` gave; ``end`` is the length of the whole DER.

    SessionFormatError if one is missing, of another type, out of its bounds or out of order.
    """
    result = Fields(dict(NO_NUMBERS), dict(NO_OCTETS), [])
    for at, field in enumerate(MANDATORY):
        if at == len(elements):
            raise SessionFormatError(f"the session ends before {field.name}", end)
        result.put(field, elements[at])
        if at == 0 and result.numbers[field.name] != FORMAT:
            found = result.numbers[field.name]
            raise SessionFormatError(f"{field.name} is {found} where an SSL_SESSION has {FORMAT}", elements[0].offset)
    size = 3 if result.numbers["ssl_version"] == SSL2 else 2
    Octets("cipher", size, size).check(result.octets["cipher"], elements[CIPHER].offset)
    last = -1
    for element in elements[len(MANDATORY) :]:
        if element.kind != asn1.CONTEXT or element.tag <= last:
            after = "master_key" if last < 0 else f"[{last}]"
            raise SessionFormatError(f"{element.name} cannot follow {after}", element.offset)
        last = element.tag
        if last in OPTIONAL:
            result.put(OPTIONAL[last], asn1.inner(element, OPTIONAL[last].name))
        elif last == CERTIFICATE:
            certificate = asn1.inner(element, PEER)
            asn1.expect(certificate, asn1.SEQUENCE, PEER)
            result.octets[PEER] = certificate.der
        elif last == KEY_ARG_TAG and not element.constructed:
            result.octets[KEY_ARG.name] = KEY_ARG.check(element.content, element.offset)
        else:
            result.unknown.append(element)
    return result


def place(name: str) -> int:
    """Where a field is: its context tag, or a negative number for a mandatory one; UsageError if there is none."""
    for at, field in enumerate(MANDATORY):
        if at and field.name == name:
            return at - len(MANDATORY)
    for tag, optional in OPTIONAL.items():
        if optional.name == name:
            return tag
    if name == PEER:
        return CERTIFICATE
    raise UsageError(f"a session has no field {name} that can be changed; those that can: {', '.join(EDITABLE)}")


def element(where: int, value: int | bytes) -> Element:
    """The element of a field with this value; SessionFormatError or TypeError if the field cannot hold it."""
    if where == CERTIFICATE:
        inner = asn1.first(value if isinstance(value, bytes) else b"")
        asn1.expect(inner, asn1.SEQUENCE, PEER)
        return asn1.explicit(where, inner)
    field = OPTIONAL[where] if where >= 0 else MANDATORY[where]
    if isinstance(field, Number):
        if not isinstance(value, int):
            raise TypeError(field.name)
        made = asn1.integer(field.check(value, 0))
    else:
        if not isinstance(value, bytes):
            raise TypeError(field.name)
        made = asn1.octet_string(field.check(value, 0))
    return made if where < 0 else asn1.explicit(where, made)


def replaced(elements: tuple[Element, ...], where: int, made: Element | None) -> tuple[Element, ...]:
    """The elements with another one in a place; None leaves it out."""
    if where < 0:
        at = len(MANDATORY) + where
        return (*elements[:at], *([made] if made else []), *elements[at + 1 :])
    start = len(MANDATORY)
    before = tuple(e for e in elements[start:] if e.tag < where)
    after = tuple(e for e in elements[start:] if e.tag > where)
    return *elements[:start], *before, *([made] if made else []), *after
