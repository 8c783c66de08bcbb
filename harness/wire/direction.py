"""The state of one direction of a connection while its bytes are read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.errors import WireFormatError
from harness.wire.decrypt import Keyring
from harness.wire.dtls.records import DatagramJoiner, DatagramSplitter, epoch_of
from harness.wire.records import HEADER, ContentType, HandshakeJoiner, RecordSplitter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model.tls import Role
    from harness.model.transcript import Message
    from harness.wire.quic.packets import Packet
    from harness.wire.records import Handshake, Record


class Direction:
    """The bytes that one role sends."""

    def __init__(self, role: Role, *, datagrams: bool = False) -> None:
        self.role = role
        self.datagrams = datagrams
        """Whether it is DTLS."""
        self.records = DatagramSplitter() if datagrams else RecordSplitter()
        self.handshakes = DatagramJoiner() if datagrams else HandshakeJoiner()
        self.keys = Keyring()
        self.epoch = 0
        """Of DTLS, the epoch whose keys are in use."""
        self.spent: dict[int, Keyring] = {}
        """The keys of the epochs before it, under which a flight may come again."""
        self.changes = 0
        """The change_cipher_specs of DTLS, without those that came again: each is of the epoch of that number."""
        self.sealed = False
        """Whether a change_cipher_spec made TLS 1.2 records sealed from here on."""
        self.broken = False
        self.opened = 0
        """Sealed records that a key opened."""
        self.unread = 0
        """Sealed records that no key opened."""
        self.unread_handshakes = 0
        self.misfits = 0
        """Sealed records that no key opened although all keys of this direction were there."""
        self.plain_ccs = 0
        self.change: Message | None = None
        """A change_cipher_spec of DTLS, until the first record comes that is sealed: it has no number of its own."""
        self.waiting: list[Record] = []
        """Sealed records of DTLS that came before the ServerHello, without which nothing is known of them."""
        self.packets: list[Packet] = []
        """Packets of QUIC that did so."""
        self.closed = False
        """Whether a CONNECTION_CLOSE of QUIC came."""

    def seals(self, record: Record, *, tls13: bool | None) -> bool:
        """Whether the record is sealed, in TLS 1.3, before it, or (None) where no version is known yet."""
        if record.number is not None:
            return epoch_of(record) > 0
        if tls13 is False:
            return self.sealed and not (record.type == ContentType.CHANGE_CIPHER_SPEC and len(record.payload) == 1)
        return record.type == ContentType.APPLICATION_DATA

    def open(self, record: Record) -> tuple[int, bytes] | None:
        """The content type and the plaintext of a sealed record, None if no key opens it."""
        old = self.spent.get(epoch_of(record)) if self.datagrams else None
        return (old or self.keys).open(record)

    def join(self, record: Record, content: bytes, *, sealed: bool) -> Iterator[Handshake]:
        """The handshake messages that are complete with the content of this record."""
        if isinstance(self.handshakes, DatagramJoiner):
            return self.handshakes.feed(content, record.offset + HEADER, epoch=epoch_of(record))
        return self.handshakes.feed(content, record.offset + HEADER, sealed=sealed)

    def finish(self) -> str:
        """What is missing at the end of the bytes, empty if nothing is."""
        try:
            if not self.broken:
                self.records.finish()
                self.handshakes.finish()
        except WireFormatError as error:
            return self.complaint(error)
        return ""

    def complaint(self, error: WireFormatError) -> str:
        """The error with the stream that it is about."""
        return f"the {self.role}'s stream: {error}"
