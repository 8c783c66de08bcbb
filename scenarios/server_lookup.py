"""A server looks up the offered session and counts the result (SSL_CTX_sess_number(3), ssl_get_prev_session).

A resumed session is a hit. An id that is not in the cache is a miss. An expired session, cached or in a ticket, is a
time-out. A ticket with unknown keys and a session of another context are not counted.
"""

from datetime import date

from harness import (
    BOTH,
    DECLINED,
    FULL,
    RESUMED,
    Capability,
    Differs,
    Expectation,
    Mechanism,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    reasons,
    scenario,
)

HOUR = 3600
COUNTS = {"server": [Capability.RUNNING_COUNTERS]}
AGES = {"server": [Capability.COUNTERS, Capability.AGE_SERVER_SESSION]}
OWN_ID = Expectation(
    0,
    Differs(
        1,
        Role.CLIENT,
        "go",
        date(2026, 11, 30),
        "Go 1.27.3 sends a random session id of 32 bytes where it holds no session: the server looks it up",
        tls=TLSv1_2,
    ),
)
"""The misses that a first connection counts."""


def found(pair):
    """Return the hits, misses and time-outs so far."""
    counters = pair.last_counters()
    return counters.hits, counters.misses, counters.timeouts


@scenario(server={"tickets": BOTH}, needs=COUNTS)
def test_first_connection_counts_nothing(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert found(pair) == (0, OWN_ID.of(pair), 0)


@scenario(server={"tickets": BOTH}, needs=COUNTS)
def test_session_that_resumes_is_a_hit(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=second.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets
    assert third.outcome is RESUMED
    assert third.from_cache is not pair.server_config.tickets
    assert found(pair) == (2, OWN_ID.of(pair), 0)


@scenario(server={"tickets": False}, needs=COUNTS)
def test_session_that_is_in_no_cache_is_a_miss(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)
    assert found(pair) == (0, 1, 0)


@scenario(server={"tickets": False}, needs={"server": [Capability.COUNTERS, Capability.FLUSH]})
def test_session_that_was_flushed_is_a_miss(pair):
    first = pair.connect()
    pair.server.flush(0)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)
    assert found(pair) == (0, 1, 0)


@scenario(needs=COUNTS)
def test_ticket_whose_keys_are_unknown_is_not_counted(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_KEY_UNKNOWN,)
    assert found(pair) == (0, 0, 0)


@scenario(server={"tickets": BOTH}, needs=AGES)
def test_session_that_has_expired_is_a_timeout(pair):
    pair.server.age_sessions(2 * HOUR + 60)
    first = pair.connect()
    pair.server.age_sessions(2 * HOUR + 60)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.EXPIRED_AT_SERVER,)
    assert found(pair) == (0, OWN_ID.of(pair), 1)


@scenario(server={"tickets": BOTH}, needs=AGES)
def test_session_that_is_about_to_expire_is_a_hit(pair):
    pair.server.age_sessions(HOUR)
    first = pair.connect()
    pair.server.age_sessions(HOUR - 60)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets
    assert found(pair) == (1, OWN_ID.of(pair), 0)


@scenario(versions=[TLSv1_2], server={"tickets": False}, needs=AGES)
def test_expired_session_leaves_the_cache_when_it_is_offered(pair):
    first = pair.connect()
    pair.server.age_sessions(2 * HOUR + 60)
    before = pair.server.counters().items
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert before == 1
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.EXPIRED_AT_SERVER,)
    assert third.outcome is DECLINED
    assert reasons(pair, third) == (Reason.NOT_IN_CACHE,)
    assert found(pair) == (0, 1, 1)


@scenario(server={"session_id_context": b"one", "ticket_keys": "shared"}, needs=COUNTS)
def test_ticket_of_another_context_is_not_counted(pair):
    first = pair.connect()
    pair.new_server(session_id_context=b"two")
    second = pair.connect(offer=first.session)
    there = found(pair)
    pair.new_server(session_id_context=b"one")
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.SESSION_ID_CONTEXT_DIFFERS,)
    assert there == (0, 0, 0)
    assert third.outcome is RESUMED
    assert third.from_cache is False
    assert found(pair) == (1, 0, 0)


@scenario(versions=[TLSv1_2], client={"versions": (TLSv1_2, TLSv1_3)}, server={"tickets": False}, needs=COUNTS)
def test_random_id_of_a_tls13_capable_client_is_a_miss(pair):
    """RFC 8446, D.4: such a client sends a random id, which a TLS 1.2 server looks up like a session's."""
    first = pair.connect()

    assert first.outcome is FULL
    assert first.tickets == 0
    assert len(first.messages.client_hello.session_id) == 32
    assert found(pair) == (0, 1, 0)


@scenario(versions=[TLSv1_2], client={"versions": (TLSv1_2, TLSv1_3)}, needs=COUNTS)
def test_random_id_beside_an_empty_ticket_extension_is_a_miss_too(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.SESSION_TICKET
    assert found(pair) == (1, 1, 0)


@scenario(server={"tickets": BOTH}, needs={"client": [Capability.COUNTERS], "server": [Capability.COUNTERS]})
def test_counters_of_both_ends_agree(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    third = pair.connect()
    client, server = pair.client.counters(), pair.server.counters()

    assert [c.outcome for c in (first, second, third)] == [FULL, RESUMED, FULL]
    assert second.from_cache is not pair.server_config.tickets
    assert (client.connect, client.connect_good) == (3, 3)
    assert (server.accept, server.accept_good) == (3, 3)
    assert (client.accept, server.connect) == (0, 0)
    assert client.hits == 1
    assert server.hits == 1
