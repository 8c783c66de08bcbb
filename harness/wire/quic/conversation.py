"""Both directions of a QUIC connection: its connection ids, keys and packet numbers, and the order of its bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.errors import WireFormatError
from harness.model.tls import Role
from harness.wire.quic.frames import frames_of
from harness.wire.quic.packets import PacketType, packets_of
from harness.wire.quic.protection import initial_keys
from harness.wire.records import HandshakeJoiner

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.wire.quic.frames import Frame
    from harness.wire.quic.packets import Packet
    from harness.wire.quic.protection import Opened, PacketKeys
    from harness.wire.records import Handshake


class Ordered:
    """Bytes with their offsets, as they come: late, in parts, and again."""

    def __init__(self) -> None:
        self._next = 0
        self._parts: dict[int, bytes] = {}

    def feed(self, offset: int, data: bytes) -> bytes:
        """What now follows all that was returned before."""
        self._parts[offset] = max(self._parts.get(offset, b""), data, key=len)
        found = b""
        while (start := min(self._parts, default=self._next + 1)) <= self._next:
            part = self._parts.pop(start)[self._next - start :]
            self._next += len(part)
            found += part
        return found

    @property
    def waits(self) -> bool:
        """Whether something came whose beginning never did."""
        return bool(self._parts)


class Conversation:
    """What is known of a connection so far."""

    def __init__(self) -> None:
        self._keys: dict[tuple[Role, PacketType], PacketKeys] = {}
        self._largest: dict[tuple[Role, PacketType], int] = {}
        """The largest packet number of each number space."""
        self._ids = dict.fromkeys(Role, 0)
        """The length of the connection ids that each end chose for itself."""
        self._sent = dict.fromkeys(Role, 0)
        """How many bytes each end has sent."""
        self._handshakes: dict[tuple[Role, PacketType], Ordered] = {}
        self._joiners: dict[tuple[Role, PacketType], HandshakeJoiner] = {}
        self._streams: dict[tuple[Role, int], Ordered] = {}

    def packets(self, sender: Role, datagram: bytes) -> Iterator[Packet]:
        """The packets of a datagram; WireFormatError at what is none."""
        offset = self._sent[sender]
        self._sent[sender] += len(datagram)
        for packet in packets_of(datagram, offset, self._ids[sender.peer]):
            if packet.type is not PacketType.APPLICATION:
                self._ids[sender] = len(packet.source)
            yield packet

    def know(self, sender: Role, keys: Sequence[PacketKeys]) -> None:
        """Take the keys that follow the Initial ones: of Handshake packets, and of 1-RTT packets."""
        for kind, each in zip((PacketType.HANDSHAKE, PacketType.APPLICATION), keys, strict=False):
            self._keys[sender, kind] = each

    def open(self, sender: Role, packet: Packet) -> Sequence[Frame] | None:
        """The frames of a packet; None if no key opens it, WireFormatError if they are malformed."""
        opened = self._opened(sender, packet)
        if opened is None:
            return None
        place = sender, packet.type
        self._largest[place] = max(self._largest.get(place, -1), opened.number)
        return tuple(frames_of(opened.payload, packet.offset + len(packet.header)))

    def _opened(self, sender: Role, packet: Packet) -> Opened | None:
        place = sender, packet.type
        keys, largest = self._keys.get(place), self._largest.get(place, -1)
        if keys is not None and (opened := keys.open(packet, largest)):
            return opened
        if packet.type is PacketType.INITIAL and sender is Role.CLIENT:
            # its first packet, and the one after a Retry, name the destination that the keys of both ends come from
            mine, theirs = (initial_keys(packet.destination, role) for role in Role)
            if opened := mine.open(packet, largest):
                self._keys[Role.CLIENT, packet.type], self._keys[Role.SERVER, packet.type] = mine, theirs
            return opened
        if keys is not None and packet.type is PacketType.APPLICATION:
            later = keys.updated()
            if opened := later.open(packet, largest):
                self._keys[place] = later
            return opened
        return None

    def messages(self, sender: Role, packet: Packet, frame: Frame) -> Iterator[Handshake]:
        """The messages of TLS that a CRYPTO frame completes."""
        place = sender, packet.type
        fresh = self._handshakes.setdefault(place, Ordered()).feed(frame.offset, frame.data)
        joiner = self._joiners.setdefault(place, HandshakeJoiner())
        yield from joiner.feed(fresh, packet.offset, sealed=packet.type is not PacketType.INITIAL) if fresh else ()

    def data(self, sender: Role, frame: Frame) -> bytes:
        """The application data that a STREAM frame adds."""
        return self._streams.setdefault((sender, frame.stream), Ordered()).feed(frame.offset, frame.data)

    def finish(self, sender: Role) -> None:
        """WireFormatError if a message of TLS never came as a whole."""
        if any(part.waits for (role, _type), part in self._handshakes.items() if role is sender):
            raise WireFormatError("a part of a CRYPTO stream never came", self._sent[sender])
        for (role, _type), joiner in self._joiners.items():
            if role is sender:
                joiner.finish()
