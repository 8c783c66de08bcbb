"""A group of RFC 7919 in TLS 1.2: the wire shows its prime, and a server that names another group is caught."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.backends.openssl import backend

from harness.builds.system import build_for
from harness.model.build import Build
from harness.model.errors import DisagreementError
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.tls import Outcome, TLSVersion
from harness.pair.pair import Pair
from harness.stacks.pyopenssl import PyopensslStack
from harness.tests.liars.lying import falsified
from harness.wire.messages import key_exchange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model.connection import Connection
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack

SUITE = "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"
ADDENDS = {2048: 560316, 3072: 2625351, 4096: 5736041, 6144: 15705020, 8192: 10965728}
"""What makes a safe prime of each length (RFC 7919, A)."""
CLIENT = ClientConfig(ciphers="DHE-RSA-AES128-GCM-SHA256")
SERVER = ServerConfig(server_certificate="rsa-server")
CHOOSES = pytest.mark.skipif(
    backend.openssl_version_number() < 0x40000000, reason="OpenSSL before 4.0 names no group of RFC 7919 in TLS 1.2"
)


def prime(bits: int) -> int:
    """The prime of RFC 7919 that has so many bits, by its formula."""
    with localcontext() as context:
        context.prec = bits
        middle = int(Decimal(1).exp() * Decimal(2) ** (bits - 130)) + ADDENDS[bits]
    return (1 << bits) - (1 << bits - 64) + (middle << 64) - 1


def exchange(number: int) -> bytes:
    """The body of a ServerKeyExchange with this prime."""
    made = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return len(made).to_bytes(2, "big") + made + b"\0\1\2" + b"\0\1\4"


@pytest.mark.parametrize(("bits", "number"), [(2048, 256), (3072, 257), (4096, 258), (6144, 259), (8192, 260)])
def test_a_prime_of_rfc7919_is_recognized(bits: int, number: int) -> None:
    found = key_exchange(exchange(prime(bits)), 0, SUITE, server=True)

    assert (found.dh_bits, found.dh_group, found.group) == (bits, number, None)


@pytest.mark.parametrize("other", [prime(2048) ^ 1 << 1950, prime(2048) >> 1, (1 << 1024) - 1])
def test_another_prime_has_no_group(other: int) -> None:
    assert key_exchange(exchange(other), 0, SUITE, server=True).dh_group is None


@pytest.fixture
def stack(runtime: Runtime) -> Iterator[PyopensslStack]:
    build = build_for("pyopenssl")
    assert isinstance(build, Build)
    stack = PyopensslStack(build, runtime)
    yield stack
    stack.close()


def connected(client: Stack, server: Stack, runtime: Runtime) -> Connection:
    """One connection of TLS 1.2 with DHE."""
    pair = Pair((client, server), TLSVersion.TLSv1_2, runtime, client=CLIENT, server=SERVER)
    try:
        connection = pair.connect()
        assert connection.outcome is Outcome.FULL
        return connection
    finally:
        pair.close()


@CHOOSES
def test_the_server_names_its_group_and_the_client_none(runtime: Runtime, stack: PyopensslStack) -> None:
    connection = connected(stack, stack, runtime)

    assert (connection.server.group, connection.client.group) == ("ffdhe2048", "")
    assert connection.contradictions == ()


@CHOOSES
def test_a_server_that_names_another_group_is_caught(runtime: Runtime, stack: PyopensslStack) -> None:
    liar = falsified(stack, lambda report: replace(report, group="ffdhe3072"))

    with pytest.raises(DisagreementError, match="group: the server reports ffdhe3072; the wire shows ffdhe2048"):
        connected(stack, liar, runtime)
