"""Exported keying material, computed from a key log (RFC 8446, 7.5; RFC 5705, 4)."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from harness.model.tls import TLSVersion
from harness.wire.decrypt import prf, prf_hash
from harness.wire.key_log import secrets_of
from harness.wire.suites import SUITES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.model.transcript import ClientHello, ServerHello


def exported(hellos: tuple[ClientHello, ServerHello], keylog: Iterable[str], label: str, length: int) -> bytes | None:
    """The material of a connection, without a context; at most 32 bytes. None if the key log has no secret for it."""
    client, server = hellos
    suite = SUITES.get(server.cipher_suite)
    tls13 = server.version is TLSVersion.TLSv1_3
    name = "EXPORTER_SECRET" if tls13 else "CLIENT_RANDOM"
    secret = secrets_of(keylog).get((name, client.random.hex()))
    if suite is None or secret is None:
        return None
    try:
        key = bytes.fromhex(secret)
    except ValueError:
        return None
    if not tls13:
        return prf(key, label.encode(), client.random + server.random, length, prf_hash(suite, server.version))
    nothing = hashlib.new(suite.hash).digest()
    return expand(expand(key, label, nothing, len(nothing), suite.hash), "exporter", nothing, length, suite.hash)


def expand(secret: bytes, label: str, context: bytes, length: int, hash_name: str) -> bytes:
    """HKDF-Expand-Label (RFC 8446, 7.1) of at most one block."""
    name = b"tls13 " + label.encode()
    info = length.to_bytes(2, "big") + bytes([len(name)]) + name + bytes([len(context)]) + context
    return hmac.digest(secret, info + b"\1", hash_name)[:length]
