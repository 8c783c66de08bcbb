"""Recorded bytes as the IPv4 packets that a capture of loopback would hold; what carried them is made up, they are not.

Every chunk of TCP is a segment, each of which acknowledges all that came before it. FIN and RST stand where the tap met
them. Of UDP it is a datagram. Packets are those of RFC 791, RFC 9293 and RFC 768.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from harness.model.tls import Role
from harness.model.transcript import Chunk

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.model.transcript import TcpEnd

ADDRESSES = {Role.CLIENT: bytes([127, 0, 0, 1]), Role.SERVER: bytes([127, 0, 0, 2])}
"""Two, though both ends are on one: lists of packets show who sent what by the address alone."""
SERVER_PORT = 4433
"""That of s_server. Ports of the kernel's choice are not used: several have dissectors, which would see no TLS."""
CLIENT_PORTS = range(60000, 65000)
"""The first stream's, and so on. None has a dissector."""
LONGEST = 65495
"""Bytes of a segment's data, and the MSS: what an IPv4 packet of 65535 bytes has room for."""
WINDOW = 65535
"""Bytes; what is unacknowledged stays below."""
FIRST_NUMBERS = {Role.CLIENT: 0x10000000, Role.SERVER: 0x20000000}
"""Initial sequence numbers of a file's first stream; each further one has others, as ports may be used again."""
TCP, UDP = 6, 17
CHECKSUM = {TCP: 16, UDP: 6}
"""Where each has its checksum."""
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
NOT_DELIVERED = "sent after the tap had ended TCP towards both ends; the other end did not get it"
ENDED_BY_TAP = "the tap ended TCP towards both ends"


class Packet(NamedTuple):
    """An IPv4 packet; ``at`` is seconds since the connection began, ``comment`` is for people."""

    at: float
    data: bytes
    comment: str = ""


def client_port(stream: int) -> int:
    """Of a stream; those of a file are counted from 0."""
    return CLIENT_PORTS[stream % len(CLIENT_PORTS)]


def datagrams(chunks: Sequence[Chunk], stream: int) -> Iterator[Packet]:
    """A whole conversation over UDP (RFC 768), a packet each datagram."""
    ports = {Role.CLIENT: client_port(stream), Role.SERVER: SERVER_PORT}
    for chunk in chunks:
        peer = chunk.sender.peer
        header = struct.pack("!HHHH", ports[chunk.sender], ports[peer], 8 + len(chunk.data), 0)
        yield Packet(chunk.at, _ipv4(ADDRESSES[chunk.sender] + ADDRESSES[peer], header + chunk.data, UDP))


def packets(chunks: Sequence[Chunk], ends: Sequence[TcpEnd], stream: int) -> Iterator[Packet]:
    """A whole connection, from SYN to the ends that TCP came to."""
    made = _Stream(stream)
    yield Packet(0, made.segment(Role.CLIENT, SYN))
    yield Packet(0, made.segment(Role.SERVER, SYN | ACK))
    yield Packet(0, made.segment(Role.CLIENT, ACK))
    cut = min((end.at for end in ends if end.sender is None), default=None)
    for event in _in_order(chunks, ends):
        late = cut is not None and event.at > cut
        if isinstance(event, Chunk):
            for data in made.data(event.sender, event.data):
                yield Packet(event.at, data, NOT_DELIVERED if late else "")
            continue
        comment = ENDED_BY_TAP if event.at == cut else ""
        yield Packet(event.at, made.segment(event.sender, (RST if event.reset else FIN) | ACK), comment)
        if not event.reset:
            yield Packet(event.at, made.segment(event.sender.peer, ACK))


class _End(NamedTuple):
    sender: Role
    at: float
    reset: bool


def _in_order(chunks: Sequence[Chunk], ends: Sequence[TcpEnd]) -> list[Chunk | _End]:
    """Chunks and the ends of each direction: its first FIN, after all its bytes, and the first RST, after all else."""
    last = {role: max((chunk.at for chunk in chunks if chunk.sender is role), default=0.0) for role in Role}
    found = []
    for role in Role:
        mine = [end for end in ends if end.sender in {role, None}]
        found += [_End(role, max(end.at, last[role]), reset=False) for end in mine if not end.reset][:1]
        found += [_End(role, max(end.at, *last.values()), reset=True) for end in mine if end.reset][:1]
    return sorted([*chunks, *found], key=lambda event: (event.at, isinstance(event, _End) and event.reset))


class _Stream:
    """Both directions' sequence numbers."""

    def __init__(self, stream: int) -> None:
        self._ports = {Role.CLIENT: client_port(stream), Role.SERVER: SERVER_PORT}
        self._next = {role: first + stream for role, first in FIRST_NUMBERS.items()}
        self._acknowledged = dict(self._next)

    def data(self, sender: Role, data: bytes) -> Iterator[bytes]:
        """The segments of a chunk, the other end's acknowledgements between them."""
        for start in range(0, len(data), LONGEST):
            part = data[start : start + LONGEST]
            if self._next[sender] + len(part) >= self._acknowledged[sender] + WINDOW:
                yield self.segment(sender.peer, ACK)
            yield self.segment(sender, ACK | (PSH if start + LONGEST >= len(data) else 0), part)

    def segment(self, sender: Role, flags: int, data: bytes = b"") -> bytes:
        """A packet with one segment that acknowledges all that the other end has sent."""
        options = struct.pack("!BBH", 2, 4, LONGEST) if flags & SYN else b""
        number = self._next[sender] % 2**32
        acknowledged = self._next[sender.peer] % 2**32 if flags & ACK else 0
        self._acknowledged[sender.peer] = self._next[sender.peer]
        self._next[sender] += len(data) + bool(flags & (SYN | FIN))
        ports = self._ports[sender], self._ports[sender.peer]
        words = 5 + len(options) // 4
        header = struct.pack("!HHIIBBHHH", *ports, number, acknowledged, words << 4, flags, WINDOW, 0, 0)
        return _ipv4(ADDRESSES[sender] + ADDRESSES[sender.peer], header + options + data)


def _ipv4(addresses: bytes, segment: bytes, protocol: int = TCP) -> bytes:
    """A packet with the checksums of both; no fragment, so that its identification may be 0 (RFC 6864, 4.1)."""
    pseudo = addresses + struct.pack("!HH", protocol, len(segment))
    place = CHECKSUM[protocol]
    segment = segment[:place] + checksum(pseudo + segment) + segment[place + 2 :]
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0x4000, 64, protocol, 0) + addresses
    return header[:10] + checksum(header) + header[12:] + segment


def checksum(data: bytes) -> bytes:
    """The Internet checksum (RFC 1071): the negative of the bytes, read as one number, modulo 65535."""
    return (-int.from_bytes(data + b"\0" * (len(data) % 2), "big") % 0xFFFF).to_bytes(2, "big")
