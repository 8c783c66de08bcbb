"""Early data can be sent once with a ticket that allows it (RFC 8446, 2.3, 4.2.10 and 8; SSL_read_early_data(3)).

SSL_CTX_set_max_early_data(3) makes a server's tickets stateful and single-use, unless SSL_OP_NO_ANTI_REPLAY is set: a
used session is removed from the cache (tls_parse_ctos_psk).
"""

from harness import DECLINED, FULL, RESUMED, Capability, Mechanism, Reason, TLSv1_3, reasons, scenario

SENDS = {"max_early_data": 100}
ALLOWS = {"max_early_data": 1024}
REPLAYED = ALLOWS | {"anti_replay": False}

pytestmark = scenario(versions=[TLSv1_3], client=SENDS, server=ALLOWS)


def test_early_data_is_accepted_with_a_ticket_that_allows_it(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert second.messages.client_hello.early_data is True
    assert second.client.early_data == "accepted"
    assert second.server.early_data == "accepted"


def test_early_data_is_not_sent_without_a_session(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.messages.client_hello.early_data is False
    assert first.client.early_data == "not_sent"
    assert second.mechanism is Mechanism.PSK
    assert second.client.early_data == "accepted"


@scenario(versions=[TLSv1_3], server=ALLOWS)
def test_ticket_says_how_many_bytes_it_allows(pair):
    first = pair.connect()

    assert first.tickets == pair.server_default("tickets")
    assert {ticket.max_early_data for ticket in first.messages.tickets} == {1024}


@scenario(versions=[TLSv1_3], server=ALLOWS, needs={"client": [Capability.SESSION_DATA]})
def test_session_says_how_many_bytes_it_allows(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.session.max_early_data == 1024


@scenario(versions=[TLSv1_3], client=SENDS)
def test_early_data_is_not_sent_with_a_ticket_that_does_not_allow_it(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.new_server(**ALLOWS)
    third = pair.connect()
    fourth = pair.connect(offer=third.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.messages.client_hello.early_data is False
    assert second.client.early_data == "not_sent"
    assert fourth.outcome is RESUMED
    assert fourth.client.early_data == "accepted"
    assert third.outcome is FULL


@scenario(versions=[TLSv1_3], server=ALLOWS)
def test_ticket_that_allows_it_names_a_cache_entry(pair):
    first = pair.connect()

    assert first.tickets == pair.server_default("tickets")
    assert {len(ticket.ticket) for ticket in first.messages.tickets} == {32}


def test_ticket_that_allows_it_is_single_use(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert third.outcome is DECLINED
    assert reasons(pair, third) == (Reason.CONSUMED,)
    assert third.client.early_data == "rejected"


def test_ticket_of_the_resumption_replaces_the_used_one(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=second.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert third.outcome is RESUMED
    assert third.from_cache is True
    assert third.client.early_data == "accepted"


@scenario(versions=[TLSv1_3], client=SENDS, server=REPLAYED)
def test_server_without_anti_replay_accepts_the_same_early_data_twice(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=first.session)

    assert min(len(ticket.ticket) for ticket in first.messages.tickets) > 100
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert third.outcome is RESUMED
    assert third.from_cache is False
    assert third.client.early_data == "accepted"


def test_early_data_is_rejected_with_a_ticket_of_another_server(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)
    assert second.messages.client_hello.early_data is True
    assert second.client.early_data == "rejected"


@scenario(versions=[TLSv1_3], client=SENDS, server=REPLAYED | {"ticket_keys": "shared"})
def test_ticket_resumes_at_a_server_that_rejects_early_data(pair):
    first = pair.connect()
    pair.new_server(max_early_data=0)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert second.client.early_data == "rejected"


@scenario(versions=[TLSv1_3], client=SENDS, server=ALLOWS, needs={"server": [Capability.COUNTERS]})
def test_use_removes_the_entry_from_the_cache(pair):
    first = pair.connect()
    before = pair.server.counters()
    second = pair.connect(offer=first.session)
    after = pair.server.counters()

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.client.early_data == "accepted"
    assert second.from_cache is True
    assert (before.items, before.hits) == (2, 0)
    assert (after.items, after.hits) == (2, 1)
