"""A certificate that real OpenSSLs compress (RFC 8879) is read on the wire, and a liar about it is caught."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from harness.builds.store import BuildStore
from harness.builds.versions import build_version
from harness.model.errors import DisagreementError
from harness.model.knobs import ClientConfig, ServerConfig, Verify
from harness.model.tls import Outcome, Role, TLSVersion
from harness.pair.pair import Pair
from harness.stacks.libssl import LibsslStack
from harness.tests.liars.lying import falsified

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model.connection import Connection
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack

SINCE = "3.2"
"""The first OpenSSL with RFC 8879; a client compresses its certificate where the server takes that."""


def compresses(stack: Stack, runtime: Runtime) -> bool:
    """Whether this build has zlib."""
    connection = connected((stack, stack), runtime)
    return "CompressedCertificate" in connection.transcript.types(Role.CLIENT)


def connected(stacks: tuple[Stack, Stack], runtime: Runtime) -> Connection:
    """A full handshake in which both ends show a certificate."""
    knobs = ClientConfig(client_certificate="client"), ServerConfig(verify=Verify.REQUIRED)
    pair = Pair(stacks, TLSVersion.TLSv1_3, runtime, client=knobs[0], server=knobs[1])
    try:
        return pair.connect(presume_full=False)
    finally:
        pair.close()


@pytest.fixture(scope="module")
def honest(runtime: Runtime) -> Iterator[LibsslStack]:
    """The newest fetched build that compresses."""
    found = BuildStore().serving("libssl")
    for version in sorted(found, key=build_version, reverse=True):
        if build_version(version) < build_version(SINCE):
            break
        stack = LibsslStack(found[version], runtime)
        if compresses(stack, runtime):
            yield stack
            stack.close()
            return
        stack.close()
    pytest.skip("no fetched build compresses certificates by zlib; run: resumption builds fetch --provider debian 3.5")


def test_the_chain_of_a_compressed_certificate_is_read(runtime: Runtime, honest: LibsslStack) -> None:
    connection = connected((honest, honest), runtime)
    message = next(m for m in connection.transcript.messages if m.type == "CompressedCertificate")

    assert connection.outcome is Outcome.FULL
    assert message.fields["algorithm"] == "zlib"
    assert len(connection.transcript.certificates[Role.CLIENT]) == 1
    assert connection.server.peer_chain == (sha256(connection.transcript.certificates[Role.CLIENT][0]).hexdigest(),)
    assert connection.contradictions == ()


@pytest.mark.parametrize(("fact", "value"), [("peer_chain", ("00" * 32,)), ("peer_certificate", False)])
def test_a_server_that_lies_about_a_compressed_certificate_is_caught(
    runtime: Runtime, honest: LibsslStack, fact: str, value: Any
) -> None:
    liar = falsified(honest, lambda report: replace(report, **{fact: value}))
    connection = connected((honest, liar), runtime)

    with pytest.raises(DisagreementError, match=f"{fact}: the server reports"):
        connection.outcome  # noqa: B018  reading it is what raises
