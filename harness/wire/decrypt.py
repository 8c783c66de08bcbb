"""Opens sealed records with the secrets of a key log; which key a direction uses is found by trying the next one.

Trying is what makes it short: where early data ends, where the application keys begin, and whether early data was
accepted need not be followed message by message, as a record opens under one key only. A key that opens nothing is
a key log that does not fit, and leaves the record sealed.
"""

from __future__ import annotations

import hashlib
import hmac
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM, ChaCha20Poly1305

from harness.model.tls import DEPRECATED, Role, TLSVersion
from harness.wire.suites import Aead, Bulk

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import CipherContext

    from harness.wire.records import Record
    from harness.wire.suites import Suite

    Cipher = AESCCM | AESGCM | ChaCha20Poly1305

MOST = 2**14
"""Bytes that a record may have when it is no longer compressed (RFC 5246, 6.2.1)."""
EXPLICIT = 8
"""Bytes of the nonce that TLS 1.2 sends in the record, with AES (RFC 5288, 3)."""
NONCE = 12
"""Bytes of a nonce, in every AEAD of TLS."""
MD5_SHA1 = "md5-sha1"
"""Both hashes of the pseudorandom function before TLS 1.2."""


def aead(suite: Suite, key: bytes) -> Cipher:
    """The AEAD of a suite, with a key."""
    if suite.aead is Aead.AES_CCM:
        return AESCCM(key, suite.tag)
    return AESGCM(key) if suite.aead is Aead.AES_GCM else ChaCha20Poly1305(key)


class Epoch(Protocol):
    """One key of one direction; opens records in the order in which they were sealed."""

    def open(self, record: Record) -> tuple[int, bytes] | None:
        """The content type and the plaintext, None if this key does not open it."""
        ...

    def updated(self) -> Epoch | None:
        """The key after a KeyUpdate, None if there cannot be one yet."""
        ...


@lru_cache(maxsize=16)
def _info(label: str, length: int) -> bytes:
    """HkdfLabel with an empty context, and the number of the first block (RFC 8446, 7.1; RFC 5869, 2.3)."""
    name = b"tls13 " + label.encode()
    return length.to_bytes(2, "big") + bytes([len(name)]) + name + b"\0\1"


def expand_label(secret: bytes, label: str, length: int, hash_name: str) -> bytes:
    """HKDF-Expand-Label with an empty context (RFC 8446, 7.1); one block of HKDF is enough for all of TLS."""
    return hmac.digest(secret, _info(label, length), hash_name)[:length]


class Epoch13:
    """A TLS 1.3 traffic secret (RFC 8446, 5.2 and 7.3); its keys are derived when the first record comes."""

    def __init__(self, suite: Suite, secret: bytes) -> None:
        self._suite = suite
        self._secret = secret
        self._cipher: Cipher | None = None
        self._iv = 0
        self._number = 0

    def _derive(self) -> Cipher:
        suite, secret = self._suite, self._secret
        self._iv = int.from_bytes(expand_label(secret, "iv", NONCE, suite.hash), "big")
        self._cipher = aead(suite, expand_label(secret, "key", suite.key, suite.hash))
        return self._cipher

    def open(self, record: Record) -> tuple[int, bytes] | None:
        """See `Epoch`; the padding is taken off, and the type is the inner one."""
        cipher = self._cipher or self._derive()
        nonce = (self._iv ^ self._number).to_bytes(NONCE, "big")
        try:
            inner = cipher.decrypt(nonce, record.payload, record.header).rstrip(b"\0")
        except InvalidTag:
            return None
        self._number += 1
        return (inner[-1], inner[:-1]) if inner else None

    def updated(self) -> Epoch13 | None:
        """See `Epoch` (RFC 8446, 7.2); a key that has not opened the KeyUpdate itself is not updated."""
        if not self._number:
            return None
        return Epoch13(self._suite, expand_label(self._secret, "traffic upd", len(self._secret), self._suite.hash))


class EarlyEpoch(Epoch13):
    """The key of early data (RFC 8446, 7.1: client_early_traffic_secret)."""


def prf_hash(suite: Suite, version: TLSVersion | None) -> str:
    """The hash of a connection's pseudorandom function, by hashlib's name; before TLS 1.2 it is none of the suite's."""
    return MD5_SHA1 if version in DEPRECATED else suite.hash


