"""Changes the messages of one conversation of DTLS on their way, record by record.

Rules. A record that is not encrypted and holds whole messages is cut into them; one that a Tampering names is changed,
and becomes a record of its own with a number of its own. A record of a later epoch is sealed: it is relayed, dropped or
changed as a whole. What comes after a held record does not wait for it. A flight is all of its handshake that an end
sends before the other one answers; one that is sent again is another flight, and application data are of none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.errors import WireFormatError
from harness.model.tampering import FLIGHT, SEALED, Part, Tamper
from harness.wire.dtls.records import EPOCH, HEADER, PREFIX, DatagramSplitter
from harness.wire.gates.held_datagrams import HeldDatagrams
from harness.wire.gates.man_in_the_middle import edited_body
from harness.wire.names import HANDSHAKES
from harness.wire.records import ContentType

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.tampering import Tampering
    from harness.model.tls import Role
    from harness.wire.records import Record


class DatagramsInTheMiddle(HeldDatagrams):
    """Feed it what each end sends; it returns what the other end is to get."""

    def __init__(self, tamperings: Sequence[Tampering]) -> None:
        super().__init__(tamperings)
        self._seen: dict[tuple[Role, str], int] = {}
        self._flight: set[tuple[int, int, bytes]] = set()
        """What was seen of the present flight: type, epoch and number of the message that a record begins with."""
        self._speaker: Role | None = None
        self._now: list[Tampering] = []
        """What is done to the present flight."""

    def feed(self, sender: Role, datagram: bytes) -> list[bytes]:
        """Return the datagrams that are relayed now; one that does not consist of records passes."""
        try:
            records = list(DatagramSplitter().feed(datagram))
        except WireFormatError:
            return [datagram]
        self._follow(sender, records)
        pieces = [piece for record in records for piece in self._record(sender, record)]
        of_flight = any(record.type != ContentType.APPLICATION_DATA for record in records)
        for tampering in self._now if of_flight else ():
            match tampering.what:
                case Tamper.DROP:
                    return []
                case Tamper.HOLD:
                    self._held.setdefault(sender, []).append(b"".join(pieces))
                    return []
                case Tamper.REVERSE:
                    return pieces[::-1]
                case Tamper.REPEAT:
                    return [b"".join(pieces)] * 2
                case _:
                    pass
        return [joined] if (joined := b"".join(pieces)) else []

    def _follow(self, sender: Role, records: Sequence[Record]) -> None:
        """Note whether a datagram begins a flight, and what is done to it then."""
        marks = {_mark(record) for record in records if _is_handshake(record)}
        if not marks or (sender is self._speaker and not marks & self._flight):
            self._flight |= marks
            return
        self._speaker, self._flight = sender, marks
        count = self._seen[sender, FLIGHT] = self._seen.get((sender, FLIGHT), 0) + 1
        self._now = [t for t in self._left if (t.sender, t.message, t.which) == (sender, FLIGHT, count)]
        for tampering in self._now:
            self._left.remove(tampering)
            self.done.append(str(tampering))

    def _record(self, sender: Role, record: Record) -> list[bytes]:
        raw = record.header + record.payload
        if (record.number or 0) >> EPOCH:
            return self._whole(sender, SEALED, raw)
        messages = _messages(record) if record.type == ContentType.HANDSHAKE else []
        if not messages:
            return [raw]
        found = []
        for message in messages:
            kind = HANDSHAKES.get(message[0], f"handshake message of type {message[0]}")
            found += self._whole(sender, kind, record.header[:11] + len(message).to_bytes(2, "big") + message)
        return found

    def _whole(self, sender: Role, kind: str, raw: bytes) -> list[bytes]:
        """What becomes of a record of one message."""
        count = self._seen[sender, kind] = self._seen.get((sender, kind), 0) + 1
        pieces = [raw]
        for tampering in [t for t in self._left if (t.sender, t.message, t.which) == (sender, kind, count)]:
            self._left.remove(tampering)
            self.done.append(str(tampering))
            pieces = self._done(tampering, pieces)
        return pieces

    def _done(self, tampering: Tampering, pieces: list[bytes]) -> list[bytes]:
        match tampering.what:
            case Tamper.DROP:
                return []
            case Tamper.INSERT:
                return [*pieces, tampering.value]
            case Tamper.HOLD:
                self._held.setdefault(tampering.sender, []).extend(pieces)
                return []
            case Tamper.EDIT:
                return [_edited(raw, tampering) for raw in pieces]
            case Tamper.REPEAT:
                return [*pieces, *pieces]
            case _:
                return pieces


def _is_handshake(record: Record) -> bool:
    return record.type in {ContentType.HANDSHAKE, ContentType.CHANGE_CIPHER_SPEC} and not (record.number or 0) >> EPOCH


def _mark(record: Record) -> tuple[int, int, bytes]:
    """What a record has in common with the one that sends it again: all but its number."""
    return record.type, (record.number or 0) >> EPOCH, record.payload[:PREFIX]


def _messages(record: Record) -> list[bytes]:
    """The messages of a record, each with its header; none if one of them is a fragment."""
    found, rest = [], record.payload
    while len(rest) >= PREFIX:
        end = PREFIX + int.from_bytes(rest[1:4], "big")
        if end > len(rest) or rest[1:4] != rest[9:12]:
            return []
        found.append(rest[:end])
        rest = rest[end:]
    return [] if rest else found


def _edited(raw: bytes, tampering: Tampering) -> bytes:
    """A record of one message, with one part changed; the same bytes if it has no such part."""
    if tampering.part is Part.LAST_BYTE:
        return raw[:-1] + bytes((raw[-1] ^ 1,))
    head, body = raw[HEADER : HEADER + PREFIX], raw[HEADER + PREFIX :]
    body = edited_body(body, head[0], tampering)
    length = len(body).to_bytes(3, "big")
    message = head[:1] + length + head[4:9] + length + body
    return raw[: HEADER - 2] + len(message).to_bytes(2, "big") + message
