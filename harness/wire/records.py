"""One direction's bytes as TLS records, and handshake fragments as messages (RFC 8446, 5.1)."""

from __future__ import annotations

import contextlib
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from harness.model.errors import WireFormatError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.model.tls import Role
    from harness.model.transcript import Chunk

HEADER = 5
"""Bytes of a record's header: type, legacy_record_version, length."""
PREFIX = 4
"""Bytes of a handshake message's header: type, length."""
MAJOR = 3
"""The first byte of every record's version."""
LONGEST = 2**14 + 2048
"""Bytes that a record may hold: the limit of TLS 1.2 (RFC 5246, 6.2.3), which is above that of TLS 1.3."""


class ContentType(IntEnum):
    """What a record holds (RFC 8446, B.1; RFC 6520)."""

    CHANGE_CIPHER_SPEC = 20
    ALERT = 21
    HANDSHAKE = 22
    APPLICATION_DATA = 23
    HEARTBEAT = 24


CONTENT_TYPES = frozenset(map(int, ContentType))


class Record(NamedTuple):
    """One record as it was sent; ``offset`` is that of its header in the direction's stream."""

    type: int
    header: bytes
    """Type, legacy_record_version and length, as sent."""
    payload: bytes
    offset: int
    number: int | None = None
    """Of DTLS, the epoch and the number within it, which it carries; TLS counts its records."""


class RecordSplitter:
    """Cuts one direction's bytes into records, however they were chunked."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        """The beginning of a record that is not complete."""
        self._needed = HEADER
        """Bytes that the buffer must hold before it is worth a look."""
        self._offset = 0

    def feed(self, data: bytes) -> Iterator[Record]:
        """The records that are now complete; WireFormatError at the first bytes that begin no record."""
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._needed:
                return
            data = bytes(self._buffer)
            self._buffer.clear()
        at, size = 0, len(data)
        while at + HEADER <= size:
            kind, length = data[at], data[at + 3] << 8 | data[at + 4]
            if kind not in CONTENT_TYPES or data[at + 1] != MAJOR or length > LONGEST:
                raise self._refused(data[at:], length)
            start, end = at + HEADER, at + HEADER + length
            if end > size:
                break
            record = Record(kind, data[at:start], data[start:end], self._offset)
            self._offset += end - at
            at = end
            yield record
        self._needed = HEADER if at + HEADER > size else end - at
        self._buffer += data[at:]

    def _refused(self, data: bytes, length: int) -> WireFormatError:
        if data[0] in CONTENT_TYPES and data[1] == MAJOR:
            return WireFormatError(f"a record of {length} bytes, above the limit of {LONGEST}", self._offset)
        return WireFormatError(f"no TLS record but {data[:16]!r}", self._offset)

    def finish(self) -> None:
        """WireFormatError if the stream ended inside a record."""
        if self._buffer:
            raise WireFormatError(f"ends inside a record, after {len(self._buffer)} bytes of it", self._offset)


class Handshake(NamedTuple):
    """One whole handshake message; ``offset`` is that of its body, counted as if it were in one plaintext record."""

    type: int
    body: bytes
    offset: int
    sealed: bool = False
    """Whether its record was encrypted, of several the last one."""
    again: bool = False
    """Whether the message came before, as DTLS sends a flight again that has no answer."""

    @property
    def whole(self) -> bytes:
        """The message with its header."""
        return bytes([self.type]) + len(self.body).to_bytes(3, "big") + self.body


class HandshakeJoiner:
    """Joins one direction's fragments into messages: one of each, several in one, or one over several records."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._offset = 0

    def feed(self, fragment: bytes, offset: int, *, sealed: bool = False) -> Iterator[Handshake]:
        """The messages that are now complete; ``offset`` is that of the fragment in the stream."""
        buffer = self._buffer
        if not buffer:
            if len(fragment) >= PREFIX and PREFIX + int.from_bytes(fragment[1:PREFIX], "big") == len(fragment):
                yield Handshake(
                    fragment[0], fragment[PREFIX:], offset + PREFIX, sealed
                )  # mostly it is one whole message
                return
            self._offset = offset
        buffer += fragment
        while len(buffer) >= PREFIX:
            end = PREFIX + int.from_bytes(buffer[1:PREFIX], "big")
            if len(buffer) < end:
                return
            message = Handshake(buffer[0], bytes(buffer[PREFIX:end]), self._offset + PREFIX, sealed)
            del buffer[:end]
            self._offset += end
            yield message

    def finish(self) -> None:
        """WireFormatError if the stream ended inside a message."""
        if self._buffer:
            raise WireFormatError(
                f"ends inside a handshake message of type {self._buffer[0]}, after {len(self._buffer)} bytes of it",
                self._offset,
            )


def records_of(chunks: Iterable[Chunk], sender: Role) -> Iterator[Record]:
    """The whole records that an end sent; none after bytes that begin none."""
    splitter = RecordSplitter()
    with contextlib.suppress(WireFormatError):
        for chunk in chunks:
            if chunk.sender is sender:
                yield from splitter.feed(chunk.data)
