"""Why the server does not find a session in its cache: it was lost, or never looked up. Exactly one reason is given.

RFC 5246, 7.3 and F.1.4; SSL_CTX_set_session_cache_mode(3), SSL_CTX_sess_number(3). OpenSSL's lookup_sess_in_cache
counts a miss if it looks and finds nothing; it counts nothing if it does not look.
"""

from datetime import date

from harness import (
    DECLINED,
    FULL,
    RESUMED,
    CacheMode,
    Capability,
    Close,
    Differs,
    Expectation,
    Outcome,
    Reason,
    Role,
    TLSv1_2,
    openssl_chooses,
    reasons,
    scenario,
)

LIFETIME = 7200
CACHED = {"tickets": False}
"""In TLS 1.3 the tickets of such a server are handles of its cache."""
UNSEEN = {CacheMode.SERVER, CacheMode.NO_INTERNAL_LOOKUP}
UNSEEN_AND_UNSTORED = {CacheMode.SERVER, CacheMode.NO_INTERNAL}

EOF_BEFORE_3_0 = (
    "SSL_get_error(3), NOTES: before 3.0 an unexpected EOF is SSL_ERROR_SYSCALL with nothing on the error stack and no "
    "alert; apps/s_server.c, sv_body, prints ERROR alone and calls do_ssl_shutdown, which sets SSL_SENT_SHUTDOWN"
)
AFTER_EOF: Expectation[tuple[Outcome, tuple[Reason, ...]]] = Expectation(
    (DECLINED, (Reason.NOT_IN_CACHE,)),
    Differs((RESUMED, ()), Role.SERVER, "openssl@<3.0", seen=date(2026, 11, 21), evidence=EOF_BEFORE_3_0),
)


def id_of(session):
    """Return the id under which the server caches it: the ticket, or before TLS 1.3 the session id."""
    return session.ticket or session.session_id


@scenario(server=CACHED)
def test_session_of_another_server_is_not_in_the_cache(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)


@scenario(server=CACHED)
def test_session_of_the_same_server_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True


@scenario(server=CACHED, needs={"client": [Capability.SESSION_DATA], "server": [Capability.REMOVE_SESSION]})
def test_session_that_was_removed_is_not_in_the_cache(pair):
    first = pair.connect()
    pair.server.remove(id_of(first.session))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)


@scenario(server=CACHED, needs={"server": [Capability.FLUSH]})
def test_session_that_was_flushed_is_not_in_the_cache(pair):
    first = pair.connect()
    pair.server.flush(0)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)


@scenario(server=CACHED | {"cache_size": 2})
def test_session_that_was_evicted_is_not_in_the_cache(pair):
    first = pair.connect()
    second, third = pair.connect(), pair.connect()
    fourth = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is third.outcome is FULL
    assert fourth.outcome is DECLINED
    assert reasons(pair, fourth) == (Reason.NOT_IN_CACHE,)


@scenario(server=CACHED | {"cache_mode": {CacheMode.SERVER, CacheMode.NO_INTERNAL_STORE}})
def test_session_that_was_never_stored_is_not_in_the_cache(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)


@scenario(server=CACHED, close=Close.EOF, needs={"client": [Capability.SESSION_COPY]})
@openssl_chooses(Role.SERVER, "a session is lost with a connection that is not closed properly")
def test_session_of_a_connection_not_closed_by_the_server_is_not_cached(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert (second.outcome, reasons(pair, second)) == AFTER_EOF.of(pair)
    assert second.from_cache is not False


@scenario(versions=[TLSv1_2], needs={"client": [Capability.SESSION_IMPORT]})
def test_ticket_session_is_not_cached_if_the_client_does_not_send_it(pair):
    first = pair.connect()
    pair.new_client(tickets=False)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)


@scenario(server={"ticket_keys": "shared"})
def test_ticket_session_is_not_cached_if_the_server_reads_no_tickets(pair):
    first = pair.connect()
    pair.new_server(tickets=False)
    second = pair.connect(offer=first.session)
    pair.new_server(tickets=True)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)
    assert third.outcome is RESUMED
    assert third.from_cache is False


@scenario(versions=[TLSv1_2], server=CACHED | {"clock": 0})
def test_session_that_expired_at_an_offer_is_not_cached_the_next_time(pair):
    first = pair.connect()
    pair.server.move_clock(LIFETIME + 60)
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert reasons(pair, second) == (Reason.EXPIRED_AT_SERVER,)
    assert third.outcome is DECLINED
    assert reasons(pair, third) == (Reason.NOT_IN_CACHE,)


@scenario(server=CACHED | {"cache_mode": [UNSEEN, UNSEEN_AND_UNSTORED]})
def test_session_is_not_looked_for(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.LOOKUP_OFF,)
