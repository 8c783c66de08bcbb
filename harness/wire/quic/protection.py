"""The protection of packets and of their headers (RFC 9001, 5).

Written by hand on the primitives of `cryptography`: aioquic has the same as a part of an HTTP/3 stack, with
four further packages and a compiled module, and reads frames only within a connection of its own.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from harness.wire.decrypt import NONCE, aead, expand_label
from harness.wire.suites import SUITES, Aead

if TYPE_CHECKING:
    from harness.model.tls import Role
    from harness.wire.quic.packets import Packet
    from harness.wire.suites import Suite

INITIAL_SALT = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")
"""Of version 1 (RFC 9001, 5.2)."""
INITIAL_SUITE = SUITES[0x1301]
"""TLS_AES_128_GCM_SHA256, whatever is negotiated later (RFC 9001, 5.2)."""
SAMPLE = slice(4, 20)
"""Where the sample for the header lies, from the packet number on (RFC 9001, 5.4.2)."""
LONG = 0x80
"""The bit of the first byte that says a long header (RFC 9000, 17.2)."""
HIDDEN = {True: 0x0F, False: 0x1F}
"""The bits of the first byte that are masked, of a long header or not (RFC 9001, 5.4.1)."""


class Opened(NamedTuple):
    """What a packet holds."""

    number: int
    payload: bytes


class PacketKeys:
    """The keys of one direction at one encryption level; they are derived when the first packet comes."""

    def __init__(self, suite: Suite, secret: bytes, header_key: bytes = b"") -> None:
        self._suite, self._secret = suite, secret
        self._header_key = header_key or expand_label(secret, "quic hp", suite.key, suite.hash)
        self._cipher = aead(suite, expand_label(secret, "quic key", suite.key, suite.hash))
        self._iv = int.from_bytes(expand_label(secret, "quic iv", NONCE, suite.hash), "big")

    def open(self, packet: Packet, largest: int) -> Opened | None:
        """Remove the protection; None if these keys do not. ``largest`` is the highest number so far, -1 for none."""
        sample = packet.sealed[SAMPLE]
        if len(sample) < SAMPLE.stop - SAMPLE.start:
            return None
        mask = self._mask(sample)
        first = packet.header[0] ^ (mask[0] & HIDDEN[bool(packet.header[0] & LONG)])
        size = (first & 3) + 1
        short = bytes(a ^ b for a, b in zip(packet.sealed[:size], mask[1:], strict=False))
        number = whole_number(int.from_bytes(short, "big"), 8 * size, largest)
        nonce = (self._iv ^ number).to_bytes(NONCE, "big")
        try:
            plain = self._cipher.decrypt(nonce, packet.sealed[size:], bytes([first]) + packet.header[1:] + short)
        except InvalidTag:
            return None
        return Opened(number, plain)

    def _mask(self, sample: bytes) -> bytes:
        """The bytes that hide the packet number (RFC 9001, 5.4.3 and 5.4.4)."""
        if self._suite.aead is Aead.CHACHA20_POLY1305:
            return Cipher(algorithms.ChaCha20(self._header_key, sample), None).encryptor().update(bytes(5))
        ecb = modes.ECB()  # noqa: S305 - one block, as RFC 9001 has it
        return Cipher(algorithms.AES(self._header_key), ecb).encryptor().update(sample)

    def updated(self) -> PacketKeys:
        """The keys after a key update; those of the header stay (RFC 9001, 6.1)."""
        later = expand_label(self._secret, "quic ku", len(self._secret), self._suite.hash)
        return PacketKeys(self._suite, later, self._header_key)


def initial_keys(connection_id: bytes, sender: Role) -> PacketKeys:
    """The keys of Initial packets, which anybody can derive from the client's first destination (RFC 9001, 5.2)."""
    secret = hmac.digest(INITIAL_SALT, connection_id, INITIAL_SUITE.hash)
    return PacketKeys(INITIAL_SUITE, expand_label(secret, f"{sender} in", len(secret), INITIAL_SUITE.hash))


def whole_number(short: int, bits: int, largest: int) -> int:
    """The packet number whose lowest bits these are (RFC 9000, A.3)."""
    expected, window = largest + 1, 1 << bits
    found = expected & -window | short
    if found <= expected - window // 2 and found + window < 1 << 62:
        return found + window
    return found - window if found > expected + window // 2 and found >= window else found