@lru_cache(maxsize=2)  # both directions of a connection take their keys from one block
def prf(secret: bytes, label: bytes, seed: bytes, length: int, hash_name: str) -> bytes:
    """The pseudorandom function of TLS 1.2 (RFC 5246, 5), or with MD5_SHA1 that of TLS 1.0 and 1.1 (RFC 2246, 5)."""
    if hash_name != MD5_SHA1:
        return _expanded(secret, label + seed, length, hash_name)
    half = (len(secret) + 1) // 2
    first = _expanded(secret[:half], label + seed, length, "md5")
    second = _expanded(secret[-half:], label + seed, length, "sha1")
    return bytes(a ^ b for a, b in zip(first, second, strict=True))


def _expanded(secret: bytes, seed: bytes, length: int, hash_name: str) -> bytes:
    """P_hash (RFC 5246, 5)."""
    out, link = b"", seed
    while len(out) < length:
        link = hmac.digest(secret, link, hash_name)
        out += hmac.digest(secret, link + seed, hash_name)
    return out[:length]


class _Opened12:
    """What the epochs of TLS 1.2 share: the number of the next record, and its compression."""

    def __init__(self, *, deflated: bool) -> None:
        self._inflate = zlib.decompressobj() if deflated else None
        self._number = 0

    def _number_of(self, record: Record) -> int:
        """The number that its MAC covers (RFC 5246, 6.2.3.1; RFC 6347, 4.1.2.1)."""
        return self._number if record.number is None else record.number

    def _next(self, record: Record, plain: bytes) -> tuple[int, bytes] | None:
        """The content type and the content of a record that opened; None if its compression is broken."""
        self._number += 1
        try:
            return record.type, self._inflate.decompress(plain, MOST) if self._inflate else plain
        except zlib.error:
            return None

    def updated(self) -> None:
        """TLS 1.2 has no KeyUpdate."""
        return


class Epoch12(_Opened12):
    """One direction of a TLS 1.2 key block with an AEAD (RFC 5246, 6.3; RFC 5288; RFC 7905)."""

    def __init__(
        self, suite: Suite, master: bytes, randoms: tuple[bytes, bytes], role: Role, *, deflated: bool = False
    ) -> None:
        """``randoms`` are the client's and the server's of this handshake, ``role`` is the sender's.

        ``deflated`` records are one zlib stream, a record at a time (RFC 3749, 2.1).
        """
        super().__init__(deflated=deflated)
        self._explicit = 0 if suite.aead is Aead.CHACHA20_POLY1305 else EXPLICIT
        salt = NONCE - self._explicit
        block = prf(master, b"key expansion", randoms[1] + randoms[0], 2 * (suite.key + salt), suite.hash)
        mine = 0 if role is Role.CLIENT else 1
        self._cipher = aead(suite, block[mine * suite.key :][: suite.key])
        self._iv = block[2 * suite.key + mine * salt :][:salt]
        self._tag = suite.tag

    def open(self, record: Record) -> tuple[int, bytes] | None:
        """See `Epoch`."""
        explicit, sealed = record.payload[: self._explicit], record.payload[self._explicit :]
        length = len(sealed) - self._tag
        if length < 0:
            return None
        number = self._number_of(record).to_bytes(NONCE, "big")
        nonce = self._iv + explicit if explicit else bytes(a ^ b for a, b in zip(self._iv, number, strict=True))
        try:
            plain = self._cipher.decrypt(nonce, sealed, number[4:] + record.header[:3] + length.to_bytes(2, "big"))
        except InvalidTag:
            return None
        return self._next(record, plain)


def _plain_cipher(bulk: Bulk, key: bytes, iv: bytes) -> CipherContext | None:
    """The decryption of one record of a block cipher, or of all records of a stream cipher; None for no encryption."""
    from cryptography.hazmat.decrepit.ciphers import algorithms as old  # noqa: PLC0415 - few connections use one
    from cryptography.hazmat.primitives.ciphers import Cipher as Ciphering  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers import algorithms, modes  # noqa: PLC0415

    if bulk is Bulk.NULL:
        return None
    kinds = {
        Bulk.AES_CBC: algorithms.AES,
        Bulk.CAMELLIA_CBC: getattr(old, "Camellia", None) or algorithms.Camellia,  # where it is since cryptography 47
        Bulk.SEED_CBC: old.SEED,
        Bulk.TRIPLE_DES_CBC: old.TripleDES,
        Bulk.IDEA_CBC: old.IDEA,
        Bulk.RC4: old.ARC4,
    }
    return Ciphering(kinds[bulk](key), modes.CBC(iv) if iv else None).decryptor()


