"""Expired sessions stay in the cache until a flush: a manual one, or OpenSSL's own, once in 256 handshakes.

SSL_CTX_set_session_cache_mode(3) says every 255 connections. ssl_update_cache flushes when the number of completed
handshakes is 255, 511, …. In TLS 1.2 it runs before a handshake is counted, so that the 256th flushes. In TLS 1.3 it
runs with the tickets, after the count, so that the 255th flushes. It does not flush if the session has no id, as in a
TLS 1.2 handshake that issues a ticket.
"""

from harness import DECLINED, FULL, RESUMED, CacheMode, Capability, Reason, TLSv1_2, TLSv1_3, cases, reasons, scenario

HOUR = 3600
NOW = 1_600_000_000
"""Where a stopped clock begins: so long ago that a session of today does not expire around it."""
EXPIRED = 2 * HOUR + 60
"""Seconds after which a session has expired for certain."""
FRESH = 2 * HOUR - 60

FROM_CACHE, FROM_TICKET = {(RESUMED, True)}, {(RESUMED, False)}

BY_ID = {"tickets": False}
ONE_BY_ID = BY_ID | {"num_tickets": 1}
"""In TLS 1.3 too, one session for each full handshake."""
FLUSHES = {"server": [Capability.COUNTERS, Capability.FLUSH]}
AGES = {"server": [Capability.COUNTERS, Capability.AGE_SERVER_SESSION]}
AGES_AND_TELLS = {"server": [*AGES["server"], Capability.MATCHING_SESSION_ID]}
AGES_AND_FLUSHES = {"client": [Capability.SESSION_FIELDS], "server": [*AGES["server"], Capability.FLUSH]}


def resume(pair, connection, times):
    """Return the outcomes of that many resumptions of one session, each with whether it was in the server's cache."""
    connections = [pair.connect(offer=connection.session) for _ in range(times)]
    return {(connection.outcome, connection.from_cache) for connection in connections}


def items(pair):
    return pair.server.counters().items


@cases("age, left, outcome", (FRESH, 1, RESUMED), (EXPIRED, 0, DECLINED))
@scenario(server=ONE_BY_ID, needs={**FLUSHES, "client": [Capability.SESSION_FIELDS]})
def test_manual_flush_removes_what_has_expired(pair, age, left, outcome):
    first = pair.connect()
    pair.server.flush(first.session.time + age)
    flushed = items(pair)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert flushed == left
    assert second.outcome is outcome


@scenario(server=ONE_BY_ID, needs=FLUSHES)
def test_flush_at_zero_removes_all(pair):
    first = pair.connect()
    second = pair.connect()
    before = items(pair)
    pair.server.flush(0)
    third = pair.connect(offer=first.session)

    assert [c.outcome for c in (first, second)] == [FULL, FULL]
    assert before == 2
    assert third.outcome is DECLINED
    assert reasons(pair, third) == (Reason.NOT_IN_CACHE,)
    assert items(pair) == 1
    assert pair.server.counters().overflows == 0
    assert pair.server.counters().timeouts == 0


@scenario(needs=FLUSHES)
def test_tickets_outlive_a_flush(pair):
    first = pair.connect()
    pair.server.flush(0)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False


@scenario(
    versions=[TLSv1_2],
    server=BY_ID,
    needs={**AGES_AND_FLUSHES, "server": [*AGES_AND_FLUSHES["server"], Capability.MATCHING_SESSION_ID]},
)
def test_manual_flush_leaves_the_others(pair):
    first = pair.connect()
    pair.server.age_sessions(EXPIRED)
    second = pair.connect()
    pair.server.flush(second.session.time)
    third = pair.connect(offer=second.session)

    assert pair.server.has_session(first.messages.server_hello.session_id) is False
    assert second.outcome is FULL
    assert third.outcome is RESUMED
    assert third.from_cache is True


