"""CompressedCertificate (RFC 8879, 4): zlib is undone, another algorithm leaves the chain unknown, damage is said."""

from __future__ import annotations

import zlib

import pytest

from harness.model.errors import WireFormatError
from harness.wire.messages import certificate_response, certificate_status, compressed_certificates

CHAIN = (b"the leaf", b"its issuer")


def vector(size: int, body: bytes) -> bytes:
    return len(body).to_bytes(size, "big") + body


MESSAGE = vector(1, b"") + vector(3, b"".join(vector(3, der) + vector(2, b"") for der in CHAIN))


def body(algorithm: int = 1, length: int = len(MESSAGE), data: bytes | None = None) -> bytes:
    packed = zlib.compress(MESSAGE) if data is None else data
    return algorithm.to_bytes(2, "big") + length.to_bytes(3, "big") + vector(3, packed)


def test_zlib_is_undone() -> None:
    plain, shown = compressed_certificates(body(), 0)

    assert plain == MESSAGE
    assert shown == {"algorithm": "zlib", "uncompressed": "32 bytes", "certificates": "8 bytes, 10 bytes"}


@pytest.mark.parametrize(("algorithm", "name"), [(2, "brotli"), (3, "zstd"), (77, "77")])
def test_the_chain_under_another_algorithm_is_unknown(algorithm: int, name: str) -> None:
    assert compressed_certificates(body(algorithm), 0) == (None, {"algorithm": name, "uncompressed": "32 bytes"})


RESPONSE = vector(3, b"a response")


def stapled(*extensions: bytes) -> bytes:
    """A Certificate of TLS 1.3 whose first entry has these extensions."""
    entry = vector(3, b"the leaf") + vector(2, b"".join(extensions))
    return vector(1, b"") + vector(3, entry + vector(3, b"its issuer") + vector(2, b""))


def test_the_response_is_in_the_first_entry() -> None:
    other, status = b"\0\x12" + vector(2, b"sct"), b"\0\5" + vector(2, b"\1" + RESPONSE)

    assert certificate_response(stapled(other, status), 0) == b"a response"
    assert certificate_response(stapled(other), 0) == b""
    assert certificate_response(vector(1, b"") + vector(3, b""), 0) == b""
    assert certificate_status(b"\1" + RESPONSE, 0) == b"a response"


@pytest.mark.parametrize(
    ("damaged", "says"),
    [(b"\2" + RESPONSE, "type 2, which is not ocsp"), (b"\1" + RESPONSE[:-1], "cut short"), (b"", "cut short")],
)
def test_a_malformed_response_is_said(damaged: bytes, says: str) -> None:
    with pytest.raises(WireFormatError, match=says):
        certificate_status(damaged, 0)
    with pytest.raises(WireFormatError, match=says):
        certificate_response(stapled(b"\0\5" + vector(2, damaged)), 0)


@pytest.mark.parametrize(
    ("damaged", "says"),
    [
        (body(length=len(MESSAGE) - 1), "says 31 bytes and has 32 or more"),
        (body(length=len(MESSAGE) + 1), "says 33 bytes and has 32"),
        (body(data=b"no zlib"), "is not zlib data"),
        (body(data=zlib.compress(bytes(1 << 24))), "says 32 bytes and has 33 or more"),
        (body(data=zlib.compress(MESSAGE)[:-8]), "CompressedCertificate"),
        (body() + b"\0", "1 byte"),
        (body()[:4], "cut short"),
    ],
)
def test_what_is_malformed_is_said(damaged: bytes, says: str) -> None:
    with pytest.raises(WireFormatError, match=says):
        compressed_certificates(damaged, 0)
