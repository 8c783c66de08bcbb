"""A connection carries its setup: knobs, contexts, what was done before, on and beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.model.knobs import ServerConfig
from harness.model.setup import Action
from harness.model.tls import Close, Role, TLSVersion
from harness.pair.pair import Pair

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.model.connection import Connection
    from harness.model.setup import Setup
    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine


@pytest.fixture
def pair(machine: tuple[Machine, Runtime]) -> Iterator[Pair]:
    libssl = machine[0].one("libssl")
    made = Pair((libssl, libssl), TLSVersion.TLSv1_2, machine[1], server=ServerConfig(tickets=False))
    yield made
    made.close()


def setup(connection: Connection) -> Setup:
    assert connection.setup is not None
    return connection.setup


def test_the_knobs_and_the_context_of_each_connection_are_its_own(pair: Pair) -> None:
    first = setup(pair.connect())
    pair.new_server(cache_size=1)
    second = setup(pair.connect())

    assert (first.server_context, second.server_context) == (1, 2)
    assert (first.server.cache_size, second.server.cache_size) == (None, 1)
    assert (first.client_context, second.client_context) == (1, 1)


def test_a_server_action_is_recorded_before_the_next_connection_only(pair: Pair) -> None:
    first = pair.connect()
    pair.server.remove(first.session.session_id)
    second, third = pair.connect(), pair.connect()
    values = {"session_id": first.session.session_id, "found": True, "context": 1}

    assert setup(first).before == setup(third).before == ()
    assert setup(second).before == (Action("remove", Role.SERVER, values),)


def test_what_was_done_on_the_connection_stands_in_order(pair: Pair) -> None:
    live = pair.open()
    live.handshake()
    live.session()
    live.exchange()

    assert setup(live.close()).during == (Action("session", Role.CLIENT), Action("exchange"))


def test_a_connection_that_was_open_beside_it_is_named(pair: Pair) -> None:
    live = pair.open()
    live.handshake()
    second = pair.connect()
    live.close()

    assert setup(second).beside == (1,)
    assert setup(pair.connect()).beside == ()


def test_a_connection_has_the_counters_that_it_left(pair: Pair) -> None:
    first, second = pair.connect(), pair.connect()

    assert first.counters is not None
    assert (first.counters.accept_good, first.counters.items) == (1, 1)
    assert second.counters == pair.server.counters()


def test_a_session_that_freeing_the_connection_dropped_is_not_counted(pair: Pair) -> None:
    counters = pair.connect(close=Close.EOF).counters

    assert counters is not None
    assert counters.items == 0


def test_counters_that_a_library_does_not_have_are_unknown(machine: tuple[Machine, Runtime]) -> None:
    pyopenssl = machine[0].one("pyopenssl")
    pair = Pair((pyopenssl, pyopenssl), TLSVersion.TLSv1_3, machine[1])
    counters = pair.connect().counters
    pair.close()

    assert counters is None


def test_sessions_taken_before_the_close_are_held_by_the_connection(pair: Pair) -> None:
    live = pair.open()
    live.handshake()
    taken = live.session()
    connection = live.close()

    assert taken is not None
    assert connection.held_sessions == (taken,)
    assert connection.last_session not in connection.held_sessions
