"""One direction's bytes as TLS records, and handshake fragments as messages (RFC 8446, 5.1)."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from harness.model.errors import WireFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = 5
"""Bytes of a record's header: type, legacy_record_version, length."""
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


class RecordSplitter:
    """Cuts one direction's bytes into records, however they were chunked."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._offset = 0

    def feed(self, data: bytes) -> Iterator[Record]:
        """The records that are now complete; WireFormatError at the first bytes that begin no record."""
        buffer = self._buffer
        buffer += data
        while len(buffer) >= HEADER:
            kind, version, length = buffer[0], buffer[1] << 8 | buffer[2], buffer[3] << 8 | buffer[4]
            self._check(kind, version, length)
            end = HEADER + length
            if len(buffer) < end:
                return
            record = Record(kind, bytes(buffer[:HEADER]), bytes(buffer[HEADER:end]), self._offset)
            del buffer[:end]
            self._offset += end
            yield record

    def _check(self, kind: int, version: int, length: int) -> None:
        if kind not in CONTENT_TYPES or version >> 8 != 3:  # noqa: PLR2004 - every TLS record's version begins with 3
            raise WireFormatError(f"no TLS record but {bytes(self._buffer[:16])!r}", self._offset)
        if length > LONGEST:
            raise WireFormatError(f"a record of {length} bytes, above the limit of {LONGEST}", self._offset)

    def finish(self) -> None:
        """WireFormatError if the stream ended inside a record."""
        if self._buffer:
            raise WireFormatError(f"ends inside a record, after {len(self._buffer)} bytes of it", self._offset)


class Handshake(NamedTuple):
    """One whole handshake message; ``offset`` is that of its body, counted as if it were in one plaintext record."""

    type: int
    body: bytes
    offset: int


class HandshakeJoiner:
    """Joins one direction's fragments into messages: one of each, several in one, or one over several records."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._offset = 0

    def feed(self, fragment: bytes, offset: int) -> Iterator[Handshake]:
        """The messages that are now complete; ``offset`` is that of the fragment in the stream."""
        buffer = self._buffer
        if not buffer:
            self._offset = offset
        buffer += fragment
        while len(buffer) >= 4:  # noqa: PLR2004 - the header of a handshake message: type, length in three bytes
            end = 4 + int.from_bytes(buffer[1:4], "big")
            if len(buffer) < end:
                return
            message = Handshake(buffer[0], bytes(buffer[4:end]), self._offset + 4)
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
