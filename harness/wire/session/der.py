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
SHORT_HEADER = 2
"""Bytes of a header with a short tag and a short length."""

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


def _shortest(tag: int, size: int) -> int:
    """Bytes of the header that DER demands for a tag and so many bytes of content (X.690, 8.1.2 and 10.1)."""
    more = (tag.bit_length() + 6) // 7 if tag >= LONG_TAG else 0
    return 2 + more + (0 if size < LONG_SIZE else (size.bit_length() + 7) // 8)


def first(data: bytes, offset: int = 0) -> Element:
    """The element that the data begin with; they lie at an offset of the whole DER, and more may follow.

    SessionFormatError if it is cut short, or encoded in a way that BER allows and DER does not (X.690, 10.1: definite
    lengths in the fewest bytes).
    """
    short = len(data) >= SHORT_HEADER and data[0] & LONG_TAG != LONG_TAG and data[1] < LONG_SIZE
    if short and len(data) >= SHORT_HEADER + data[1]:  # most of them: no need for the library
        content = data[SHORT_HEADER : SHORT_HEADER + data[1]]
        return Element(data[0] >> 6, bool(data[0] & CONSTRUCTED), data[0] & LONG_TAG, content, offset, SHORT_HEADER)
    try:
        kind, constructed, tag, header, content, trailer = parser.parse(data)
    except ValueError as error:
        raise SessionFormatError(f"an element is cut short or malformed ({error})", offset) from error
    element = Element(kind, bool(constructed), tag, content, offset, len(header))
    if trailer or element.header != _shortest(tag, len(content)):
        raise SessionFormatError(f"{element.name} is not encoded as DER demands", offset)
    return element


def elements(data: bytes, offset: int = 0) -> Iterator[Element]:
    """Each element of the data; SessionFormatError as in `first`."""
    done = 0
    while done < len(data):
        element = first(data[done:], offset + done)
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
    found = element.children()
    if len(found) != 1:
        raise SessionFormatError(f"{element.name} of {what} holds {len(found)} elements, not one", element.offset)
    return found[0]


def integer_value(element: Element, what: str) -> int:
    """The value of an INTEGER; SessionFormatError if it is none, or not in the fewest bytes."""
    expect(element, INTEGER, what)
    value = int.from_bytes(element.content, "big", signed=True)
    if len(element.content) != _fewest(value):
        raise SessionFormatError(f"{what} is an INTEGER that is not in the fewest bytes", element.offset)
    return value


def octets(element: Element, what: str) -> bytes:
    """The bytes of an OCTET STRING; SessionFormatError if it is none."""
    expect(element, OCTET_STRING, what)
    return element.content
