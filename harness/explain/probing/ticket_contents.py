"""Judges tickets offline: whether a guessable key authenticates them, and whether an IV repeats.

After the tests of "We Really Need to Talk About Session Tickets" (USENIX Security 2023). A ticket of OpenSSL,
BoringSSL, NSS, GnuTLS or Go ends with an HMAC of all that is before it (RFC 5077, 4), so that a guess of the HMAC's key
shows whether the ticket can be forged; mbed TLS encrypts with AES-GCM under a name of 4 bytes and an IV of 12. GnuTLS
and Go derive their keys from the one that is set.

A ticket of the same keystream as another one shows itself by the secrets, which the client knows: the difference of the
tickets holds the difference of the secrets, wherever they stand in them.
"""

from __future__ import annotations

import hmac
from hashlib import sha3_512, sha512
from itertools import combinations
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from harness.explain.probing.key_names import key_names
from harness.model.connection import HANDLE
from harness.model.probe import Answer, Topic
from harness.model.tls import Mechanism

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.model.probe import Issued, Study

LENGTHS = (16, 20, 32, 48, 64)
"""Bytes of the keys that the libraries use for an HMAC."""
GUESSES = {"all zero": b"\x00", "all 0xff": b"\xff", "all spaces": b" ", "all 'a'": b"a"}
HASHES = {"sha256": 32, "sha1": 20, "sha384": 48}
"""The length of each HMAC that ends a ticket."""
IV = 12
"""Bytes after a key's name that are an IV in every format that has one."""
NAME, BLOCK = 16, 16
"""Bytes of a key's name, and of an IV (RFC 5077, 4)."""
SHORTEST = 16
"""Bytes of a secret that does not stand in a difference by accident."""
GNUTLS_LIFETIMES = frozenset({3600, 21600})
"""Seconds that its sessions last by default, before 3.6 and since."""
GNUTLS_PERIODS = 3
"""Lifetimes after which a key is derived again (STEK_ROTATION_PERIOD_PRODUCT)."""
ENCRYPT = "let the server encrypt its tickets: its callback for ticket keys sets no cipher"
READABLE = "ANYBODY CAN DECRYPT THE CONNECTIONS"
RANDOM = "give the server ticket keys of random bytes"
UPDATE = "update the server's TLS library"
MBED_NAME, MBED_HEAD = 4, 18
"""mbed TLS: the name, then the IV of 12 bytes and a length of 2 (mbedtls_ssl_ticket_write)."""


def ticket_contents(study: Study) -> Answer | None:
    """Answer what can be found out of the tickets; None if there is none that holds a session."""
    issued = [ticket for offer in study.offers for ticket in offer.tickets]
    found = list(dict.fromkeys([*(session.identity for session in study.sessions), *issued]))
    if study.mechanism is Mechanism.SESSION_ID or not found or all(len(ticket) <= HANDLE for ticket in found):
        return None
    if fault := _fault(study, found):
        return _answer(study, *fault)
    secrets = "no secret in the clear, " if all(one.secret for one in study.sessions) else ""
    text = f"nothing found in {len(found)} tickets: {secrets}no guessable key, no keystream and no IV repeats"
    return _answer(study, text)


def _fault(study: Study, found: Sequence[bytes]) -> tuple[str, str, str] | None:
    """The worst of what is wrong, as text, flag and change."""
    if clear := sum(bool(one.secret) and one.secret in one.identity for one in study.sessions):
        text = f"{clear} of {len(study.sessions)} tickets hold the secret of their session in the clear"
        return text, READABLE, ENCRYPT
    if guessed := next((key for ticket in found for key in _opens(ticket, study)), ""):
        return f"a guessable key authenticates the tickets: {guessed}", "ANYBODY CAN FORGE TICKETS", RANDOM
    if opened := next((key for one in study.sessions for key in _decrypts(one)), ""):
        return f"a guessable key decrypts the tickets, and shows their secrets: {opened}", READABLE, RANDOM
    if streams := _same_keystream(study.sessions):
        text = f"{streams} pairs of tickets have the same keystream: their difference is that of their secrets"
        return text, "A KEYSTREAM REPEATS", UPDATE
    if repeated := _repeats(found, key_names(study).length):
        return f"{repeated} of {len(found)} tickets repeat the IV of another one", "AN IV REPEATS", UPDATE
    return None


