"""Judges tickets offline: whether a guessable key authenticates them, and whether an IV repeats.

After the tests of "We Really Need to Talk About Session Tickets" (USENIX Security 2023). A ticket of OpenSSL,
BoringSSL, NSS, GnuTLS or Go ends with an HMAC of all that is before it (RFC 5077, 4), so that a guess of the HMAC's key
shows whether the ticket can be forged; mbed TLS encrypts with AES-GCM under a name of 4 bytes and an IV of 12.
"""

from __future__ import annotations

import hmac
from hashlib import sha512
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from harness.explain.probing.key_names import key_names
from harness.model.connection import HANDLE
from harness.model.probe import Answer, Topic
from harness.model.tls import Mechanism

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.model.probe import Study

LENGTHS = (16, 20, 32, 48, 64)
"""Bytes of the keys that the libraries use for an HMAC."""
GUESSES = {"all zero": b"\x00", "all 0xff": b"\xff", "all spaces": b" ", "all 'a'": b"a"}
HASHES = {"sha256": 32, "sha1": 20, "sha384": 48}
"""The length of each HMAC that ends a ticket."""
IV = 12
"""Bytes after a key's name that are an IV in every format that has one."""
MBED_NAME, MBED_HEAD = 4, 18
"""mbed TLS: the name, then the IV of 12 bytes and a length of 2 (mbedtls_ssl_ticket_write)."""


def ticket_contents(study: Study) -> Answer | None:
    """Answer what can be found out of the tickets; None if there is none that holds a session."""
    issued = [ticket for offer in study.offers for ticket in offer.tickets]
    found = list(dict.fromkeys([*(session.identity for session in study.sessions), *issued]))
    if study.mechanism is Mechanism.SESSION_ID or not found or all(len(ticket) <= HANDLE for ticket in found):
        return None
    guessed = next((key for ticket in found for key in _opens(ticket)), "")
    repeated = _repeats(found, key_names(study).length)
    if guessed:
        text = f"a guessable key authenticates the tickets: {guessed}"
        return _answer(study, text, "ANYBODY CAN FORGE TICKETS", "give the server ticket keys of random bytes")
    if repeated:
        text = f"{repeated} of {len(found)} tickets repeat the IV of another one"
        return _answer(study, text, "AN IV REPEATS", "update the server's TLS library")
    return _answer(study, f"nothing found in {len(found)} tickets: no guessable key, and no IV repeats")


def _opens(ticket: bytes) -> Iterator[str]:
    """The guessable keys that fit a ticket."""
    for name, byte in GUESSES.items():
        keys = [(f"{length} bytes, {name}", byte * length) for length in LENGTHS]
        keys.append((f"Go's SetSessionTicketKeys, 32 bytes, {name}", sha512(byte * 32).digest()[32:48]))
        for what, key in keys:
            for hash_, length in HASHES.items():
                body, mac = ticket[:-length], ticket[-length:]
                if body and hmac.compare_digest(hmac.digest(key, body, hash_), mac):
                    yield f"{what} (HMAC-{hash_.upper()})"
        for size in (16, 32):
            if _opens_gcm(ticket, byte * size):
                yield f"{size} bytes, {name} (AES-GCM, mbed TLS)"


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
