"""From connections to their story: whose session was offered, what was rewritten in it, what cannot be expressed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.model.build import Library
from harness.model.knobs import ServerConfig
from harness.model.session import Turned
from harness.model.setup import Action
from harness.model.tls import Mechanism, Outcome, Role, TLSVersion
from harness.model.view import Saw
from harness.pair.pair import Pair
from harness.reproduce.reproduction import FORMS
from harness.reproduce.story import Offer, compared
from harness.reproduce.story_builder import story_of
from harness.wire.session.codec import aged, edited

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.reproduce.story import Story
    from harness.runtime.runtime import Runtime
    from harness.stacks.machine import Machine


@pytest.fixture
def pair(machine: tuple[Machine, Runtime]) -> Iterator[Pair]:
    libssl = machine[0].one("libssl")
    made = Pair((libssl, libssl), TLSVersion.TLSv1_3, machine[1], server=ServerConfig(timeout=300))
    yield made
    made.close()


def recorded(pair: Pair) -> Story:
    return story_of(pair.connections)


def offer_of(story: Story) -> Offer:
    offer = story.attempts[-1].offer
    assert offer is not None
    return replace(offer, der=None)


def test_the_session_at_the_end_of_the_first_connection_was_offered(pair: Pair) -> None:
    pair.connect(offer=pair.connect().session)

    assert offer_of(recorded(pair)) == Offer(connection=1)
    assert recorded(pair).gaps == ()


def test_a_library_that_is_not_openssl_is_refused_by_every_form(pair: Pair) -> None:
    pair.connect(offer=pair.connect().session)
    for connection in pair.connections:
        assert connection.setup is not None
        connection.setup = replace(connection.setup, server_library=Library("gnutls"))
    story = recorded(pair)

    refused = f"the server is {pair.server_stack.label}, a library of the family gnutls: reproducers drive OpenSSL"
    assert [any(refused in why for why in form.lacks(story)) for form in FORMS.values()] == [True] * len(FORMS)


def test_an_earlier_ticket_is_reported_by_its_place(pair: Pair) -> None:
    first = pair.connect()
    pair.connect(offer=first.sessions[0])

    assert offer_of(recorded(pair)) == Offer(connection=1, ticket=0)


def test_another_time_and_timeout_are_reported(pair: Pair) -> None:
    session = pair.connect().session
    pair.connect(offer=edited(aged(session, 100), timeout=7200 + 1))

    assert offer_of(recorded(pair)) == Offer(connection=1, older=100, timeout=7201)


def test_other_fields_are_reported_as_edits(pair: Pair) -> None:
    session = pair.connect().session
    pair.connect(offer=edited(session, ticket=Turned(-1), verify_result=10, session_id=b""))

    edits = (("verify_result", 10), ("ticket", Turned(-1)), ("session_id", b""))
    assert offer_of(recorded(pair)) == Offer(connection=1, edits=edits)


def test_a_ticket_of_another_session_is_not_an_edit(pair: Pair) -> None:
    one, other = pair.connect().session, pair.connect().session
    pair.connect(offer=edited(one, ticket=other.ticket), presume_full=False)

    assert any("yielded so" in gap for gap in recorded(pair).gaps)


def test_a_session_taken_before_the_ticket_is_named_by_its_action(pair: Pair) -> None:
    live = pair.open()
    live.handshake()
    early = live.session()
    live.exchange()
    live.close()
    pair.connect(offer=early, presume_full=False)

    assert offer_of(recorded(pair)) == Offer(connection=1, action=0)


def test_a_session_in_memory_is_reported_as_kept(pair: Pair) -> None:
    live = pair.open()
    live.exchange()
    kept = live.keep_session()
    live.close()
    pair.connect(offer=kept)

    assert offer_of(recorded(pair)) == Offer(connection=1, action=1, kept=True)


def test_a_session_of_another_pair_is_a_gap(pair: Pair, machine: tuple[Machine, Runtime]) -> None:
    other = Pair((pair.client_stack, pair.server_stack), TLSVersion.TLSv1_3, machine[1])
    foreign = other.connect().session
    other.close()
    pair.connect()
    pair.connect(offer=foreign)

    assert recorded(pair).gaps == ("connection 2 offered a session that no earlier connection yielded so",)


def test_a_removed_session_is_reported_by_its_connection(pair: Pair) -> None:
    first = pair.connect()
    pair.server.remove(first.session.session_id)
    pair.connect()

    values = {"found": False, "context": 1, "connection": 1}
    assert recorded(pair).attempts[1].before == (Action("remove", Role.SERVER, values),)


def test_a_flush_is_reported_by_the_time_of_a_session(pair: Pair) -> None:
    first = pair.connect()
    pair.server.flush(first.session.time + 301)
    pair.connect()

    values = {"context": 1, "connection": 1, "seconds": 301}
    assert recorded(pair).attempts[1].before == (Action("flush", Role.SERVER, values),)


def test_a_flush_of_all_is_reported_as_it_is(pair: Pair) -> None:
    pair.connect()
    pair.server.flush(0)
    pair.connect()

    assert recorded(pair).attempts[1].before == (Action("flush", Role.SERVER, {"at": 0, "context": 1}),)


def test_each_context_is_reported_once_with_its_knobs(pair: Pair) -> None:
    pair.connect()
    pair.new_server(timeout=10)
    pair.connect()
    contexts = recorded(pair).contexts

    assert [context.name for context in contexts] == ["server 1", "client 1", "server 2"]
    assert [context.given.get("timeout") for context in contexts] == [300, None, 10]
    assert contexts[0].knobs["session_id_context"] == b"resumption"


def test_the_result_is_what_was_seen(pair: Pair) -> None:
    pair.connect(offer=pair.connect().session)
    first, second = (attempt.result for attempt in recorded(pair).attempts)

    assert (first.outcome, first.client, first.server, first.tickets) == (Outcome.FULL, Saw.FULL, Saw.FULL, 2)
    assert (second.outcome, second.mechanism, second.has_ticket) == (Outcome.RESUMED, Mechanism.PSK, True)
    assert compared(second) == {
        "outcome": "resumed",
        "client": "resumed",
        "server": "resumed",
        "mechanism": "psk",
        "tickets": "1",
        "has_ticket": "yes",
    }


def test_telling_marks_no_connection_as_looked_at(pair: Pair) -> None:
    first = pair.connect()
    recorded(pair)

    assert not first.asserted
