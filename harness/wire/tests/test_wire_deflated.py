"""Records that TLS 1.2 compressed are read as one stream, a record at a time (RFC 3749, 2.1)."""

from __future__ import annotations

import zlib

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from harness.model.tls import Role
from harness.wire.decrypt import Epoch12, prf
from harness.wire.records import Record
from harness.wire.suites import SUITES

SUITE = SUITES[0x009C]
MASTER, RANDOMS = bytes(48), (b"c" * 32, b"s" * 32)
DATA = 23


def sealed(plain: bytes, number: int) -> Record:
    """A record of the client's, by the key block of RFC 5246, 6.3."""
    block = prf(MASTER, b"key expansion", RANDOMS[1] + RANDOMS[0], 40, SUITE.hash)
    explicit = number.to_bytes(8, "big")
    header = explicit + bytes([DATA]) + b"\3\3" + len(plain).to_bytes(2, "big")
    payload = explicit + AESGCM(block[:16]).encrypt(block[32:36] + explicit, plain, header)
    return Record(DATA, bytes([DATA]) + b"\3\3" + len(payload).to_bytes(2, "big"), payload, 0)


def epoch() -> Epoch12:
    return Epoch12(SUITE, MASTER, RANDOMS, Role.CLIENT, deflated=True)


def test_each_record_goes_on_with_the_stream() -> None:
    stream, opener = zlib.compressobj(), epoch()
    lines = [b"ping\n", b"ping\n", b"pong\n"]
    records = [sealed(stream.compress(line) + stream.flush(zlib.Z_SYNC_FLUSH), i) for i, line in enumerate(lines)]

    assert [opener.open(record) for record in records] == [(DATA, line) for line in lines]


@pytest.mark.parametrize("plain", [b"no zlib stream", b""])
def test_what_is_no_stream_gives_no_data(plain: bytes) -> None:
    assert epoch().open(sealed(plain, 0)) in {None, (DATA, b"")}


def test_a_record_that_would_be_too_long_is_cut_off() -> None:
    stream = zlib.compressobj()
    bomb = stream.compress(bytes(2**20)) + stream.flush(zlib.Z_SYNC_FLUSH)

    assert epoch().open(sealed(bomb, 0)) == (DATA, bytes(2**14))
