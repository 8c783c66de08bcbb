"""Reads a pcapng file and the IPv4 packets in it with struct alone, and refuses what the formats do not allow."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import NamedTuple

from harness.model.tls import Role

KINDS = {0x0A0D0D0A: "section", 1: "interface", 6: "packet", 10: "secrets"}
HEADS = {"section": 16, "interface": 8, "packet": 20, "secrets": 8}
"""Bytes of a body's fixed part."""
ROLES = {bytes([127, 0, 0, 1]): Role.CLIENT, bytes([127, 0, 0, 2]): Role.SERVER}
FLAGS = {1: "FIN", 2: "SYN", 4: "RST", 8: "PSH", 16: "ACK"}


class Block(NamedTuple):
    """A block: its fixed part, its data, and its options by number."""

    kind: str
    head: bytes
    data: bytes
    options: dict[int, bytes]


class Segment(NamedTuple):
    """A packet's TCP segment; ``at`` is nanoseconds since 1970, ``flags`` are names without PSH."""

    at: int
    sender: Role
    ports: frozenset[int]
    number: int
    acknowledged: int
    flags: str
    data: bytes
    comment: str


@dataclass
class File:
    """What a file holds."""

    blocks: list[Block]
    segments: list[Segment] = field(default_factory=list)

    @property
    def secrets(self) -> list[str]:
        """The lines of all key logs in it."""
        return [line for block in self.blocks if block.kind == "secrets" for line in block.data.decode().splitlines()]

    def stream(self, sender: Role, client_port: int = 60000) -> bytes:
        """One direction's bytes as a receiver would put them together, by sequence numbers."""
        mine = [s for s in self.segments if s.sender is sender and client_port in s.ports]
        found = b""
        due = mine[0].number
        for segment in mine:
            assert segment.number == due
            due += len(segment.data) + ("SYN" in segment.flags) + ("FIN" in segment.flags)
            found += segment.data
        return found

    def acknowledged(self, client_port: int = 60000) -> bool:
        """Whether each segment with ACK acknowledges all that the other end has sent before it, and no more."""
        due = dict.fromkeys(Role, 0)
        right = True
        for segment in (s for s in self.segments if client_port in s.ports):
            right &= "ACK" not in segment.flags or segment.acknowledged == due[segment.sender.peer]
            due[segment.sender] = segment.number + len(segment.data)
            due[segment.sender] += ("SYN" in segment.flags) + ("FIN" in segment.flags)
        return right

    def flags(self, client_port: int = 60000) -> list[tuple[Role, str]]:
        """Who sent which flags, of the segments without data."""
        return [(s.sender, s.flags) for s in self.segments if not s.data and client_port in s.ports]


def read_file(content: bytes) -> File:
    """The blocks and segments; AssertionError where a length, a padding or a checksum is wrong."""
    file = File([])
    at = 0
    while at < len(content):
        kind, size = struct.unpack_from("<II", content, at)
        assert size % 4 == 0
        assert content[at + size - 4 : at + size] == struct.pack("<I", size)
        file.blocks.append(_block(KINDS[kind], content[at + 8 : at + size - 4]))
        at += size
    file.segments = [_segment(block) for block in file.blocks if block.kind == "packet"]
    return file


def _block(kind: str, body: bytes) -> Block:
    head, rest = body[: HEADS[kind]], body[HEADS[kind] :]
    size = {"packet": 12, "secrets": 4}.get(kind)
    length = struct.unpack_from("<I", head, size)[0] if size is not None else 0
    data, rest = rest[:length], rest[length + -length % 4 :]
    options: dict[int, bytes] = {}
    while rest:
        code, length = struct.unpack_from("<HH", rest)
        options[code], rest = rest[4 : 4 + length], rest[4 + length + -length % 4 :]
    assert not options or options.pop(0) == b""
    return Block(kind, head, data, options)


def _sum(data: bytes) -> int:
    """The ones' complement sum of 16-bit words, 0xffff if the checksum among them is right (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(data) // 2 + len(data) % 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def _segment(block: Block) -> Segment:
    interface, high, low, captured, original = struct.unpack("<IIIII", block.head)
    packet = block.data
    assert interface == 0
    assert captured == original == len(packet) == struct.unpack_from("!H", packet, 2)[0]
    assert packet[0] == 0x45
    assert _sum(packet[:20]) == 0xFFFF
    tcp = packet[20:]
    assert _sum(packet[12:20] + struct.pack("!HH", packet[9], len(tcp)) + tcp) == 0xFFFF
    source, target, number, acknowledged, words, flags = struct.unpack_from("!HHIIBB", tcp)
    return Segment(
        at=high << 32 | low,
        sender=ROLES[packet[12:16]],
        ports=frozenset({source, target}),
        number=number,
        acknowledged=acknowledged,
        flags=" ".join(name for bit, name in FLAGS.items() if flags & bit and name != "PSH"),
        data=tcp[words >> 4 << 2 :],
        comment=block.options.get(1, b"").decode(),
    )
