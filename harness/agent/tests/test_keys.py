"""Private keys: decoded once, checked against each context's certificate, and not used where they corrupt memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from harness.agent.library import LackError, TlsError, check_key
from harness.runtime.runtime import Runtime
from harness.tests.raw_agent import libssl_build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from harness.agent.drivers.libssl import LibsslLibrary
    from harness.runtime.pki import Pki


@pytest.fixture
def pki() -> Iterator[Pki]:
    with Runtime() as runtime:
        yield runtime.pki


@pytest.fixture
def library() -> LibsslLibrary:
    from harness.agent.drivers.libssl import load  # noqa: PLC0415 - loads cffi, which only these tests need

    build = libssl_build()
    return load(libssl=str(build.libssl), libcrypto=str(build.libcrypto))


def files(pki: Pki, certificate: str, key: str) -> dict[str, Any]:
    return {"certificate": str(pki.issued(certificate).certificate), "key": str(pki.issued(key).key)}


def test_a_key_serves_a_second_context_when_the_first_is_freed(pki: Pki, library: LibsslLibrary) -> None:
    library.context("server", {}, files(pki, "server", "server")).free()

    library.context("server", {}, files(pki, "server", "server")).free()


def test_a_known_key_is_refused_with_another_certificate(pki: Pki, library: LibsslLibrary) -> None:
    library.context("server", {}, files(pki, "server", "server"))

    with pytest.raises(TlsError) as refused:
        library.context("server", {}, files(pki, "other-server", "server"))
    assert refused.value.queue[-1]["knob"] == "key"


def test_a_key_that_cannot_be_read_is_refused(pki: Pki, library: LibsslLibrary) -> None:
    absent = {**files(pki, "server", "server"), "key": "/nowhere/server.key"}

    with pytest.raises(TlsError) as refused:
        library.context("server", {}, absent)
    assert refused.value.queue[-1]["knob"] == "key"


AVX512IFMA, ANOTHER = "flags\t\t: fpu avx512ifma\n", "flags\t\t: fpu avx2\n"


def pem(kind: str, form: PrivateFormat) -> bytes:
    """A private key."""
    key = rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, form, NoEncryption())


@pytest.mark.parametrize(
    ("version", "kind", "flags", "refused"),
    [
        ("3.0.4", "rsa", AVX512IFMA, True),
        ("3.0.4", "rsa", ANOTHER, False),
        ("3.0.4", "ec", AVX512IFMA, False),
        ("3.0.3", "rsa", AVX512IFMA, False),
        ("3.0.5", "rsa", AVX512IFMA, False),
    ],
)
@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL])
def test_rsa_with_3_0_4_is_refused_where_it_corrupts_memory(
    tmp_path: Path, form: PrivateFormat, version: str, kind: str, flags: str, *, refused: bool
) -> None:
    key, cpu = tmp_path / "key.pem", tmp_path / "cpuinfo"
    key.write_bytes(pem(kind, form))
    key.chmod(0o600)
    cpu.write_text(flags)

    said = ""
    try:
        check_key(version, str(key), cpu)
    except LackError as error:
        said = str(error)

    assert ("CVE-2022-2274" in said) is refused
