"""A handshake with an external PSK is distinguished from a resumption by proof; an end that misreports it is caught."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.agent.kinds import psk_of
from harness.model.errors import DisagreementError
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.tls import Outcome, Role, TLSVersion
from harness.model.view import Saw
from harness.pair.pair import Pair
from harness.wire.judge import judge
from harness.wire.reading import read

if TYPE_CHECKING:
    from harness.model.connection import Connection
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack
    from harness.stacks.libssl import LibsslStack
    from harness.tests.liars.lying import Liars

V12, V13 = TLSVersion.TLSv1_2, TLSVersion.TLSv1_3
CLIENT = ClientConfig(psk_key="shared")
SERVER = ServerConfig(psk_key="shared", server_certificate="none")
IDENTITY = b"Client_identity"


def connected(client: Stack, server: Stack, tls: TLSVersion, runtime: Runtime) -> Connection:
    """One connection with the external PSK; DisagreementError if the witnesses disagree."""
    pair = Pair((client, server), tls, runtime, client=CLIENT, server=SERVER)
    try:
        connection = pair.connect(presume_full=False)
        assert connection.outcome is Outcome.FULL
        return connection
    finally:
        pair.close()


@pytest.mark.parametrize("tls", [V12, V13])
def test_both_ends_and_the_wire_name_the_identity(runtime: Runtime, honest: LibsslStack, tls: TLSVersion) -> None:
    connection = connected(honest, honest, tls, runtime)

    assert connection.client.external_psk == connection.server.external_psk == IDENTITY
    assert connection.external_psk == IDENTITY
    assert connection.contradictions == ()


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(
    ("tls", "fact", "caught"),
    [
        (V13, {"external_psk": ""}, "Disagreement"),
        (V13, {"external_psk": b"alice".hex()}, "external_psk: the"),
        (V13, {"reused_at_end": False}, "reused_at_end: the"),
        (V12, {"external_psk": ""}, "external_psk: the"),
        (V12, {"external_psk": b"alice".hex()}, "external_psk: the"),
    ],
)
def test_end_that_misreports_the_psk_is_caught(
    runtime: Runtime, honest: LibsslStack, liars: Liars, role: Role, tls: TLSVersion, fact: dict[str, Any], caught: str
) -> None:
    liar = liars.stack(facts=fact)
    ends = (liar, honest) if role is Role.CLIENT else (honest, liar)

    with pytest.raises(DisagreementError) as raised:
        connected(*ends, tls, runtime)
    assert caught in str(raised.value)


def test_client_with_another_key_than_its_own_is_caught(runtime: Runtime, honest: LibsslStack, liars: Liars) -> None:
    liar = liars.stack(knobs={"psk_key": "ab" * 32})

    with pytest.raises(DisagreementError) as raised:
        connected(liar, honest, V13, runtime)
    assert "the wire shows pre_shared_key in ClientHello" in str(raised.value)


def test_binder_proves_the_psk_with_the_right_key_only(runtime: Runtime, honest: LibsslStack) -> None:
    seen = connected(honest, honest, V13, runtime)
    keylog = (*seen.client.keylog, *seen.server.keylog)
    right, wrong = bytes.fromhex(psk_of("shared")), bytes.fromhex(psk_of("another"))
    proven = read(seen.chunks, keylog, {Role.CLIENT: right, Role.SERVER: wrong})
    unproven = read(seen.chunks, keylog, {Role.CLIENT: wrong})

    [psk] = proven.client_hello.external_psks
    assert (psk.identity, psk.holders) == (IDENTITY, frozenset({Role.CLIENT}))
    assert proven.client_hello.psk_tickets == ()
    assert judge(proven).view.saw is Saw.FULL
    assert unproven.client_hello.external_psks == ()
    assert unproven.client_hello.psk_tickets == (IDENTITY,)
