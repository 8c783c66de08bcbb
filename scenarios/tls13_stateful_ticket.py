"""With SSL_OP_NO_TICKET a TLS 1.3 server stores the state, and the ticket is only its id (SSL_CTX_set_options(3)).

RFC 8446, 4.6.1: a ticket is either a database lookup key or self-encrypted. RFC 8446, 2.2: it resumes as a PSK.
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
    TLSv1_3,
    openssl_chooses,
    reasons,
    scenario,
)

STATEFUL = {"tickets": False}

pytestmark = scenario(versions=[TLSv1_3], server=STATEFUL)


def test_stateful_ticket_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.PSK
    assert second.from_cache is True


@openssl_chooses(Role.SERVER, "two tickets of 32 bytes")
def test_tickets_are_names_of_32_bytes_and_differ(pair):
    first = pair.connect()

    names = {ticket.ticket for ticket in first.messages.tickets}
    assert first.tickets == 2
    assert len(names) == 2
    assert {len(name) for name in names} == {32}


@scenario(versions=[TLSv1_3])
@openssl_chooses(Role.SERVER, "two tickets")
def test_tickets_of_a_server_that_keeps_no_state_are_longer(pair):
    first = pair.connect()

    assert first.tickets == 2
    assert min(len(ticket.ticket) for ticket in first.messages.tickets) > 100


@scenario(versions=[TLSv1_3], server=STATEFUL, needs={"server": [Capability.RUNNING_COUNTERS]})
def test_server_keeps_an_entry_for_each_ticket_and_counts_the_hit(pair):
    first = pair.connect()
    before = pair.last_counters()
    second = pair.connect(offer=first.session)
    after = pair.last_counters()

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert (before.items, before.hits, before.misses) == (2, 0, 0)
    assert (after.items, after.hits, after.misses) == (3, 1, 0)


@scenario(versions=[TLSv1_3], server=STATEFUL, needs={"server": [Capability.MATCHING_SESSION_ID]})
def test_ticket_is_the_session_id_of_its_entry(pair):
    first = pair.connect()
    known = [pair.server.has_session(ticket.ticket) for ticket in first.messages.tickets]

    assert first.outcome is FULL
    assert known == [True, True]


@openssl_chooses(Role.SERVER, "a stateful ticket can be used again")
def test_stateful_ticket_resumes_twice(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert third.outcome is RESUMED
    assert third.from_cache is True


@scenario(versions=[TLSv1_3], server=STATEFUL, needs={"server": [Capability.REMOVE_SESSION]})
def test_ticket_of_a_removed_entry_is_declined(pair):
    first = pair.connect()
    removed = pair.server.remove(first.messages.tickets[-1].ticket)
    second = pair.connect(offer=first.session)

    assert removed is True
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)
    assert second.tickets == 2


@scenario(
    versions=[TLSv1_3],
    server=STATEFUL,
    needs={"client": [Capability.EVERY_TICKET], "server": [Capability.REMOVE_SESSION]},
)
def test_other_ticket_of_the_connection_outlives_the_removed_entry(pair):
    first = pair.connect()
    removed = pair.server.remove(first.messages.tickets[-1].ticket)
    second = pair.connect(offer=first.sessions[0])

    assert removed is True
    assert second.outcome is RESUMED
    assert second.from_cache is True


@scenario(versions=[TLSv1_3], server=STATEFUL | {"cache_mode": {CacheMode.OFF}})
def test_server_without_a_cache_issues_tickets_that_it_declines(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.tickets == 2
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)


@scenario(versions=[TLSv1_3], server=STATEFUL | {"cache_mode": {CacheMode.SERVER, CacheMode.NO_INTERNAL_LOOKUP}})
def test_server_that_does_not_look_into_its_cache_declines(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.LOOKUP_OFF,)


@scenario(versions=[TLSv1_3], server=STATEFUL | {"cache_mode": {CacheMode.SERVER, CacheMode.NO_INTERNAL_STORE}})
def test_server_that_stores_nothing_declines(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.tickets == 2
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)


def test_another_server_declines(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)
    assert second.messages.client_hello.psk_identities == (first.messages.tickets[-1].ticket,)


@scenario(versions=[TLSv1_3], server=STATEFUL | {"ticket_keys": "shared"})
def test_shared_ticket_keys_do_not_share_the_state(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)
    pair.new_server(tickets=True)
    third = pair.connect()
    pair.new_server()
    fourth = pair.connect(offer=third.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)
    assert fourth.setup.server_context != third.setup.server_context
    assert fourth.outcome is RESUMED
    assert fourth.from_cache is False
    assert third.outcome is FULL
