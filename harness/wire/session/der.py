"""Cuts DER into elements, each with its offset, and puts them together again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asn1crypto import parser

from harness.model.errors import SessionFormatError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

UNIVERSAL = 0
CONTEXT = 2
INTEGER = 2
OCTET_STRING = 4
SEQUENCE = 16
LONG_TAG = 31
"""Tags from here on take bytes of their own after the first."""
LONG_SIZE = 128
"""Contents from this many bytes on have a length in bytes of its own."""
SEQUENCE_BYTE = 0x30
"""The tag byte of every SEQUENCE (constructed)."""
CONSTRUCTED = 0x20
"""The bit of a tag byte that says so."""
SIGN = 0x80
"""The bit of the first byte of an INTEGER that makes it negative."""
LONGER_NEGATIVE = 0xFF
"""A first byte that adds nothing to a negative INTEGER, as 0 does to another (X.690, 8.3.2)."""
MOST_OF_A_TAG = 5
"""Bytes of an identifier; OpenSSL's own tags have one."""

UNIVERSAL_NAMES = {INTEGER: "INTEGER", OCTET_STRING: "OCTET STRING", SEQUENCE: "SEQUENCE"}


class Element(NamedTuple):
    """One element. ``offset`` is where its first byte is in the whole DER, -1 for one that was made here."""

    kind: int
    """The class of its tag: UNIVERSAL or CONTEXT; 1 application, 3 private."""
    constructed: bool
    tag: int
    content: bytes
    offset: int = -1
    header: int = 0
    """Bytes before its content, 0 for one that was made here."""

    @property
    def der(self) -> bytes:
        """The element as bytes, header first."""
        der: bytes = parser.emit(self.kind, int(self.constructed), self.tag, self.content)
        return der

    @property
    def content_offset(self) -> int:
        """Where its content begins in the whole DER."""
        return self.offset + self.header

    @property
    def name(self) -> str:
        """How ASN.1 writes its tag: ``INTEGER``, ``[3]``."""
        if self.kind == CONTEXT:
            return f"[{self.tag}]"
        if self.kind == UNIVERSAL:
            return UNIVERSAL_NAMES.get(self.tag, f"universal tag {self.tag}")
        return f"tag {self.tag} of class {self.kind}"

    def children(self) -> tuple[Element, ...]:
        """The elements of its content; SessionFormatError where there is none."""
        return tuple(elements(self.content, self.content_offset))


def _cut(offset: int) -> SessionFormatError:
    return SessionFormatError("an element is cut short", offset)


def _long_tag(data: bytes, at: int, offset: int) -> tuple[int, int]:
    """The tag number of several bytes whose identifier begins there, and where its length begins (X.690, 8.1.2.4)."""
    tag, done = 0, at + 1
    while True:
        tag = tag << 7 | data[done] & 0x7F
        done += 1
        if data[done - 1] < LONG_SIZE:
            break
        if done - at > MOST_OF_A_TAG:
            raise SessionFormatError(f"a tag has more than {MOST_OF_A_TAG} bytes", offset + at)
    if tag < LONG_TAG or data[at + 1] == LONG_SIZE:
        raise SessionFormatError("a tag is not in the fewest bytes", offset + at)
    return tag, done


def _long_size(data: bytes, at: int, offset: int) -> tuple[int, int]:
    """The length of several bytes that begins there, and where the content begins (X.690, 8.1.3.5 and 10.1)."""
    wanted = data[at] & 0x7F
    octets = data[at + 1 : at + 1 + wanted]
    if len(octets) < wanted:
        raise _cut(offset + at)
    size = int.from_bytes(octets, "big")
    if size < LONG_SIZE or octets[0] == 0:
        raise SessionFormatError("a length is not encoded as DER demands: definite, in the fewest bytes", offset + at)
    return size, at + 1 + wanted


def first(data: bytes, offset: int = 0, at: int = 0) -> Element:
    """The element that begins at a place of the data, which lie at an offset of the whole DER; more may follow it.

    SessionFormatError if it is cut short, or encoded in a way that BER allows and DER does not (X.690, 10.1: definite
    lengths in the fewest bytes).
    """
    try:
        identifier = data[at]
        tag, start = identifier & LONG_TAG, at + 1
        if tag == LONG_TAG:
            tag, start = _long_tag(data, at, offset)
        size = data[start]
        if size < LONG_SIZE:
            start += 1
        else:
            size, start = _long_size(data, start, offset)
    except IndexError:
        raise _cut(offset + at) from None
    end = start + size
    if end > len(data):
        raise _cut(offset + at)
    return Element(identifier >> 6, identifier & CONSTRUCTED != 0, tag, data[start:end], offset + at, start - at)


def elements(data: bytes, offset: int = 0) -> Iterator[Element]:
    """Each element of the data; SessionFormatError as in `first`."""
    done = 0
    while done < len(data):
        element = first(data, offset, done)
        yield element
        done += element.header + len(element.content)


def sequence(children: Iterable[Element]) -> Element:
    """A SEQUENCE of the elements."""
    return Element(UNIVERSAL, constructed=True, tag=SEQUENCE, content=b"".join(child.der for child in children))


def _fewest(value: int) -> int:
    """Bytes of an INTEGER (X.690, 8.3.2)."""
    return (value if value >= 0 else ~value).bit_length() // 8 + 1


def integer(value: int) -> Element:
    """An INTEGER in the fewest bytes."""
    content = value.to_bytes(_fewest(value), "big", signed=True)
    return Element(UNIVERSAL, constructed=False, tag=INTEGER, content=content)


def octet_string(value: bytes) -> Element:
    """An OCTET STRING."""
    return Element(UNIVERSAL, constructed=False, tag=OCTET_STRING, content=value)


def explicit(tag: int, inner: Element) -> Element:
    """An element in an EXPLICIT context tag."""
    return Element(CONTEXT, constructed=True, tag=tag, content=inner.der)


def expect(element: Element, tag: int, what: str) -> None:
    """SessionFormatError if the element has not this universal tag."""
    if (element.kind, element.constructed, element.tag) != (UNIVERSAL, tag == SEQUENCE, tag):
        raise SessionFormatError(f"{element.name} where {what} is expected, {UNIVERSAL_NAMES[tag]}", element.offset)


def inner(element: Element, what: str) -> Element:
    """The one element in an EXPLICIT tag; SessionFormatError if it holds none or several."""
    if not element.constructed:
        raise SessionFormatError(f"{element.name} of {what} holds no element", element.offset)
    content = element.content
    found = first(content, element.content_offset) if content else None
    if found is None or found.header + len(found.content) != len(content):
        held = len(element.children())
        raise SessionFormatError(f"{element.name} of {what} holds {held} elements, not one", element.offset)
    return found


def integer_value(element: Element, what: str) -> int:
    """The value of an INTEGER; SessionFormatError if it is none, or not in the fewest bytes."""
    expect(element, INTEGER, what)
    content = element.content
    if not content or (len(content) > 1 and content[0] == (LONGER_NEGATIVE if content[1] & SIGN else 0)):
        raise SessionFormatError(f"{what} is an INTEGER that is not in the fewest bytes", element.offset)
    return int.from_bytes(content, "big", signed=True)


def octets(element: Element, what: str) -> bytes:
    """The bytes of an OCTET STRING; SessionFormatError if it is none."""
    expect(element, OCTET_STRING, what)
    return element.content
