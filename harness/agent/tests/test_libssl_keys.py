"""Private keys of the libssl driver: decoded once, and still checked against each context's certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.agent.library import TlsError
from harness.runtime.runtime import Runtime
from harness.tests.raw_agent import libssl_build

if TYPE_CHECKING:
    from collections.abc import Iterator

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
