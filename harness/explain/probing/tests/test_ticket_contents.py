"""Tickets that a guessable key authenticates, in the formats of the libraries, differ from those of a random key."""

from __future__ import annotations

import hmac
import os
from hashlib import sha512
from typing import TYPE_CHECKING

import pytest
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


def test_handles_are_not_judged() -> None:
    assert ticket_contents(Study(Mechanism.PSK, (Issued(1, os.urandom(32)),))) is None
