"""Cuts datagrams into packets by their headers (RFC 9000, 12.2 and 17)."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from harness.agent.vocabulary import QUIC_NUMBER
from harness.model.errors import WireFormatError

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG_HEADER = 0xC0
"""The bits of the first byte that every long header of version 1 has set, the fixed one included."""
FIXED = 0x40
VERSION = QUIC_NUMBER.to_bytes(4, "big")
INTEGRITY_TAG = 16
"""Bytes at the end of a Retry packet (RFC 9001, 5.8)."""


class PacketType(IntEnum):
    """The types of packets; those below APPLICATION are numbers of long headers (RFC 9000, 17.2)."""

    INITIAL = 0
    EARLY = 1
    """0-RTT."""
    HANDSHAKE = 2
    RETRY = 3
    APPLICATION = 4
    """1-RTT, which has a short header."""


class Packet(NamedTuple):
    """One packet as it was sent."""

    type: PacketType
    destination: bytes
    """Its destination connection id."""
    source: bytes
    """Its source connection id, empty in a short header."""
    token: bytes
    """That of an Initial or a Retry packet."""
    header: bytes
    """All before the packet number."""
    sealed: bytes
    """The packet number and the payload, both protected."""
    offset: int
    """That of its first byte in what its sender has sent."""


def is_quic(datagram: bytes) -> bool:
    """Whether a conversation of QUIC version 1 can begin so; no record of TLS or DTLS does."""
    return len(datagram) > len(VERSION) and datagram[0] & LONG_HEADER == LONG_HEADER and datagram[1:5] == VERSION


class Bytes:
    """Reads the parts of a packet; WireFormatError where it ends too early."""

    def __init__(self, data: bytes, offset: int) -> None:
        self.data = data
        self.at = 0
        self._offset = offset

    @property
    def left(self) -> int:
        """How many bytes are still to be read."""
        return len(self.data) - self.at

    def take(self, size: int) -> bytes:
        """So many bytes."""
        if size > self.left:
            raise WireFormatError(f"QUIC: {size} bytes are to follow, and {self.left} do", self._offset + self.at)
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self) -> int:
        """An integer of variable length (RFC 9000, 16)."""
        first = self.take(1)[0]
        return int.from_bytes(bytes([first & 0x3F]) + self.take((1 << (first >> 6)) - 1), "big")

    def vector(self) -> bytes:
        """Bytes after their length, an integer of variable length."""
        return self.take(self.number())


def packets_of(datagram: bytes, offset: int, id_length: int) -> Iterator[Packet]:
    """The packets of a datagram; WireFormatError at what is none.

    ``id_length`` is that of the connection ids which the receiver chose: a short header does not say it.
    """
    reader = Bytes(datagram, offset)
    while reader.left:
        start = reader.at
        first = reader.take(1)[0]
        if not first & FIXED:
            raise WireFormatError(f"no QUIC packet but {datagram[start : start + 16]!r}", offset + start)
        if first & LONG_HEADER != LONG_HEADER:
            destination = reader.take(id_length)
            header = datagram[start : reader.at]
            yield Packet(
                PacketType.APPLICATION, destination, b"", b"", header, reader.take(reader.left), offset + start
            )
            return
        if reader.take(4) != VERSION:
            raise WireFormatError(f"a QUIC packet of version {datagram[start + 1 : start + 5].hex()}", offset + start)
        kind = PacketType((first >> 4) & 3)
        destination, source = reader.take(reader.take(1)[0]), reader.take(reader.take(1)[0])
        if kind is PacketType.RETRY:
            token = reader.take(max(reader.left - INTEGRITY_TAG, 0))
            reader.take(reader.left)
            yield Packet(kind, destination, source, token, datagram[start:], b"", offset + start)
            return
        token = reader.vector() if kind is PacketType.INITIAL else b""
        size = reader.number()
        header = datagram[start : reader.at]
        yield Packet(kind, destination, source, token, header, reader.take(size), offset + start)
