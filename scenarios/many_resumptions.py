"""One session fifty times, a chain of fifty, and several at once: the counters match what happened.

RFC 5246, 7: one session makes many connections. RFC 8446, C.4: a client should not use a ticket twice. OpenSSL's server
accepts it twice, except for tickets that allow early data (RFC 8446, 8.1). SSL_CTX_sess_number(3) has the counters.
"""

from harness import DECLINED, FULL, RESUMED, Capability, Reason, TLSv1_2, TLSv1_3, reasons, scenario

MANY = 50
COUNTED = {"client": [Capability.COUNTERS], "server": [Capability.COUNTERS]}

pytestmark = scenario(same_stack=True)


def chain(pair, length):
    """Connect repeatedly, each time with the session of the connection before."""
    connections = [pair.connect()]
    for _ in range(length):
        connections.append(pair.connect(offer=connections[-1].session))
    return connections


def test_one_session_resumes_fifty_times(pair):
    first = pair.connect()
    resumed = [pair.connect(offer=first.session) for _ in range(MANY)]

    assert first.outcome is FULL
    assert [connection.outcome for connection in resumed] == [RESUMED] * MANY
    assert [connection.from_cache for connection in resumed] == [False] * MANY


@scenario(versions=[TLSv1_3], same_stack=True)
def test_chain_of_fifty_tickets_resumes_and_no_ticket_repeats(pair):
    first, *resumed = chain(pair, MANY)

    assert first.outcome is FULL
    assert [connection.outcome for connection in resumed] == [RESUMED] * MANY
    assert [connection.tickets for connection in resumed] == [1] * MANY
    assert len({connection.messages.client_hello.psk_identities for connection in resumed}) == MANY


@scenario(versions=[TLSv1_3], server={"max_early_data": 16384})
def test_ticket_that_allows_early_data_resumes_once_and_then_never_again(pair):
    first = pair.connect()
    once = pair.connect(offer=first.session)
    again = pair.connect(offer=first.session)
    chained = pair.connect(offer=once.session)

    assert first.outcome is FULL
    assert once.outcome is RESUMED
    assert once.from_cache is True
    assert again.outcome is DECLINED
    assert reasons(pair, again) == (Reason.CONSUMED,)
    assert chained.outcome is RESUMED
    assert chained.from_cache is True


@scenario(versions=[TLSv1_3], server={"max_early_data": 16384, "anti_replay": False})
def test_ticket_that_allows_early_data_resumes_again_without_anti_replay(pair):
    first = pair.connect()
    once = pair.connect(offer=first.session)
    again = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.messages.tickets[0].max_early_data == 16384
    assert once.outcome is RESUMED
    assert once.from_cache is False
    assert again.outcome is RESUMED
    assert again.from_cache is False


@scenario(versions=[TLSv1_2], server={"tickets": [True, False]}, needs=COUNTED)
def test_chain_of_tls12_resumptions_is_one_session_and_both_ends_count_it(pair):
    first, *resumed = chain(pair, MANY)
    counters = pair.server.counters()

    assert first.outcome is FULL
    assert [connection.outcome for connection in resumed] == [RESUMED] * MANY
    assert {connection.from_cache for connection in resumed} == {not pair.server_config.tickets}
    assert len({connection.messages.client_hello.session_id for connection in resumed}) == 1
    assert (counters.accept, counters.accept_good, counters.hits) == (MANY + 1, MANY + 1, MANY)
    assert (counters.misses, counters.timeouts, counters.overflows) == (0, 0, 0)
    assert pair.client.counters().hits == MANY


@scenario(server={"tickets": [True, False]}, needs=COUNTED)
def test_both_ends_count_every_handshake_and_every_hit(pair):
    first = pair.connect()
    resumed = [pair.connect(offer=first.session) for _ in range(5)]
    client, server = pair.client.counters(), pair.server.counters()

    assert first.outcome is FULL
    assert [connection.outcome for connection in resumed] == [RESUMED] * 5
    assert {connection.from_cache for connection in resumed} == {not pair.server_config.tickets}
    assert (client.connect, client.connect_good, client.hits) == (6, 6, 5)
    assert (server.accept, server.accept_good, server.hits) == (6, 6, 5)
    assert (server.misses, server.timeouts) == (0, 0)


@scenario(needs={"client": [Capability.CONCURRENT], "server": [Capability.CONCURRENT]})
def test_connections_that_are_open_at_once_resume_the_same_session(pair):
    first = pair.connect()
    lives = [pair.open(offer=first.session) for _ in range(8)]
    handshakes = [live.handshake() for live in lives]
    exchanges = [live.exchange() for live in lives]
    resumed = [live.close() for live in lives]

    assert first.outcome is FULL
    assert handshakes == [True] * 8
    assert exchanges == [True] * 8
    assert [connection.outcome for connection in resumed] == [RESUMED] * 8
    assert [connection.from_cache for connection in resumed] == [False] * 8


@scenario(
    versions=[TLSv1_2],
    server={"tickets": False},
    needs={"client": [Capability.CONCURRENT], "server": [Capability.CONCURRENT]},
)
def test_concurrent_full_and_resumed_handshakes_do_not_affect_each_other(pair):
    first = pair.connect()
    lives = [pair.open(offer=offer) for offer in (first.session, None, first.session, None)]
    handshakes = [live.handshake() for live in reversed(lives)]
    closed = [live.close() for live in lives]

    assert first.outcome is FULL
    assert handshakes == [True] * 4
    assert [connection.outcome for connection in closed] == [RESUMED, FULL, RESUMED, FULL]
    assert [connection.from_cache for connection in closed] == [True, None, True, None]
