"""The frames of a packet: those that carry TLS, application data or the end of a connection (RFC 9000, 19)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from harness.model.errors import WireFormatError
from harness.wire.quic.packets import Bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

PADDING: Final = 0x00
ACK, ACK_ECN = 0x02, 0x03
CRYPTO: Final = 0x06
NEW_TOKEN: Final = 0x07
STREAMS: Final = range(0x08, 0x10)
NEW_CONNECTION_ID: Final = 0x18
PATH_FRAMES: Final = (0x1A, 0x1B)
CLOSES: Final = (0x1C, 0x1D)
"""CONNECTION_CLOSE of the transport and of the application."""
NUMBERS = {
    0x01: 0,
    0x04: 3,
    0x05: 2,
    0x10: 1,
    0x11: 2,
    0x12: 1,
    0x13: 1,
    0x14: 1,
    0x15: 2,
    0x16: 1,
    0x17: 1,
    0x19: 1,
    0x1E: 0,
}
"""How many integers each frame consists of that has nothing else: PING, RESET_STREAM, …, HANDSHAKE_DONE."""
HAS_OFFSET, HAS_LENGTH = 4, 2
"""The bits of the type of a STREAM frame (RFC 9000, 19.8)."""
RESET_TOKEN = 16
PATH_DATA = 8
CRYPTO_ERRORS: Final = range(0x100, 0x200)
"""Error codes of the transport that carry an alert of TLS in their low byte (RFC 9001, 4.8)."""


class Frame(NamedTuple):
    """One frame; what its type does not have is empty."""

    type: int
    stream: int = 0
    """The number of the stream."""
    offset: int = 0
    """Where its data lies in the stream, or in the handshake."""
    data: bytes = b""
    """The data, the token, or the reason phrase."""
    error: int = 0
    """The error code of a CONNECTION_CLOSE."""

    @property
    def alert(self) -> int | None:
        """The number of the alert that a CONNECTION_CLOSE carries; None if it carries none."""
        carries = self.type == CLOSES[0] and self.error in CRYPTO_ERRORS
        return self.error - CRYPTO_ERRORS.start if carries else None


def frames_of(payload: bytes, offset: int) -> Iterator[Frame]:
    """The frames; WireFormatError at one that is malformed or not of version 1."""
    reader = Bytes(payload, offset)
    while reader.left:
        kind = reader.number()
        if kind == PADDING:
            continue
        yield _frame(kind, reader, offset)


def _frame(kind: int, reader: Bytes, offset: int) -> Frame:
    if kind == CRYPTO:
        at = reader.number()
        return Frame(kind, offset=at, data=reader.vector())
    if kind in STREAMS:
        stream = reader.number()
        at = reader.number() if kind & HAS_OFFSET else 0
        return Frame(kind, stream, at, reader.vector() if kind & HAS_LENGTH else reader.take(reader.left))
    if kind in CLOSES:
        error = reader.number()
        if kind == CLOSES[0]:
            reader.number()
        return Frame(kind, error=error, data=reader.vector())
    if kind == NEW_TOKEN:
        return Frame(kind, data=reader.vector())
    _skip(kind, reader, offset)
    return Frame(kind)


def _skip(kind: int, reader: Bytes, offset: int) -> None:
    if kind in {ACK, ACK_ECN}:
        numbers = [reader.number() for _ in range(4)]
        for _ in range(2 * numbers[2] + (3 if kind == ACK_ECN else 0)):
            reader.number()
    elif kind == NEW_CONNECTION_ID:
        reader.number()
        reader.number()
        reader.take(reader.take(1)[0] + RESET_TOKEN)
    elif kind in PATH_FRAMES:
        reader.take(PATH_DATA)
    elif kind in NUMBERS:
        for _ in range(NUMBERS[kind]):
            reader.number()
    else:
        raise WireFormatError(f"a QUIC frame of type 0x{kind:02x}", offset + reader.at)
