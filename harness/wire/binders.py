"""Proves which identities of a ClientHello are external PSKs, by their binders (RFC 8446, 4.2.11.2)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.model.transcript import ExternalPsk
from harness.wire.exporter import expand

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harness.model.tls import Role
    from harness.model.transcript import ClientHello

HASHES = {32: "sha256", 48: "sha384"}
"""The hash of a PSK by the length of its binder, for the suites of TLS 1.3 (RFC 8446, B.4)."""
MESSAGE_HASH = 254
"""The type of the message that stands for the first ClientHello after a HelloRetryRequest (RFC 8446, 4.4.1)."""


def binder(key: bytes, hash_name: str, before: Iterable[bytes], truncated: bytes) -> bytes:
    """The binder of an external PSK.

    ``before`` are the first ClientHello and the HelloRetryRequest, if there were, ``truncated`` is the ClientHello up
    to its binders, all with their headers.
    """
    nothing = hashlib.new(hash_name).digest()
    size = len(nothing)
    early = hmac.digest(bytes(size), key, hash_name)
    finished = expand(expand(early, "ext binder", nothing, size, hash_name), "finished", b"", size, hash_name)
    digest = hashlib.new(hash_name)
    for place, message in enumerate(before):
        digested = hashlib.new(hash_name, message).digest()
        digest.update(message if place else bytes([MESSAGE_HASH, 0, 0, size]) + digested)
    digest.update(truncated)
    return hmac.digest(finished, digest.digest(), hash_name)


def proven(hello: ClientHello, message: bytes, before: Iterable[bytes], keys: Mapping[Role, bytes]) -> ClientHello:
    """The ClientHello with its external PSKs; ``message`` is it as sent, ``keys`` are what the ends were given."""
    if not hello.psk_binders or not keys:
        return hello
    truncated = message[: len(message) - 2 - sum(1 + len(each) for each in hello.psk_binders)]
    earlier = tuple(before)
    found = []
    for identity, sent in zip(hello.psk_identities, hello.psk_binders, strict=False):
        hash_name = HASHES.get(len(sent))
        holders = {
            role for role, key in keys.items() if hash_name and binder(key, hash_name, earlier, truncated) == sent
        }
        if holders:
            found.append(ExternalPsk(identity, frozenset(holders)))
    return replace(hello, external_psks=tuple(found)) if found else hello
