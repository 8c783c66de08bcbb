"""A TLS 1.2 session resumes by its id, from the server's cache (RFC 5246, 7.3 and 7.4.1.2)."""

from harness import DECLINED, FULL, RESUMED, CacheMode, Capability, Mechanism, Reason, TLSv1_2, reasons, scenario

NO_TICKETS = {"tickets": False}
"""A server that issues no tickets leaves session ids, whatever its client wants."""

pytestmark = scenario(versions=[TLSv1_2], server=NO_TICKETS)


def test_session_id_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.tickets == 0
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.SESSION_ID


@scenario(versions=[TLSv1_2], client={"tickets": False})
def test_session_id_resumes_if_it_is_the_client_that_wants_no_ticket(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.tickets == 0
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.SESSION_ID


def test_server_makes_the_id_and_echoes_it(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    made = first.messages.server_hello.session_id
    assert first.messages.client_hello.session_id == b""
    assert len(made) == 32
    assert second.messages.client_hello.session_id == made
    assert second.messages.server_hello.session_id == made


@scenario(versions=[TLSv1_2], server=NO_TICKETS, needs={"client": [Capability.SESSION_DATA]})
def test_session_holds_the_id_and_no_ticket(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.session.session_id == first.messages.server_hello.session_id
    assert first.session.has_ticket is False
    assert first.session.ticket_length == 0
    assert first.session.lifetime_hint == 0
    assert first.session.master_key_length == 48


@scenario(versions=[TLSv1_2], server=NO_TICKETS, needs={"client": [Capability.SESSION_DATA]})
def test_resumption_leaves_the_session_as_it_was(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert second.session.der == first.session.der


@scenario(versions=[TLSv1_2], server=NO_TICKETS, needs={"server": [Capability.RUNNING_COUNTERS]})
def test_server_keeps_one_entry_and_counts_the_hit(pair):
    first = pair.connect()
    before = pair.last_counters()
    second = pair.connect(offer=first.session)
    after = pair.last_counters()

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert (before.items, before.hits, before.misses) == (1, 0, 0)
    assert (after.items, after.hits, after.misses) == (1, 1, 0)


def test_server_that_does_not_know_the_id_declines_with_a_new_one(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)
    assert second.mechanism is None
    assert second.messages.client_hello.session_id == first.messages.server_hello.session_id
    assert second.messages.server_hello.session_id != first.messages.server_hello.session_id
    assert len(second.messages.server_hello.session_id) == 32


@scenario(versions=[TLSv1_2], server=NO_TICKETS, needs={"server": [Capability.RUNNING_COUNTERS]})
def test_server_that_does_not_know_the_id_counts_a_miss(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)
    counters = pair.last_counters()

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)
    assert (counters.items, counters.hits, counters.misses) == (1, 0, 1)


@scenario(
    versions=[TLSv1_2],
    server=NO_TICKETS,
    needs={"server": [Capability.MATCHING_SESSION_ID, Capability.REMOVE_SESSION]},
)
def test_server_knows_the_id_until_the_entry_is_removed(pair):
    first = pair.connect()
    made = first.messages.server_hello.session_id
    before = pair.server.has_session(made)
    pair.server.remove(made)
    after = pair.server.has_session(made)

    assert first.outcome is FULL
    assert before is True
    assert after is False


@scenario(versions=[TLSv1_2], server=NO_TICKETS, needs={"server": [Capability.REMOVE_SESSION]})
def test_removed_entry_declines(pair):
    first = pair.connect()
    removed = pair.server.remove(first.messages.server_hello.session_id)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert removed is True
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)


@scenario(versions=[TLSv1_2], server={"tickets": False, "cache_mode": {CacheMode.OFF}})
def test_server_without_a_cache_gives_no_id(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.messages.server_hello.session_id == b""
    assert first.tickets == 0


@scenario(
    versions=[TLSv1_2],
    server={"tickets": False, "cache_mode": {CacheMode.OFF}},
    needs={"client": [Capability.SESSION_BEFORE_TICKET]},
)
def test_session_without_an_id_is_not_offered(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.offered is not None
    assert second.outcome is FULL
    assert second.was_offered is False
    assert second.messages.client_hello.session_id == b""
