"""Packets and TLS secrets as a pcapng file (draft-ietf-opsawg-pcapng); what the packets carry is not looked at.

Secrets come before all packets, as a reader that goes through the file once needs them (4.7).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SECTION_HEADER = 0x0A0D0D0A
INTERFACE_DESCRIPTION = 1
ENHANCED_PACKET = 6
DECRYPTION_SECRETS = 0x0A
"""Block types (11.1)."""
BYTE_ORDER = 0x1A2B3C4D
UNKNOWN_LENGTH = -1
LINKTYPE_RAW = 101
"""A packet begins with its IPv4 header."""
TLS_KEY_LOG = 0x544C534B
"""The secrets are lines of an SSLKEYLOGFILE (4.7; RFC 9850)."""
END, COMMENT = 0, 1
HARDWARE, SYSTEM, APPLICATION = 2, 3, 4
NAME, DESCRIPTION, RESOLUTION = 2, 3, 9
"""Options of any block, of a section and of an interface (3.5, 4.1, 4.2)."""
NANOSECONDS = bytes([9])
LONGEST_OPTION = 0xFFFF


@dataclass(frozen=True, slots=True)
class Section:
    """What is said of the file as a whole; all of it is for people."""

    hardware: str
    system: str
    application: str
    comment: str
    interface: str
    """Name of the one interface."""
    description: str
    """Of the interface."""


class Stamped(NamedTuple):
    """A packet from its IPv4 header on; ``at`` is nanoseconds since 1970."""

    at: int
    data: bytes
    comment: str = ""


def pcapng(section: Section, secrets: Sequence[str], packets: Iterable[Stamped]) -> bytes:
    """The file: one section, one interface, the key log if it is not empty, the packets in the order given."""
    header = struct.pack("<IHHq", BYTE_ORDER, 1, 0, UNKNOWN_LENGTH) + _options(
        (HARDWARE, section.hardware),
        (SYSTEM, section.system),
        (APPLICATION, section.application),
        (COMMENT, section.comment),
    )
    interface = struct.pack("<HHI", LINKTYPE_RAW, 0, 0) + _options(
        (NAME, section.interface), (DESCRIPTION, section.description), (RESOLUTION, NANOSECONDS)
    )
    blocks = [_block(SECTION_HEADER, header), _block(INTERFACE_DESCRIPTION, interface)]
    if secrets:
        lines = "".join(f"{line}\n" for line in secrets).encode()
        blocks.append(_block(DECRYPTION_SECRETS, struct.pack("<II", TLS_KEY_LOG, len(lines)) + _padded(lines)))
    blocks += [_block(ENHANCED_PACKET, _packet(packet)) for packet in packets]
    return b"".join(blocks)


def _packet(packet: Stamped) -> bytes:
    """The body of an Enhanced Packet Block (4.3)."""
    size = len(packet.data)
    head = struct.pack("<IIIII", 0, packet.at >> 32, packet.at & 0xFFFFFFFF, size, size)
    return head + _padded(packet.data) + _options((COMMENT, packet.comment))


def _block(kind: int, body: bytes) -> bytes:
    """A block's length stands before and after its body (3.1)."""
    size = 12 + len(body)
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)


def _options(*options: tuple[int, str | bytes]) -> bytes:
    """Those that are not empty, and their end (3.5); nothing if all are empty."""
    given = [(code, value if isinstance(value, bytes) else _text(value)) for code, value in options if value]
    encoded = [struct.pack("<HH", code, len(value)) + _padded(value) for code, value in given]
    return b"".join([*encoded, struct.pack("<HH", END, 0)]) if encoded else b""


def _text(value: str) -> bytes:
    """UTF-8, cut where it is longer than an option may be."""
    return value.encode(errors="backslashreplace")[:LONGEST_OPTION].decode(errors="ignore").encode()


def _padded(data: bytes) -> bytes:
    """To 32 bits."""
    return data + b"\0" * (-len(data) % 4)
