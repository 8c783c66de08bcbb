"""Tickets that a guessable key authenticates, in the formats of the libraries, differ from those of a random key."""

from __future__ import annotations

import hmac
import os
from hashlib import sha3_512, sha512
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from harness.explain.probing.ticket_contents import ticket_contents
from harness.model.probe import Issued, Study
from harness.model.tls import Mechanism

if TYPE_CHECKING:
    from harness.model.probe import Answer


def judged(*tickets: bytes) -> Answer:
    """The answer about these tickets."""
    found = ticket_contents(Study(Mechanism.PSK, tuple(Issued(n, ticket) for n, ticket in enumerate(tickets, 1))))
    assert found
    return found


def with_mac(key: bytes, hash_: str = "sha256", name: bytes = b"n" * 16) -> bytes:
    """A name, an IV, a ciphertext and the HMAC over them."""
    body = name + os.urandom(16 + 160)
    return body + hmac.digest(key, body, hash_)


def of_mbed(key: bytes) -> bytes:
    """A ticket as mbed TLS writes it."""
    iv = os.urandom(12)
    head = b"name" + iv + (160).to_bytes(2, "big")
    return head + AESGCM(key).encrypt(iv, os.urandom(160), head)


@pytest.mark.parametrize(
    ("ticket", "key"),
    [
        (with_mac(bytes(32)), "32 bytes, all zero (HMAC-SHA256)"),
        (with_mac(bytes(16)), "32 bytes, all zero (HMAC-SHA256)"),
        (with_mac(b"\xff" * 32), "32 bytes, all 0xff (HMAC-SHA256)"),
        (with_mac(b"a" * 16, "sha1"), "16 bytes, all 'a' (HMAC-SHA1)"),
        (with_mac(sha512(bytes(32)).digest()[32:48], name=b""), "Go's SetSessionTicketKeys, 32 bytes, all zero"),
        (of_mbed(bytes(32)), "32 bytes, all zero (AES-GCM, mbed TLS)"),
    ],
    ids=["openssl", "nginx-48", "all-0xff", "gnutls", "go", "mbed"],
)
def test_a_guessable_key_is_found(ticket: bytes, key: str) -> None:
    found = judged(ticket)

    assert found.flag == "ANYBODY CAN FORGE TICKETS"
    assert found.holds == {"sound-tickets": False}
    assert key.partition(", ")[2] in found.text


@pytest.mark.parametrize("make", [with_mac, of_mbed], ids=["hmac", "gcm"])
def test_a_random_key_is_not_found(make: object) -> None:
    assert callable(make)
    found = judged(make(os.urandom(32)), make(os.urandom(32)))

    assert (found.flag, found.holds) == ("", {"sound-tickets": True})


def test_an_iv_that_repeats_is_found() -> None:
    one = os.urandom(32) + os.urandom(160)
    found = judged(one, one[:32] + os.urandom(160))

    assert found.flag == "AN IV REPEATS"


def of_gnutls(key: bytes, at: int) -> bytes:
    """A ticket as GnuTLS writes it, of a server whose sessions last 6 hours."""
    derived = sha3_512((at // (3 * 21600)).to_bytes(8, "big") + key).digest()
    body = derived[:16] + os.urandom(16) + (160).to_bytes(2, "big") + os.urandom(160)
    return body + hmac.digest(derived[48:], body, "sha1")


@pytest.mark.parametrize(
    ("key", "flag"), [(bytes(64), "ANYBODY CAN FORGE TICKETS"), (os.urandom(64), "")], ids=["zero", "random"]
)
def test_the_keys_that_gnutls_derives_are_guessed(key: bytes, flag: str) -> None:
    at = 1_800_000_000
    found = ticket_contents(Study(Mechanism.PSK, (Issued(1, of_gnutls(key, at), 21600),), at=at))

    assert found
    assert found.flag == flag


def with_secrets(*tickets: tuple[bytes, bytes]) -> Answer:
    """The answer about tickets, each with the secret of its session."""
    issued = tuple(Issued(n, ticket, secret=secret) for n, (ticket, secret) in enumerate(tickets, 1))
    found = ticket_contents(Study(Mechanism.PSK, issued))
    assert found
    return found


def test_a_secret_in_the_clear_is_found() -> None:
    secret = os.urandom(48)

    assert with_secrets((os.urandom(40) + secret + os.urandom(32), secret)).flag == (
        "ANYBODY CAN DECRYPT THE CONNECTIONS"
    )
    assert not with_secrets((os.urandom(120), secret)).flag


@pytest.mark.parametrize(("key", "found"), [(bytes(16), True), (bytes(32), True), (os.urandom(32), False)], ids="abc")
def test_a_guessable_key_that_decrypts_is_found_without_a_mac(key: bytes, *, found: bool) -> None:
    secret, head = os.urandom(48), os.urandom(32)
    plain = os.urandom(37) + secret + os.urandom(43)
    sealed = Cipher(algorithms.AES(key), modes.CBC(head[16:])).encryptor().update(plain)

    assert with_secrets((head + sealed + os.urandom(32), secret)).holds == {"sound-tickets": not found}


@pytest.mark.parametrize(("again", "flag"), [(True, "A KEYSTREAM REPEATS"), (False, "")])
def test_a_keystream_that_repeats_is_found_by_the_secrets(flag: str, *, again: bool) -> None:
    secrets, stream = [os.urandom(48) for _ in range(3)], os.urandom(120)
    tickets = []
    for secret in secrets:
        plain = b"state" * 5 + secret + os.urandom(47)
        tickets.append(bytes(x ^ y for x, y in zip(plain, stream, strict=True)))
        stream = stream if again else os.urandom(120)

    assert with_secrets(*zip(tickets, secrets, strict=True)).flag == flag


def test_handles_are_not_judged() -> None:
    assert ticket_contents(Study(Mechanism.PSK, (Issued(1, os.urandom(32)),))) is None
