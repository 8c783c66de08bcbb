"""Changes the messages of one connection on their way, record by record.

Rules. Only whole records are relayed. A record that is not encrypted is cut into its messages; one that a Tampering
names is changed, and the record is framed again. After its sender's change_cipher_spec, and where its type is
application_data, a record is sealed: it is relayed, dropped or changed as a whole. What comes after a held record waits
with it, as TCP has an order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.errors import WireFormatError
from harness.model.tampering import SEALED, Part, Tamper
from harness.model.tls import Role
from harness.model.transcript import PRE_SHARED_KEY
from harness.wire.hellos import DTLS
from harness.wire.names import HANDSHAKES
from harness.wire.records import HEADER, PREFIX, ContentType, RecordSplitter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.tampering import Tampering
    from harness.wire.records import Record

CLIENT_HELLO, SERVER_HELLO = 1, 2
VERSION_END = 2
RANDOM_END = 34
"""Where the session id of a hello begins: after the version and the random (RFC 8446, 4.1.2)."""


class ManInTheMiddle:
    """Feed it what each end sends; it returns what the other end is to get."""

    def __init__(self, tamperings: Sequence[Tampering]) -> None:
        self._left = list(tamperings)
        self._records = {role: RecordSplitter() for role in Role}
        self._changed = dict.fromkeys(Role, False)
        """Whether the role has sent change_cipher_spec."""
        self._seen: dict[tuple[Role, str], int] = {}
        self._held: dict[Role, bytes] = {}
        self.done: list[str] = []
        """What was done so far, for people."""
        self.cut = False
        """Whether TCP is to be reset."""

    @property
    def holding(self) -> bool:
        """Whether an end's bytes wait."""
        return bool(self._held)

    def release(self) -> dict[Role, bytes]:
        """Return what waited, by its sender; later bytes wait no more."""
        held, self._held = self._held, {}
        return held

    def feed(self, sender: Role, data: bytes) -> bytes:
        """Return what is relayed of it now, with what was incomplete before; bytes that do not form records pass."""
        out = b""
        try:
            for record in self._records[sender].feed(data):
                made = self._record(sender, record)
                if sender in self._held:
                    self._held[sender] += made
                else:
                    out += made
        except WireFormatError:
            out += data
        return out

    def _record(self, sender: Role, record: Record) -> bytes:
        raw = record.header + record.payload
        if record.type == ContentType.CHANGE_CIPHER_SPEC:
            self._changed[sender] = True
        messages = _messages(record) if record.type == ContentType.HANDSHAKE else []
        if not messages and (record.type == ContentType.APPLICATION_DATA or self._changed[sender]):
            if record.type == ContentType.CHANGE_CIPHER_SPEC:
                return raw
            return self._whole(sender, SEALED, raw)
        out = bytearray()
        for message in messages:
            out += self._message(sender, record, message)
        return bytes(out) if messages else raw

    def _message(self, sender: Role, record: Record, message: bytes) -> bytes:
        kind = HANDSHAKES.get(message[0], f"handshake message of type {message[0]}")
        return self._whole(sender, kind, _framed(record.header, message))

    def _whole(self, sender: Role, kind: str, raw: bytes) -> bytes:
        """What becomes of a record of one message."""
        count = self._seen[sender, kind] = self._seen.get((sender, kind), 0) + 1
        for tampering in [t for t in self._left if (t.sender, t.message, t.which) == (sender, kind, count)]:
            self._left.remove(tampering)
            self.done.append(str(tampering))
            raw = self._done(tampering, raw)
        return raw

    def _done(self, tampering: Tampering, raw: bytes) -> bytes:
        match tampering.what:
            case Tamper.DROP:
                return b""
            case Tamper.INSERT:
                return raw + tampering.value
            case Tamper.HOLD:
                self._held[tampering.sender] = b""
            case Tamper.CUT:
                self.cut = True
                return b""
            case Tamper.EDIT:
                return edited(raw, tampering)
        return raw


def _messages(record: Record) -> list[bytes]:
    """The handshake messages of a record, if it holds whole ones; none if it does not, as where it is sealed."""
    found, rest = [], record.payload
    while len(rest) >= PREFIX:
        end = PREFIX + int.from_bytes(rest[1:PREFIX], "big")
        if rest[0] not in HANDSHAKES or end > len(rest):
            return []
        found.append(rest[:end])
        rest = rest[end:]
    return [] if rest else found


def _framed(header: bytes, message: bytes) -> bytes:
    return header[:3] + len(message).to_bytes(2, "big") + message


def edited(raw: bytes, tampering: Tampering) -> bytes:
    """A record of one message, with one part changed; the same bytes if it has no such part."""
    if tampering.part is Part.LAST_BYTE:
        return raw[:-1] + bytes((raw[-1] ^ 1,))
    header, kind, body = raw[:HEADER], raw[HEADER : HEADER + 1], raw[HEADER + PREFIX :]
    body = edited_body(body, kind[0], tampering)
    return _framed(header, kind + len(body).to_bytes(3, "big") + body)


def edited_body(body: bytes, kind: int, tampering: Tampering) -> bytes:
    """The body of a message of this type, with one part changed; the same bytes if it has no such part."""
    if tampering.part is Part.TRAILING:
        return body + tampering.value
    return _hello(body, kind, tampering) if kind in {CLIENT_HELLO, SERVER_HELLO} else body


def _hello(body: bytes, kind: int, tampering: Tampering) -> bytes:
    if tampering.part is Part.VERSION:
        return tampering.value + body[VERSION_END:]
    end = RANDOM_END + 1 + body[RANDOM_END]
    if tampering.part is Part.SESSION_ID:
        return body[:RANDOM_END] + bytes((len(tampering.value),)) + tampering.value + body[end:]
    if kind == CLIENT_HELLO:
        end += 1 + body[end] if body[0] == DTLS else 0  # its cookie
        end += 2 + int.from_bytes(body[end : end + 2], "big")
        end += 1 + body[end]
    else:
        end += 3
    extensions = _extensions(body[end + 2 :])
    if tampering.part is Part.BINDER and extensions and extensions[-1][0] == PRE_SHARED_KEY:
        return body[:-1] + bytes((body[-1] ^ 1,))
    wanted = int.from_bytes(tampering.value, "big")
    kept = b"".join(data for number, data in extensions if tampering.part is not Part.EXTENSION or number != wanted)
    return body[:end] + len(kept).to_bytes(2, "big") + kept


def _extensions(data: bytes) -> list[tuple[int, bytes]]:
    """Each extension's number with all of its bytes."""
    found = []
    while data:
        end = 4 + int.from_bytes(data[2:4], "big")
        found.append((int.from_bytes(data[:2], "big"), data[:end]))
        data = data[end:]
    return found
