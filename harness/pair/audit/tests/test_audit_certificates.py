"""The audit compares how ends are set to send their certificates with the wire (RFC 8879; RFC 7250)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.model.tls import Role, TLSVersion
from harness.pair.audit import audit
from harness.pair.pair import Pair
from harness.wire.hellos import COMPRESS_CERTIFICATE

if TYPE_CHECKING:
    from harness.model.connection import Connection
    from harness.runtime.runtime import Runtime
    from harness.stacks.libssl import LibsslStack

ZLIB, ZSTD = b"\2\0\1", b"\2\0\3"
"""The body of compress_certificate with one algorithm."""


@pytest.fixture(scope="module")
def full(runtime: Runtime, honest: LibsslStack) -> Connection:
    """A real full handshake, of an end that neither compresses nor has a raw key."""
    pair = Pair((honest, honest), TLSVersion.TLSv1_3, runtime)
    try:
        return pair.connect()
    finally:
        pair.close()


def found(
    full: Connection, *, asks: bytes | None, compressed: bool = False, raw: bool = False, **knobs: dict[str, Any]
) -> list[str]:
    """The contradictions of the handshake if its ends had these knobs and it showed this of its certificate."""
    setup, transcript = full.setup, full.transcript
    assert setup is not None
    hello, *_others = transcript.client_hellos
    extensions = {n: body for n, body in hello.extensions.items() if n != COMPRESS_CERTIFICATE}
    if asks is not None:
        extensions[COMPRESS_CERTIFICATE] = asks
    kind = "CompressedCertificate" if compressed else "Certificate"
    transcript = replace(
        transcript,
        client_hellos=(replace(hello, extensions=extensions),),
        messages=tuple(replace(m, type=kind) if m.type == "Certificate" else m for m in transcript.messages),
        raw_public_keys={Role.SERVER: b"key"} if raw else {},
        certificates={Role.SERVER: ()} if raw else transcript.certificates,
    )
    setup = replace(
        setup,
        client=replace(setup.client, **knobs.get("client", {})),
        server=replace(setup.server, **knobs.get("server", {})),
    )
    named = {"certificate compression", "compressed certificate", "raw public key"}
    return [
        f"{c.witness} {c.fact}: {c.reported}"
        for c in audit(replace(full, setup=setup, transcript=transcript))
        if c.fact in named
    ]


@pytest.mark.parametrize(("asks", "wire"), [(True, None), (False, ZLIB)])
def test_a_client_that_asks_otherwise_is_caught(full: Connection, *, asks: bool, wire: bytes | None) -> None:
    said = "yes" if asks else "no"

    assert found(full, asks=wire, client={"cert_decompression": asks}) == [f"client certificate compression: {said}"]
    assert found(full, asks=wire, client={"cert_decompression": not asks}) == []
    assert found(full, asks=wire) == []


def test_a_server_that_compresses_although_it_must_not_is_caught(full: Connection) -> None:
    off = {"cert_compression": False}

    assert found(full, asks=ZLIB, compressed=True, server=off) == ["server compressed certificate: no"]
    assert found(full, asks=ZLIB, server=off) == []


def test_a_server_that_does_not_compress_although_it_must_is_caught(full: Connection) -> None:
    on = {"cert_compression": True}

    assert found(full, asks=ZLIB, server=on) == ["server compressed certificate: yes"]
    assert found(full, asks=ZLIB, compressed=True, server=on) == []


@pytest.mark.parametrize("asks", [None, ZSTD])
def test_a_server_that_shares_no_algorithm_is_believed(full: Connection, asks: bytes | None) -> None:
    assert found(full, asks=asks, server={"cert_compression": True}) == []


@pytest.mark.parametrize(("client", "server"), [(True, True), (True, False), (True, None), (None, True)])
def test_the_wrong_kind_of_certificate_is_caught(full: Connection, *, client: bool | None, server: bool | None) -> None:
    raw = bool(client and server)
    ends = {"server_rpk": client}, {"server_rpk": server}
    said = "yes" if raw else "no"

    assert found(full, asks=None, raw=not raw, client=ends[0], server=ends[1]) == [f"server raw public key: {said}"]
    assert found(full, asks=None, raw=raw, client=ends[0], server=ends[1]) == []


def test_ends_that_are_not_set_to_anything_are_believed(full: Connection) -> None:
    assert found(full, asks=ZLIB, compressed=True) == []
    assert found(full, asks=None, raw=True) == []
