"""Which sessions an endpoint caches, and whether it looks them up (SSL_CTX_set_session_cache_mode(3)).

The mode applies to the cache alone: a ticket resumes in every mode, since the server stores nothing. A client never
looks into its own cache (the application calls SSL_set_session(3)); its mode decides only what it stores.
"""

from harness import (
    DECLINED,
    FULL,
    RESUMED,
    CacheMode,
    Capability,
    Mechanism,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    openssl_chooses,
    reasons,
    scenario,
)

OFF, CLIENT, SERVER, BOTH_ENDS = CacheMode.OFF, CacheMode.CLIENT, CacheMode.SERVER, CacheMode.BOTH
NO_INTERNAL, NO_LOOKUP, NO_STORE = CacheMode.NO_INTERNAL, CacheMode.NO_INTERNAL_LOOKUP, CacheMode.NO_INTERNAL_STORE

CACHING = [{SERVER}, {BOTH_ENDS}]
NOT_CACHING = [{OFF}, {CLIENT}]
NO_CLIENT_CACHE = [{OFF}, {SERVER}, {CLIENT, NO_STORE}, {CLIENT, NO_INTERNAL}]
"""Modes in which a client holds nothing."""

COUNTS = {"server": [Capability.RUNNING_COUNTERS]}
CLIENT_COUNTS = {"client": [Capability.COUNTERS]}


@scenario(server={"cache_mode": CACHING, "tickets": False})
def test_session_resumes_from_a_cache(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True


@scenario(server={"tickets": False}, needs=COUNTS)
def test_server_caches_by_default(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert pair.last_counters().items > 0


@scenario(versions=[TLSv1_2], server={"cache_mode": NOT_CACHING, "tickets": False})
def test_tls12_server_that_does_not_cache_gives_no_id(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.tickets == 0
    assert first.messages.server_hello.session_id == b""


@scenario(
    versions=[TLSv1_2],
    server={"cache_mode": NOT_CACHING, "tickets": False},
    needs={"client": [Capability.SESSION_BEFORE_TICKET]},
)
def test_session_without_an_id_is_not_offered(pair):
    """s_client gets no session: it waits for the new-session callback, which ssl_update_cache does not call."""
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.offered is not None
    assert second.outcome is FULL
    assert second.messages.client_hello.session_id == b""


@scenario(versions=[TLSv1_3], server={"cache_mode": NOT_CACHING, "tickets": False})
def test_tls13_server_that_does_not_cache_still_issues_stateful_tickets(pair):
    """They name sessions that it never stored: tls_construct_new_session_ticket ignores the mode."""
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.tickets == pair.server_default("tickets")
    assert second.was_offered is True
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)


@scenario(server={"cache_mode": {SERVER, NO_STORE}, "tickets": False}, needs=COUNTS)
def test_session_that_is_not_stored_is_a_miss(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)
    assert pair.last_counters().items == 0
    assert pair.last_counters().misses == 1


@scenario(server={"cache_mode": {SERVER, NO_LOOKUP}, "tickets": False})
def test_session_that_is_not_looked_up_is_declined(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.LOOKUP_OFF,)


@scenario(server={"cache_mode": {SERVER, NO_LOOKUP}, "tickets": False, "num_tickets": 1}, needs=COUNTS)
def test_session_that_is_not_looked_up_stays_cached_and_is_no_miss(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.LOOKUP_OFF,)
    assert pair.last_counters().items == 2
    assert pair.last_counters().misses == 0


@scenario(server={"cache_mode": {SERVER, NO_INTERNAL}, "tickets": False}, needs=COUNTS)
def test_session_that_is_neither_stored_nor_looked_up_is_no_miss(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.LOOKUP_OFF,)
    assert pair.last_counters().items == 0
    assert pair.last_counters().misses == 0


@scenario(server={"cache_mode": [{OFF}, {CLIENT}, {SERVER, NO_INTERNAL}]})
def test_ticket_resumes_whatever_the_servers_mode(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.mechanism in {Mechanism.SESSION_TICKET, Mechanism.PSK}


@scenario(needs=COUNTS)
def test_server_caches_no_session_for_which_it_gives_a_ticket(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert pair.last_counters().items == 0


@scenario(client={"cache_mode": [{OFF}, {BOTH_ENDS}, {CLIENT, NO_INTERNAL}]}, server={"tickets": False})
def test_session_resumes_whatever_the_clients_mode(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True


@scenario(client={"cache_mode": NO_CLIENT_CACHE}, needs=CLIENT_COUNTS)
def test_client_without_a_cache_holds_nothing(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert pair.client.counters().items == 0


@scenario(versions=[TLSv1_2], client={"cache_mode": [{CLIENT}, {BOTH_ENDS}]}, needs=CLIENT_COUNTS)
@openssl_chooses(Role.SERVER, "no new ticket after a TLS 1.2 resumption")
def test_tls12_client_holds_one_session_for_each_full_handshake(pair):
    first = pair.connect()
    after_first = pair.client.counters().items
    second = pair.connect(offer=first.session)
    after_second = pair.client.counters().items
    third = pair.connect()

    assert [c.outcome for c in (first, second, third)] == [FULL, RESUMED, FULL]
    assert second.from_cache is False
    assert (after_first, after_second) == (1, 1)
    assert pair.client.counters().items == 2


@scenario(versions=[TLSv1_3], client={"cache_mode": {CLIENT}}, needs=CLIENT_COUNTS)
@openssl_chooses(Role.SERVER, "two tickets")
def test_tls13_client_holds_each_ticket_until_it_has_used_it(pair):
    """RFC 8446, C.4: a ticket is for one use; tls_finish_handshake removes the resumed session from the cache."""
    first = pair.connect()
    after_first = pair.client.counters().items
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.tickets == pair.server_default("tickets")
    assert after_first == 2
    assert second.outcome is RESUMED
    assert second.tickets == pair.server_default("tickets_after_resumption")
    assert pair.client.counters().items == 2
