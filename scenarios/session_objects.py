"""What a client does with a session object: it duplicates it, dates it, shares it among threads, clears its SSL.

SSL_SESSION_dup and SSL_SESSION_up_ref in SSL_SESSION_free(3); SSL_SESSION_get_time(3); SSL_clear(3): a session that was
closed with close_notify stays in the SSL, any other one is removed (ssl_clear_bad_session). A client sends no TLS 1.3
ticket that is older than its lifetime (RFC 8446, 4.2.11.1), and asks nothing of the session's own timeout.
"""

from datetime import date

from harness import (
    FULL,
    RESUMED,
    CacheMode,
    Capability,
    Close,
    Differs,
    Expectation,
    Mechanism,
    Reason,
    Role,
    TLSv1_3,
    openssl_chooses,
    reasons,
    scenario,
)

SEEN = date(2026, 11, 30)
OLD = 100_000
"""Seconds, more than the lifetime of a ticket."""
DUPLICATES = {"client": [Capability.SESSION_DUPLICATE, Capability.SESSION_IN_MEMORY]}
TIMES = {"client": [Capability.SESSION_TIMES, Capability.SESSION_IN_MEMORY]}
CLEARS = {"client": [Capability.CLEAR]}
CLEARS_BESIDE_OBJECT = {
    "client": [Capability.CLEAR, Capability.SESSION_IN_MEMORY, Capability.CLOSE_SERVER_ONLY],
    "server": [Capability.CLOSE_SERVER_ONLY],
}
THREADS = {
    "client": [Capability.THREADS, Capability.SESSION_IN_MEMORY, Capability.CONCURRENT],
    "server": [Capability.CONCURRENT],
}
NO_CACHE = {"cache_mode": {CacheMode.OFF}}
"""A TLS 1.3 client that caches would spoil the object when it resumes."""
NOT_RESUMABLE = (FULL, (Reason.NOT_RESUMABLE,))
AFTER_EOF: Expectation[tuple[object, tuple[Reason, ...]]] = Expectation(
    NOT_RESUMABLE,
    Differs(
        (RESUMED, ()),
        Role.CLIENT,
        "ssl",
        SEEN,
        "Modules/_ssl.c of CPython 3.11, PySSL_get_session: SSLObject.session is a copy, made by i2d_SSL_SESSION",
    ),
)
AFTER_RESET: Expectation[tuple[object, tuple[Reason, ...]]] = Expectation(
    NOT_RESUMABLE,
    Differs(
        (RESUMED, ()),
        Role.CLIENT,
        "*@>=4.0",
        SEEN,
        "https://github.com/openssl/openssl/pull/30230: a failed read puts the state machine into its error state, so "
        "that SSL_in_init() is true and ssl_clear_bad_session leaves the session as it is",
    ),
)


def kept(pair, **how):
    """Return what the client kept of a full handshake, and the connection, which is closed."""
    live = pair.open()
    live.exchange()
    session = live.keep_session(**how)
    return session, live.close(pair.close_how)


@scenario(close=[Close.BOTH, Close.EOF], needs=DUPLICATES)
def test_duplicate_resumes_whatever_becomes_of_the_object(pair):
    live = pair.open()
    live.exchange()
    duplicate, session = live.keep_session(duplicate=True), live.keep_session()
    first = live.close(pair.close_how)
    second = pair.connect(offer=duplicate)
    third = pair.connect(offer=session)

    assert first.outcome is FULL
    assert (second.outcome, reasons(pair, second)) == (RESUMED, ())
    assert second.from_cache is False
    assert second.mechanism is (Mechanism.PSK if pair.tls is TLSv1_3 else Mechanism.SESSION_TICKET)
    assert (third.outcome, reasons(pair, third)) == ((RESUMED, ()) if first.close is Close.BOTH else NOT_RESUMABLE)
    assert third.from_cache is (False if first.close is Close.BOTH else None)


@scenario(versions=[TLSv1_3], needs=DUPLICATES)
def test_duplicate_of_a_session_that_was_used_is_used_too(pair):
    session, first = kept(pair)
    live = pair.open(session)
    duplicate = live.keep_session(duplicate=True)
    second = live.close()
    third = pair.connect(offer=duplicate, presume_full=False)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert duplicate.resumable is False
    assert (third.outcome, reasons(pair, third)) == NOT_RESUMABLE


