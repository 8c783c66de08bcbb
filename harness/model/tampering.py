"""What the tap does to the messages of one connection, as a man in the middle."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.model.tls import Role


class Tamper(StrEnum):
    """What is done to a message."""

    DROP = "drop"
    """It is not relayed."""
    INSERT = "insert"
    """It is relayed, and bytes are sent after it: whole records."""
    EDIT = "edit"
    """It is relayed with one part changed; see Part."""
    HOLD = "hold"
    """It waits, and with it all that its sender sends after it, until the connection is released."""
    CUT = "cut"
    """TCP is reset in its place."""
    REPEAT = "repeat"
    """It is relayed twice. Of datagrams alone."""
    REVERSE = "reverse"
    """Of a flight of datagrams alone: the records of each datagram are relayed one by one, the last one first."""


class Part(StrEnum):
    """What an edit changes."""

    VERSION = "version"
    """The legacy_version of a ClientHello or ServerHello becomes the value, two bytes."""
    SESSION_ID = "session_id"
    """The session id of a ClientHello or ServerHello becomes the value."""
    BINDER = "binder"
    """The last byte of the last binder of a ClientHello has a bit flipped."""
    TRAILING = "trailing"
    """The value follows the message, whose length counts it."""
    EXTENSION = "extension"
    """The extension with the number of the value, two bytes, is removed from a ClientHello or ServerHello."""
    LAST_BYTE = "last_byte"
    """The last byte of the record has a bit flipped."""


MESSAGES = (
    "ClientHello",
    "ServerHello",
    "Certificate",
    "CertificateStatus",
    "ServerKeyExchange",
    "CertificateRequest",
    "ServerHelloDone",
    "ClientKeyExchange",
    "CertificateVerify",
    "NewSessionTicket",
    "HelloRequest",
    "HelloVerifyRequest",
)
"""The handshake messages that can be sent without encryption; of TLS 1.3 the hellos alone are."""
SEALED = "sealed record"
"""In place of a message's type: a record that is encrypted, which the tap cannot look into."""
FLIGHT = "flight"
"""In place of a message's type, of datagrams alone: all of a handshake that an end sends before the other answers.

RFC 6347, 4.2.4. A flight that is sent again counts as a further one; application data are of none.
"""

DATAGRAM = "datagram"
"""In place of a message's type, of QUIC alone: a datagram, of which the tap sees no more than that it comes.

It can be dropped, held, repeated, or damaged: its last byte changed, so that its receiver drops it (RFC 9001, 5.3). To
change what is in it takes the keys of its packets.
"""

TARGETS = (SEALED, FLIGHT, DATAGRAM, *MESSAGES)
"""All that can be named in place of a message."""


@dataclass(frozen=True, slots=True)
class Tampering:
    """One thing that is done to one message of one end."""

    what: Tamper
    sender: Role
    message: str = SEALED
    """The type of a message that is not encrypted, ``ClientHello`` or ``NewSessionTicket``, or ``sealed record``.

    Of DTLS it can be ``flight``, and of QUIC it is ``datagram``.
    """
    which: int = 1
    """1 for the first such message of the sender."""
    part: Part | None = None
    value: bytes = b""

    def __str__(self) -> str:
        how = {
            Tamper.DROP: "dropped",
            Tamper.INSERT: f"sent {len(self.value)} bytes after",
            Tamper.EDIT: f"changed {self.part} of",
            Tamper.HOLD: "held",
            Tamper.CUT: "reset TCP in place of",
            Tamper.REPEAT: "repeated",
            Tamper.REVERSE: "reversed",
        }[self.what]
        return f"the tap {how} {self.message} {self.which} of the {self.sender}"
