"""A pair goes over to its second client, another stack, if it has one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.model.errors import UsageError
from harness.model.tls import Outcome, Role, TLSVersion
from harness.pair.pair import Pair

if TYPE_CHECKING:
    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine


def test_a_session_of_the_first_client_is_offered_by_the_second(machine: tuple[Machine, Runtime]) -> None:
    libssl, openssl = machine[0].one("libssl"), machine[0].one("openssl")
    pair = Pair((libssl, libssl), TLSVersion.TLSv1_3, machine[1], seconds={Role.CLIENT: openssl})
    first = pair.connect()
    client = pair.use_second_client()
    second = pair.connect(first.session)
    pair.close()

    assert client.name == openssl.label
    assert (first.client.view.name, second.client.view.name) == (libssl.label, openssl.label)
    assert second.outcome is Outcome.RESUMED


def test_a_pair_without_a_second_client_says_how_to_have_one(machine: tuple[Machine, Runtime]) -> None:
    libssl = machine[0].one("libssl")
    pair = Pair((libssl, libssl), TLSVersion.TLSv1_3, machine[1])

    with pytest.raises(UsageError, match="second_client=True"):
        pair.use_second_client()
    pair.close()


def test_what_becomes_of_a_session_that_the_client_can_read_is_its_outcome(machine: tuple[Machine, Runtime]) -> None:
    libssl = machine[0].one("libssl")
    pair = Pair((libssl, libssl), TLSVersion.TLSv1_3, machine[1])
    first = pair.connect()

    assert pair.offered(first.session) == "resumed"
    pair.close()


@pytest.mark.parametrize("stack", ["libssl", "openssl"])
def test_offering_an_unreadable_session_gives_the_clients_error(machine: tuple[Machine, Runtime], stack: str) -> None:
    chosen = machine[0].one(stack)
    pair = Pair((chosen, chosen), TLSVersion.TLSv1_3, machine[1])
    first = pair.connect()
    shown = pair.offered(replace(first.session, der=(first.session.der or b"")[:-1]))

    assert "too long" in shown
    assert pair.opened == len(pair.connections)
    pair.close()