@scenario(versions=[TLSv1_2], server=BY_ID, needs=AGES_AND_FLUSHES)
def test_nothing_is_flushed_in_between(pair):
    first = pair.connect()
    pair.server.age_sessions(EXPIRED)
    second = pair.connect()
    kept = items(pair)
    pair.server.flush(second.session.time)

    assert [c.outcome for c in (first, second)] == [FULL, FULL]
    assert kept == 2
    assert items(pair) == 1


@scenario(versions=[TLSv1_2], server=BY_ID, needs=AGES_AND_TELLS, same_stack=True)
def test_256th_handshake_of_tls12_flushes(pair):
    first = pair.connect()
    again = resume(pair, first, 253)
    pair.server.age_sessions(EXPIRED)
    fresh = pair.connect()
    before = items(pair)
    last = pair.connect(offer=fresh.session)

    assert [first.outcome, again, fresh.outcome] == [FULL, FROM_CACHE, FULL]
    assert (last.outcome, last.from_cache) == (RESUMED, True)
    assert before == 2
    assert pair.server.counters().accept_good == 256
    assert items(pair) == 1
    assert pair.server.has_session(first.messages.server_hello.session_id) is False


@scenario(versions=[TLSv1_3], server=ONE_BY_ID, needs=AGES, same_stack=True)
def test_255th_handshake_of_tls13_flushes(pair):
    first = pair.connect()
    again = resume(pair, first, 252)
    pair.server.age_sessions(EXPIRED)
    second = pair.connect()
    before = items(pair)
    last = pair.connect()

    assert [first.outcome, again, second.outcome, last.outcome] == [FULL, FROM_CACHE, FULL, FULL]
    assert before == 254
    assert pair.server.counters().accept_good == 255
    assert items(pair) == 0


@scenario(
    versions=[TLSv1_2],
    server={**BY_ID, "cache_mode": {CacheMode.SERVER, CacheMode.NO_AUTO_CLEAR}},
    needs=AGES_AND_FLUSHES,
    same_stack=True,
)
def test_no_handshake_flushes_where_no_auto_clear_is_set(pair):
    first = pair.connect()
    again = resume(pair, first, 253)
    pair.server.age_sessions(EXPIRED)
    fresh = pair.connect()
    last = resume(pair, fresh, 2)
    kept = items(pair)
    pair.server.flush(fresh.session.time)

    assert [first.outcome, again, fresh.outcome, last] == [FULL, FROM_CACHE, FULL, FROM_CACHE]
    assert pair.server.counters().accept_good == 257
    assert kept == 2
    assert items(pair) == 1


@scenario(versions=[TLSv1_2], needs=AGES_AND_FLUSHES, same_stack=True)
def test_handshake_that_issues_a_ticket_flushes_nothing(pair):
    first = pair.connect()
    again = resume(pair, first, 253)
    pair.new_client(tickets=False)
    cached = pair.connect()
    pair.server.age_sessions(EXPIRED)
    pair.new_client(tickets=True)
    last = pair.connect()
    kept = items(pair)
    pair.server.flush(last.session.time)

    assert [first.outcome, again, cached.outcome, last.outcome] == [FULL, FROM_TICKET, FULL, FULL]
    assert pair.server.counters().accept_good == 256
    assert last.tickets == 1
    assert kept == 1
    assert items(pair) == 0


@scenario(
    versions=[TLSv1_2],
    client={"cache_mode": CacheMode.CLIENT, "clock": 0},
    server=BY_ID,
    needs={"client": [Capability.COUNTERS]},
    same_stack=True,
)
def test_256th_handshake_of_a_tls12_client_flushes_its_own_cache(pair):
    pair.client.stop_clock(NOW)
    first = pair.connect()
    again = resume(pair, first, 253)
    pair.client.stop_clock(NOW + EXPIRED)
    fresh = pair.connect()
    before = pair.client.counters()
    last = pair.connect(offer=fresh.session)
    after = pair.client.counters()

    assert [first.outcome, again, fresh.outcome] == [FULL, FROM_CACHE, FULL]
    assert (last.outcome, last.from_cache) == (RESUMED, True)
    assert (before.items, before.connect_good) == (2, 255)
    assert (after.items, after.connect_good) == (1, 256)