def _same_keystream(sessions: Sequence[Issued]) -> int:
    """How many pairs of tickets were encrypted with the same keystream, as far as the secrets show."""
    known = [one for one in sessions if len(one.secret) >= SHORTEST]
    return sum(
        _difference(a.secret, b.secret) in _difference(a.identity, b.identity) for a, b in combinations(known, 2)
    )


def _difference(a: bytes, b: bytes) -> bytes:
    return bytes(x ^ y for x, y in zip(a, b, strict=False))


def _opens(ticket: bytes, study: Study) -> Iterator[str]:
    """The guessable keys that fit a ticket."""
    for name, byte in GUESSES.items():
        keys = [(f"{length} bytes, {name}", byte * length) for length in LENGTHS]
        keys.append((f"Go's SetSessionTicketKeys, 32 bytes, {name}", sha512(byte * 32).digest()[32:48]))
        keys += [(f"GnuTLS's ticket key, 64 bytes, {name}", key) for key in _of_gnutls(byte * 64, study)]
        for what, key in keys:
            for hash_, length in HASHES.items():
                body, mac = ticket[:-length], ticket[-length:]
                if body and hmac.compare_digest(hmac.digest(key, body, hash_), mac):
                    yield f"{what} (HMAC-{hash_.upper()})"
        for size in (16, 32):
            if _opens_gcm(ticket, byte * size):
                yield f"{size} bytes, {name} (AES-GCM, mbed TLS)"


def _decrypts(session: Issued) -> Iterator[str]:
    """The guessable AES keys that show the session's secret in a ticket of RFC 5077's format.

    Apache httpd 2.4 with OpenSSL 3 encrypts with the key that is set, and not even that key authenticates its tickets.
    """
    iv, body = session.identity[NAME : NAME + BLOCK], session.identity[NAME + BLOCK :]
    body = body[: len(body) // BLOCK * BLOCK]
    if not body or len(session.secret) < SHORTEST:
        return
    for name, byte in GUESSES.items():
        for size in (16, 32):
            opened = Cipher(algorithms.AES(byte * size), modes.CBC(iv)).decryptor().update(body)
            if session.secret in opened:
                yield f"{size} bytes, {name} (AES-{8 * size}-CBC)"


def _of_gnutls(key: bytes, study: Study) -> Iterator[bytes]:
    """The keys of the HMAC that GnuTLS derives from the key that is set, now and a period before (lib/stek.c)."""
    periods = {session.lifetime for session in study.sessions if session.lifetime} | GNUTLS_LIFETIMES
    for period in sorted(periods):
        now = study.at // (period * GNUTLS_PERIODS)
        for turn in (now, now - 1):
            yield sha3_512(max(turn, 0).to_bytes(8, "big") + key).digest()[48:]


def _opens_gcm(ticket: bytes, key: bytes) -> bool:
    """Whether a key opens a ticket of mbed TLS, whose head is authenticated with it."""
    if len(ticket) <= MBED_HEAD:
        return False
    try:
        AESGCM(key).decrypt(ticket[MBED_NAME : MBED_NAME + IV], ticket[MBED_HEAD:], ticket[:MBED_HEAD])
    except InvalidTag:
        return False
    return True


def _repeats(tickets: Sequence[bytes], name: int) -> int:
    """How many tickets have the name and the IV of an earlier one; 0 where no name is proven."""
    heads = [ticket[: name + IV] for ticket in tickets] if name else []
    return len(heads) - len(set(heads))


def _answer(study: Study, text: str, flag: str = "", change: str = "") -> Answer:
    return Answer(Topic.TICKET_CONTENTS, study.label, text, flag, change, holds={"sound-tickets": not flag})
