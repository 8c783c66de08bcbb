"""Records and handshake messages of DTLS 1.2 from datagrams (RFC 6347, 4.1 and 4.2).

A record names its epoch and its number, so that each opens by itself. A message may come in fragments, late and again;
messages are given in the order of their numbers, and those that came before are marked. A renegotiation begins its
numbers again (RFC 6347, 4.2.2); the epoch says which handshake a message is of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.errors import WireFormatError
from harness.wire.records import CONTENT_TYPES, Handshake, Record

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = 13
"""Bytes of a record's header: type, version, epoch, number, length."""
PREFIX = 12
"""Bytes of a message's header: type, length, number, and of the fragment offset and length."""
MAJOR = 0xFE
"""The first byte of every version of DTLS."""
EPOCH = 48
"""Bits of the number of a record within its epoch."""
HELLO_REQUEST = 0
HELLOS = frozenset({1, 2, 3})
"""ClientHello, ServerHello and HelloVerifyRequest: one of them is the first message of a handshake."""
FINISHED = 20


def is_datagram(data: bytes) -> bool:
    """Whether bytes begin as a record of DTLS does, and none of TLS."""
    return len(data) > 1 and data[0] in CONTENT_TYPES and data[1] == MAJOR


def epoch_of(record: Record) -> int:
    """The epoch of a record of DTLS: how many change_cipher_specs its sender had sent (RFC 6347, 4.1)."""
    return (record.number or 0) >> EPOCH


class DatagramSplitter:
    """Cuts each datagram of one direction into records."""

    def __init__(self) -> None:
        self._offset = 0

    def feed(self, data: bytes) -> Iterator[Record]:
        """The records of a datagram; WireFormatError at the first bytes that are none."""
        at, start = 0, self._offset
        self._offset += len(data)
        while at < len(data):
            body = at + HEADER
            end = body + int.from_bytes(data[at + 11 : body], "big")
            if not is_datagram(data[at:]) or end > len(data):
                raise WireFormatError(f"no DTLS record but {data[at : at + 16]!r}", start + at)
            yield Record(
                data[at], data[at:body], data[body:end], start + at, int.from_bytes(data[at + 3 : at + 11], "big")
            )
            at = end

    def finish(self) -> None:
        """A datagram ends no record of another one."""


class DatagramJoiner:
    """Joins one direction's fragments into messages."""

    def __init__(self) -> None:
        self._handshake = 1
        """Which handshake of the connection it is."""
        self._begun = True
        """Whether a message of it was given, after which numbers count; a HelloRequest may take one or not."""
        self._next = 0
        """The number of the message that is given next."""
        self._parts: dict[int, dict[int, bytes]] = {}
        """The fragments of each message that is not yet given, by their offsets."""
        self._heads: dict[int, tuple[int, int, int, bool]] = {}
        """Of each of them the type, the length, the offset in the stream, and whether its record was encrypted."""

    def feed(self, fragment: bytes, offset: int, *, epoch: int = 0) -> Iterator[Handshake]:
        """The messages that are now complete; WireFormatError if the record holds no whole fragments.

        ``epoch`` is that of the record: it is sealed unless that is 0.
        """
        at = 0
        while at < len(fragment):
            head = fragment[at : at + PREFIX]
            length, number = int.from_bytes(head[1:4], "big"), int.from_bytes(head[4:6], "big")
            begin, size = int.from_bytes(head[6:9], "big"), int.from_bytes(head[9:12], "big")
            at += PREFIX + size
            if len(head) < PREFIX or at > len(fragment) or begin + size > length:
                raise WireFormatError("no fragment of a handshake message", offset + at)
            body, place, sealed = fragment[at - size : at], offset + at - size, epoch > 0
            handshake = epoch if head[0] == FINISHED else epoch + 1
            if handshake > self._handshake:
                self._handshake, self._begun, self._next = handshake, False, 0
                self._heads.clear()
                self._parts.clear()
            if head[0] == HELLO_REQUEST:
                yield Handshake(head[0], body, place, sealed)
                continue
            if not self._begun and head[0] in HELLOS:
                self._begun, self._next = True, number
            if handshake < self._handshake or number < self._next:
                if begin + size == length:
                    yield Handshake(head[0], body, place, sealed, again=True)
                continue
            self._heads.setdefault(number, (head[0], length, place, sealed))
            self._parts.setdefault(number, {})[begin] = body
            yield from self._complete()

    def _complete(self) -> Iterator[Handshake]:
        while self._next in self._heads:
            kind, length, place, sealed = self._heads[self._next]
            body = b""
            for begin, part in sorted(self._parts[self._next].items()):
                if begin > len(body):
                    return
                body = body[:begin] + part if begin + len(part) > len(body) else body
            if len(body) < length:
                return
            del self._heads[self._next], self._parts[self._next]
            self._next += 1
            yield Handshake(kind, body, place, sealed)

    def finish(self) -> None:
        """WireFormatError if a message before others never came, or not as a whole."""
        if self._heads:
            place = min(self._heads.values(), key=lambda head: head[2])[2]
            raise WireFormatError(f"handshake message {self._next} never came as a whole", place)
