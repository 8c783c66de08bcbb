"""A connection of somebody else to the tap's port is set aside and reported, whenever it comes."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from harness.model.tls import Outcome, TLSVersion
from harness.pair.pair import Pair
from harness.report.text.witnesses_text import witnesses_text

if TYPE_CHECKING:
    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine

CLIENT_HELLO = bytes.fromhex("16030100f8010000f40303")
STACKS = ["libssl", "openssl", "ssl"]


def stray(pair: Pair) -> socket.socket:
    """Somebody else, who speaks first."""
    made = socket.create_connection(("127.0.0.1", pair.tap.port))
    made.sendall(CLIENT_HELLO)
    return made


@pytest.mark.parametrize("stack", STACKS)
def test_a_stray_before_the_client_is_set_aside(machine: tuple[Machine, Runtime], stack: str) -> None:
    both = machine[0].one(stack)
    pair = Pair((both, both), TLSVersion.TLSv1_3, machine[1])
    with stray(pair) as other:
        port = other.getsockname()[1]
        first = pair.connect()
        second = pair.connect(first.session)
    pair.close()

    assert (first.outcome, second.outcome) == (Outcome.FULL, Outcome.RESUMED)
    assert first.strays == (f"a TCP connection from 127.0.0.1:{port}, which is not the client's",)
    assert second.strays == ()
    assert f"the tap set aside a TCP connection from 127.0.0.1:{port}" in " ".join(witnesses_text(first).plain.split())


@pytest.mark.parametrize("stack", STACKS)
def test_a_stray_that_races_the_client_is_set_aside(machine: tuple[Machine, Runtime], stack: str) -> None:
    both = machine[0].one(stack)
    pair = Pair((both, both), TLSVersion.TLSv1_3, machine[1])
    live = pair.open()
    with stray(pair):
        live.ask_exchange()
        first = live.close()
    pair.close()

    assert first.outcome is Outcome.FULL
    assert len(first.strays) == 1


@pytest.mark.parametrize("stack", STACKS)
def test_a_stray_during_a_connection_is_set_aside(machine: tuple[Machine, Runtime], stack: str) -> None:
    both = machine[0].one(stack)
    pair = Pair((both, both), TLSVersion.TLSv1_3, machine[1])
    live = pair.open()
    live.handshake()
    with stray(pair):
        live.exchange()
        first = live.close()
        second = pair.connect(first.session)
    pair.close()

    assert (first.outcome, second.outcome) == (Outcome.FULL, Outcome.RESUMED)
    assert len(first.strays + second.strays) == 1
