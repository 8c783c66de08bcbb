"""Replaces the slowest parts of tlslite-ng, AES-GCM and X25519 in Python, by those of the package cryptography.

And its ticket_nonce of 32 bytes by one of 8, as a client of wolfSSL 5.5.4 takes no longer one, and its ticket_age_add,
one of 4096 numbers, by one of 32 bits.
"""

from __future__ import annotations

import secrets
from typing import Any

import tlslite.keyexchange
import tlslite.recordlayer
import tlslite.tlsconnection
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tlslite.messages import SessionTicketPayload

NONCE = 8
NAMES = {16: "aes128gcm", 32: "aes256gcm"}
"""tlslite-ng's names of the ciphers, by the bytes of their keys."""


class Gcm:
    """AES-GCM with the interface of tlslite.utils.aesgcm."""

    isBlockCipher = False  # noqa: N815 - tlslite-ng's name
    isAEAD = True  # noqa: N815 - tlslite-ng's name
    nonceLength = 12  # noqa: N815 - tlslite-ng's name
    tagLength = 16  # noqa: N815 - tlslite-ng's name
    implementation = "cryptography"

    def __init__(self, key: bytes, _implementations: Any = None) -> None:
        self.name = NAMES[len(key)]
        self._aead = AESGCM(bytes(key))

    def seal(self, nonce: bytes, plaintext: bytes, data: bytes) -> bytearray:
        """Protect a record."""
        return bytearray(self._aead.encrypt(bytes(nonce), bytes(plaintext), bytes(data)))

    def open(self, nonce: bytes, ciphertext: bytes, data: bytes) -> bytearray | None:
        """Open a record; None if it cannot be opened."""
        try:
            return bytearray(self._aead.decrypt(bytes(nonce), bytes(ciphertext), bytes(data)))
        except (InvalidTag, ValueError):
            return None


def x25519(scalar: bytes, point: bytes) -> bytearray:
    """X25519 (RFC 7748, 5)."""
    public = X25519PublicKey.from_public_bytes(bytes(point))
    return bytearray(X25519PrivateKey.from_private_bytes(bytes(scalar)).exchange(public))


class Ticket(SessionTicketPayload):  # type: ignore[misc]  # tlslite-ng ships no types
    """What a ticket holds, with a short nonce."""

    def create(self, *positional: Any, **named: Any) -> Any:
        """As tlslite-ng makes it; the nonce is the fifth."""
        *given, nonce = positional
        return super().create(*given, nonce[:NONCE], **named)


def ticket_age_add(_least: int, _most: int) -> int:
    """Return a fresh number of 32 bits (RFC 8446, 4.6.1), whatever tlslite-ng asks for: a small one soon repeats."""
    return secrets.randbits(32)


def install() -> None:
    """Let tlslite-ng use them."""
    tlslite.recordlayer.createAESGCM = Gcm
    tlslite.tlsconnection.createAESGCM = Gcm
    tlslite.tlsconnection.SessionTicketPayload = Ticket
    tlslite.tlsconnection.getRandomNumber = ticket_age_add  # it makes nothing else of it
    tlslite.keyexchange.x25519 = x25519
