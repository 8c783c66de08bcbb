"""A pair goes over to its second server, another stack, and back to the first, which stays up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.model.errors import UnsupportedError, UsageError
from harness.model.tls import Close, Outcome, Role, TLSVersion
from harness.pair.pair import Pair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine

TLS = TLSVersion.TLSv1_3


@pytest.fixture
def pair(machine: tuple[Machine, Runtime]) -> Iterator[Pair]:
    libssl, openssl = machine[0].one("libssl"), machine[0].one("openssl")
    made = Pair((libssl, libssl), TLS, machine[1], seconds={Role.SERVER: openssl})
    yield made
    made.close()


def test_each_connection_reaches_the_server_that_is_used(pair: Pair) -> None:
    labels = [pair.server.name]
    pair.connect()
    labels.append(pair.use_second_server().name)
    pair.connect()
    labels.append(pair.use_first_server().name)
    pair.connect()

    assert [connection.server.view.name for connection in pair.connections] == labels
    assert labels[0] == labels[2] != labels[1]


def test_a_step_that_an_end_cannot_do_is_not_waited_for(pair: Pair) -> None:
    pair.use_second_server()
    live = pair.open()
    live.handshake()

    with pytest.raises(UnsupportedError, match=r"openssl@.* close server-only: s_server has no command"):
        live.close(Close.SERVER_ONLY)


def test_the_first_server_is_as_it_was_left(pair: Pair) -> None:
    first = pair.connect()
    pair.use_second_server()
    second = pair.connect(first.session)
    pair.use_first_server()
    third = pair.connect(first.session)

    assert second.outcome is Outcome.DECLINED
    assert third.outcome is Outcome.RESUMED


def test_the_second_server_is_as_it_was_left(pair: Pair) -> None:
    second = pair.use_second_server()
    first = pair.connect()
    pair.use_first_server()
    again = pair.use_second_server()
    resuming = pair.connect(first.session)

    assert again is second
    assert resuming.outcome is Outcome.RESUMED


def test_a_new_server_takes_the_place_of_the_present_one(pair: Pair) -> None:
    pair.use_second_server()
    pair.use_first_server()
    new = pair.new_server()
    pair.use_second_server()

    assert pair.use_first_server() is new


def test_the_stack_of_the_pair_is_that_of_the_server_that_is_used(pair: Pair) -> None:
    names = [pair.server_stack.name]
    pair.use_second_server()
    names.append(pair.server_stack.name)
    pair.use_first_server()
    names.append(pair.server_stack.name)

    assert names == ["libssl", "openssl", "libssl"]


def test_a_pair_without_a_second_server_says_how_to_have_one(machine: tuple[Machine, Runtime]) -> None:
    libssl = machine[0].one("libssl")
    pair = Pair((libssl, libssl), TLS, machine[1])

    with pytest.raises(UsageError, match="second_server=True"):
        pair.use_second_server()
    pair.close()