class MacEpoch12(_Opened12):
    """One direction of a key block with a MAC beside its cipher (RFC 5246, 6.2.3.1 and 6.2.3.2; RFC 7366).

    TLS 1.0 sends no IV: the first is of the key block, and each other one the last block before it (RFC 2246, 6.2.3.2).
    """

    def __init__(
        self,
        suite: Suite,
        master: bytes,
        randoms: tuple[bytes, bytes],
        role: Role,
        *,
        deflated: bool = False,
        encrypted_first: bool = False,
        version: TLSVersion = TLSVersion.TLSv1_2,
    ) -> None:
        """As for `Epoch12`; ``encrypted_first`` if the server took the extension encrypt_then_mac."""
        super().__init__(deflated=deflated)
        bulk = suite.bulk or Bulk.NULL
        self._mac, self._bulk = suite.mac, bulk
        self._length = hashlib.new(suite.mac, usedforsecurity=False).digest_size
        self._encrypted_first = encrypted_first and bulk.block > 0
        before = 2 * (self._length + suite.key)
        hashed = prf_hash(suite, version)
        block = prf(master, b"key expansion", randoms[1] + randoms[0], before + 2 * bulk.block, hashed)
        mine = 0 if role is Role.CLIENT else 1
        self._mac_key = block[mine * self._length :][: self._length]
        self._key = block[2 * self._length + mine * suite.key :][: suite.key]
        chained = version is TLSVersion.TLSv1
        self._iv = block[before + mine * bulk.block :][: bulk.block] if chained else b""
        """Of the next record, where the record does not begin with it."""
        self._stream = None if bulk.block else _plain_cipher(bulk, self._key, b"")

    def _fits(self, record: Record, content: bytes, mac: bytes) -> bool:
        head = self._number_of(record).to_bytes(8, "big") + record.header[:3] + len(content).to_bytes(2, "big")
        return hmac.compare_digest(hmac.digest(self._mac_key, head + content, self._mac), mac)

    def _decrypted(self, sealed: bytes) -> bytes | None:
        """The content of a cipher's output, with its MAC if that is inside; None if it is padded wrongly."""
        if not self._bulk.block:
            return self._stream.update(sealed) if self._stream else sealed
        own = 0 if self._iv else self._bulk.block
        iv, blocks = self._iv or sealed[:own], sealed[own:]
        if len(iv) < self._bulk.block or not blocks or len(blocks) % self._bulk.block:
            return None
        cipher = _plain_cipher(self._bulk, self._key, iv)
        padded = cipher.update(blocks) if cipher else blocks
        rest = len(padded) - padded[-1] - 1
        return padded[:rest] if rest >= 0 else None

    def open(self, record: Record) -> tuple[int, bytes] | None:
        """See `Epoch`; a stream cipher that met a record that is not its own opens none after it."""
        sealed = record.payload
        if self._encrypted_first:
            sealed, mac = sealed[: -self._length], sealed[-self._length :]
            plain = self._decrypted(sealed) if self._fits(record, sealed, mac) else None
        else:
            both = self._decrypted(sealed)
            plain = None if both is None else both[: max(len(both) - self._length, 0)]
            if both is None or plain is None or not self._fits(record, plain, both[len(plain) :]):
                plain = None
        if plain is None:
            return None
        self._iv = sealed[-self._bulk.block :] if self._iv else b""
        return self._next(record, plain)


class Keyring:
    """The keys of one direction in the order in which they come into use."""

    def __init__(self) -> None:
        self._epochs: list[Epoch] = []
        self.whole = False
        """Whether all keys of the direction are there."""

    @property
    def current(self) -> Epoch | None:
        """The key that opened the last record, or the one that is tried first."""
        return self._epochs[0] if self._epochs else None

    def add(self, *epochs: Epoch) -> None:
        """Keys that come after those which are there."""
        self._epochs += epochs

    def replace(self, *epochs: Epoch) -> None:
        """Keys in the place of those which are there: a TLS 1.2 change_cipher_spec."""
        self._epochs[:] = epochs

    def open(self, record: Record) -> tuple[int, bytes] | None:
        """The content type and the plaintext, None if no key opens it; keys before the one that does are forgotten."""
        for index, epoch in enumerate(self._epochs):
            opened = epoch.open(record)
            if opened:
                del self._epochs[:index]
                return opened
        updated = self._epochs[-1].updated() if self._epochs else None
        opened = updated.open(record) if updated else None
        if updated and opened:
            self._epochs[:] = [updated]
        return opened
