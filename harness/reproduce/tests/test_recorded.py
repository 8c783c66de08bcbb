"""What a pair did is written down as a story; run again, it shows the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.case.case import case_object, run
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.tls import Close, Role, TLSVersion
from harness.pair.pair import Pair
from harness.report.diff.difference import differences
from harness.report.json.encode import case_json
from harness.report.json.shapes import CaseObject
from harness.reproduce.recorded import recorded
from harness.runtime.clock import library
from harness.story.steps import Age, CloseOpen, Connect, Exchange, Flush, NewServer, Open, Remove, Session, UseServer
from harness.wire.session.codec import aged, edited

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine
    from harness.story.story import Story

TLS12 = TLSVersion.TLSv1_2


@pytest.fixture
def pair(machine: tuple[Machine, Runtime]) -> Iterator[Pair]:
    """A pair of libssl with a stateful TLS 1.2 server."""
    libssl = machine[0].one("libssl")
    made = Pair(
        (libssl, libssl), TLS12, machine[1], client=ClientConfig(clock=0), server=ServerConfig(tickets=False, clock=0)
    )
    yield made
    made.close()


@pytest.fixture
def timeless(machine: tuple[Machine, Runtime]) -> Iterator[Pair]:
    """The same without clocks, so that all servers are in one agent."""
    libssl = machine[0].one("libssl")
    made = Pair((libssl, libssl), TLS12, machine[1], server=ServerConfig(tickets=False))
    yield made
    made.close()


def written(pair: Pair) -> Story:
    """The story of the pair, which has no gaps."""
    story = recorded(pair.connections, pair.actions_since)

    assert story is not None
    assert story.gaps == ()
    return story


def same_again(pair: Pair, machine: tuple[Machine, Runtime]) -> None:
    """Run the story of the pair: whatever a difference between builds would show is as it was."""
    story = written(pair)
    ends = [machine[0].one(end.stack) for end in (story.client, story.server)]
    result = run(story, ends[0], ends[1], machine[1], machine[0].one)
    labels = (ends[0].label, ends[1].label)
    configs = (pair.client_config, pair.server_config)
    before = case_json(*labels, TLS12, pair.connections, pair.last_counters(), configs)
    found = differences(CaseObject, before, case_object(story, labels, result))

    assert [difference for difference in found if not difference.observable.startswith("knobs.")] == []


def test_plain_connections_are_one_step_each(pair: Pair) -> None:
    first = pair.connect(close=Close.EOF)
    pair.connect(edited(aged(first.session, 5), timeout=90))
    story = written(pair)

    assert story.tls is TLS12
    assert story.client.stack == pair.client_stack.label
    assert story.server.knobs == {"tickets": "off", "clock": "0"}
    assert [type(step) for step in story.steps] == [Connect, Connect]
    offer = story.steps[1].offer
    assert (offer.connection, offer.older, offer.timeout) == (1, 5, 90)


def test_steps_come_in_the_order_in_which_they_were_done(pair: Pair, machine: tuple[Machine, Runtime]) -> None:
    one = pair.open()
    one.exchange()
    held = one.session()
    assert held is not None
    pair.server.remove(held.session_id)
    two = pair.open()
    one.exchange()
    two.exchange()
    one.close()
    two.close()
    pair.server.flush(0)

    assert [type(step) for step in written(pair).steps] == [
        *(Open, Exchange, Session, Remove, Open, Exchange, Exchange, CloseOpen, CloseOpen, Flush),
    ]
    same_again(pair, machine)


@pytest.mark.skipif(library() is None, reason="libfaketime has no library for this system")
def test_servers_and_clocks_are_in_it(pair: Pair, machine: tuple[Machine, Runtime]) -> None:
    first = pair.connect()
    pair.age(100)
    pair.connect(first.session)
    pair.new_server(timeout=50)
    third = pair.connect()
    pair.age(60)
    pair.connect(third.session)
    pair.use_first_server()
    steps = written(pair).steps

    assert steps.count(Age(seconds=100)) == 1
    assert steps.count(Age(seconds=60)) == 1
    assert NewServer(knobs={"timeout": "50"}) in steps
    assert UseServer(server=1) not in steps
    same_again(pair, machine)


def test_a_session_from_elsewhere_is_a_gap(pair: Pair, machine: tuple[Machine, Runtime]) -> None:
    libssl = machine[0].one("libssl")
    other = Pair((libssl, libssl), TLS12, machine[1])
    pair.connect(other.connect().session)
    other.close()
    story = recorded(pair.connections)

    assert story is not None
    assert story.gaps == ("connection 1 offered a session that no earlier connection yielded so",)


def test_a_server_that_another_goes_over_to_is_made_first(timeless: Pair, machine: tuple[Machine, Runtime]) -> None:
    first = timeless.server
    other = timeless.new_server(timeout=50)
    timeless.use(Role.SERVER, 1)
    first.choose("other.example", other)
    timeless.connect()
    timeless.use(Role.SERVER, 2)
    timeless.connect()

    assert [step.kind for step in written(timeless).steps] == [
        *("new_server", "choose_context", "use_server", "connect", "use_server", "connect")
    ]
    same_again(timeless, machine)


def test_a_server_that_is_chosen_and_has_no_connection_is_made_first(
    timeless: Pair, machine: tuple[Machine, Runtime]
) -> None:
    first = timeless.server
    other = timeless.new_server(timeout=50)
    timeless.use(Role.SERVER, 1)
    first.choose("other.example", other)
    timeless.connect()

    assert [step.kind for step in written(timeless).steps] == [
        *("new_server", "choose_context", "use_server", "connect")
    ]
    same_again(timeless, machine)


def test_a_server_that_is_chosen_after_the_last_connection_is_a_gap(timeless: Pair) -> None:
    first = timeless.server
    timeless.connect()
    other = timeless.new_server(timeout=50)
    first.choose("other.example", other)
    story = recorded(timeless.connections, timeless.actions_since)

    assert story is not None
    assert story.gaps == ("choose is of a server with which no connection begins, and whose knobs are unknown",)