@scenario(needs=TIMES)
@openssl_chooses(Role.SERVER, "a lifetime of 7200 seconds")
def test_object_that_is_made_older_than_its_ticket(pair):
    session, first = kept(pair, older=OLD)
    second = pair.connect(offer=session, presume_full=False)

    assert first.outcome is FULL
    assert (second.outcome, reasons(pair, second)) == (
        (FULL, (Reason.EXPIRED_AT_CLIENT,)) if pair.tls is TLSv1_3 else (RESUMED, (Reason.PAST_LIFETIME,))
    )
    assert second.from_cache is (None if pair.tls is TLSv1_3 else False)


@scenario(needs=TIMES)
@openssl_chooses(Role.SERVER, "a ticket that holds for two hours")
def test_client_does_not_go_by_the_timeout_of_its_session(pair):
    session, first = kept(pair, older=5, timeout=1)
    second = pair.connect(offer=session)

    assert first.outcome is FULL
    *_, as_it_came, _ = first.sessions
    assert (session.time, session.timeout) == (as_it_came.time - 5, 1)
    assert (second.outcome, reasons(pair, second)) == (RESUMED, ())
    assert second.from_cache is False


@scenario(close=[Close.BOTH, Close.CLIENT_ONLY], needs=CLEARS)
@openssl_chooses(Role.SERVER, "a new ticket after each TLS 1.3 resumption")
def test_cleared_ssl_resumes_what_was_closed_with_close_notify(pair):
    """A session object that is taken as early as this has no TLS 1.3 ticket; the SSL has it in the end."""
    live = pair.open()
    ssl = live.keep_session(ssl=True)
    first = live.close(pair.close_how)
    live = pair.open(ssl)
    again = live.keep_session(ssl=True)
    second = live.close(pair.close_how)
    third = pair.connect(offer=again)

    assert first.outcome is FULL
    assert [second.outcome, third.outcome] == [RESUMED, RESUMED]
    assert [second.from_cache, third.from_cache] == [False, False]
    assert (second.close, third.close) == (pair.close_how, pair.close_how)


def cleared_beside_object(pair, how):
    """Offer the object of a connection whose SSL lives on, twice, and then its SSL, which is cleared first."""
    live = pair.open()
    live.exchange()
    session, ssl = live.keep_session(), live.keep_session(ssl=True)
    first = live.close(how)
    before = [pair.connect(offer=session) for _ in range(2)]
    return first, before, pair.connect(offer=ssl, presume_full=False)


@scenario(client=NO_CACHE, needs=CLEARS_BESIDE_OBJECT)
def test_cleared_ssl_forgets_what_was_not_closed_with_close_notify(pair):
    first, before, last = cleared_beside_object(pair, Close.SERVER_ONLY)

    assert first.outcome is FULL
    assert first.close is Close.SERVER_ONLY
    assert [(one.outcome, one.from_cache) for one in before] == [(RESUMED, False)] * 2
    assert (last.outcome, reasons(pair, last)) == NOT_RESUMABLE


@scenario(versions=[TLSv1_3], client=NO_CACHE, needs=CLEARS_BESIDE_OBJECT)
def test_cleared_ssl_of_a_connection_that_was_reset(pair):
    first, before, last = cleared_beside_object(pair, Close.RST)

    assert first.outcome is FULL
    assert first.close is Close.RST
    assert [(one.outcome, one.from_cache) for one in before] == [(RESUMED, False)] * 2
    assert (last.outcome, reasons(pair, last)) == AFTER_RESET.of(pair)


@scenario(needs=THREADS)
def test_threads_offer_one_object_at_once(pair):
    session, first = kept(pair)
    live = pair.open_together(3, session)
    made = [one.close() for one in live]

    assert first.outcome is FULL
    assert [one.outcome for one in made] == [RESUMED] * 3
    assert [one.from_cache for one in made] == [False] * 3


@scenario(close=Close.EOF, needs=THREADS)
def test_threads_offer_no_object_that_is_not_resumable(pair):
    session, first = kept(pair)
    live = pair.open_together(2, session)
    made = [one.close() for one in live]

    assert first.outcome is FULL
    assert [(one.outcome, reasons(pair, one)) for one in made] == [AFTER_EOF.of(pair)] * 2
    assert not any(one.from_cache for one in made)
