"""A session object that is no longer resumable is not offered, and the reason says what made it so.

SSL_get_session(3), SSL_SESSION_is_resumable(3): SSL_free without SSL_shutdown (ssl_clear_bad_session), a fatal alert
(ssl3_send_alert), a TLS 1.3 resumption (tls_finish_handshake, https://github.com/openssl/openssl/issues/18792), and
removal from the client's own cache. None of them affects a session that was saved as data.
"""

from datetime import date

from harness import (
    ABORTED,
    FULL,
    RESUMED,
    UNSET,
    Alert,
    CacheMode,
    Capability,
    Close,
    Differs,
    Expectation,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    Verify,
    openssl_chooses,
    reasons,
    scenario,
    titles,
    without_alert,
)

IN_MEMORY = {"client": [Capability.SESSION_IN_MEMORY]}
FLUSHED = {"client": [Capability.SESSION_IN_MEMORY, Capability.FLUSH]}
CACHING = {"cache_mode": frozenset({CacheMode.CLIENT, CacheMode.NO_INTERNAL_STORE})}
STORING = {"cache_mode": frozenset({CacheMode.CLIENT})}
SERVING = {"cache_mode": frozenset({CacheMode.SERVER})}
HOUR = 3600
SEEN = date(2026, 11, 21)
COPIES = (
    "Modules/_ssl.c of CPython, PySSL_get_session: SSLObject.session is a copy made by i2d_SSL_SESSION and "
    "d2i_SSL_SESSION, a workaround for https://github.com/openssl/openssl/issues/1550"
)
UNTOUCHED_BY_A_RESET = (
    "https://github.com/openssl/openssl/pull/30230: a failed read puts the state machine into its error state, so that "
    "SSL_in_init() is true and ssl_clear_bad_session leaves the session as it is"
)
NOT_RESUMABLE = (Reason.NOT_RESUMABLE,)
IN_CACHE_ALONE = (
    "https://github.com/openssl/openssl/issues/1550: remove_session_lock of 1.0.2 (ssl/ssl_sess.c) marks only a "
    "session that it finds in the cache"
)
AFTER_FREE = Expectation(
    FULL,
    Differs(RESUMED, Role.CLIENT, "ssl", SEEN, COPIES),
    Differs(RESUMED, Role.CLIENT, "*@<1.1.0", SEEN, IN_CACHE_ALONE),
)
WHY_AFTER_FREE: Expectation[tuple[Reason, ...]] = Expectation(
    NOT_RESUMABLE,
    Differs((), Role.CLIENT, "ssl", SEEN, COPIES),
    Differs((), Role.CLIENT, "*@<1.1.0", SEEN, IN_CACHE_ALONE),
)
ALERT: Expectation[Alert | None] = Expectation(Alert(80, Role.SERVER), *without_alert(SEEN, "ssl_get_prev_session"))
"""internal_error of ssl_get_prev_session, whose session id context is unset."""
NO_ALERT = ALERT.differs[0].evidence
AFTER_ABORT = Expectation(
    FULL, *AFTER_FREE.differs, Differs(RESUMED, Role.CLIENT, "*@<3.0", SEEN, NO_ALERT, peer="*@<1.1.1")
)
WHY_AFTER_ABORT: Expectation[tuple[Reason, ...]] = Expectation(
    NOT_RESUMABLE, *WHY_AFTER_FREE.differs, Differs((), Role.CLIENT, "*@<3.0", SEEN, NO_ALERT, peer="*@<1.1.1")
)
AFTER_RESET = Expectation(
    FULL,
    Differs(RESUMED, Role.CLIENT, "ssl", SEEN, COPIES),
    Differs(RESUMED, Role.CLIENT, "*@<1.1.0", SEEN, IN_CACHE_ALONE),
    Differs(RESUMED, Role.CLIENT, "*@>=4.0", SEEN, UNTOUCHED_BY_A_RESET),
)
WHY_AFTER_RESET: Expectation[tuple[Reason, ...]] = Expectation(
    NOT_RESUMABLE,
    Differs((), Role.CLIENT, "ssl", SEEN, COPIES),
    Differs((), Role.CLIENT, "*@<1.1.0", SEEN, IN_CACHE_ALONE),
    Differs((), Role.CLIENT, "*@>=4.0", SEEN, UNTOUCHED_BY_A_RESET),
)

pytestmark = scenario(needs=IN_MEMORY)


def kept(pair):
    """Return the client's session as an object in its memory, after the connection is closed."""
    live = pair.open()
    live.exchange()
    session = live.keep_session()
    return session, live.close(pair.close_how)


@scenario(close=[Close.SERVER_ONLY, Close.EOF], needs=IN_MEMORY)
def test_object_of_a_connection_that_the_client_did_not_shut_down(pair):
    session, first = kept(pair)
    second = pair.connect(offer=session)

    assert first.outcome is FULL
    assert second.outcome is AFTER_FREE.of(pair)
    assert second.from_cache is not True
    assert reasons(pair, second) == WHY_AFTER_FREE.of(pair)


@scenario(close=Close.RST, needs=IN_MEMORY)
def test_object_of_a_connection_that_was_reset(pair):
    session, first = kept(pair)
    second = pair.connect(offer=session)

    assert first.outcome is FULL
    assert second.outcome is AFTER_RESET.of(pair)
    assert second.from_cache is not True
    assert reasons(pair, second) == WHY_AFTER_RESET.of(pair)


@scenario(close=[Close.BOTH, Close.CLIENT_ONLY], needs=IN_MEMORY)
def test_object_of_a_connection_that_the_client_shut_down_has_no_reason(pair):
    session, first = kept(pair)
    second = pair.connect(offer=session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert reasons(pair, second) == ()


@scenario(close=[Close.SERVER_ONLY, Close.EOF, Close.RST], needs={"client": [Capability.SESSION_COPY]})
def test_session_data_without_a_client_shutdown_has_no_reason(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.close is not Close.BOTH
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert reasons(pair, second) == ()


@scenario(versions=[TLSv1_3], client=CACHING, needs=IN_MEMORY)
def test_tls13_object_that_was_used_before_by_a_client_that_caches(pair):
    session, first = kept(pair)
    second = pair.connect(offer=session)
    third = pair.connect(offer=session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert reasons(pair, second) == ()
    assert third.outcome is FULL
    assert reasons(pair, third) == (Reason.NOT_RESUMABLE,)
    assert "the session was used before: connection 2 resumed it" in titles(pair, third)[-1]


@scenario(versions=[TLSv1_3], client=SERVING, needs=IN_MEMORY)
def test_used_tls13_object_of_a_client_without_a_cache_has_no_reason(pair):
    session, first = kept(pair)
    second = pair.connect(offer=session)
    third = pair.connect(offer=session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert third.outcome is RESUMED
    assert reasons(pair, third) == ()


@scenario(versions=[TLSv1_2], client=CACHING, needs=IN_MEMORY)
@openssl_chooses(Role.SERVER, "no new ticket after a TLS 1.2 resumption")
def test_tls12_object_that_was_used_before_has_no_reason(pair):
    session, first = kept(pair)
    second = pair.connect(offer=session)
    third = pair.connect(offer=session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert third.outcome is RESUMED
    assert third.from_cache is False
    assert reasons(pair, third) == ()


@scenario(versions=[TLSv1_2], needs=IN_MEMORY)
def test_tls12_object_whose_use_was_not_shut_down(pair):
    session, first = kept(pair)
    second = pair.connect(offer=session, close=Close.EOF)
    third = pair.connect(offer=session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert third.outcome is AFTER_FREE.of(pair)
    assert third.from_cache is not True
    assert reasons(pair, third) == WHY_AFTER_FREE.of(pair)


@scenario(server={"ticket_keys": "shared", "session_id_context": UNSET}, needs=IN_MEMORY)
def test_object_that_was_offered_in_a_handshake_that_was_aborted(pair):
    session, first = kept(pair)
    pair.new_server(verify=Verify.OPTIONAL)
    second = pair.connect(offer=session)
    pair.new_server(verify=Verify.NONE)
    third = pair.connect(offer=session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert == ALERT.of(pair)
    assert third.outcome is AFTER_ABORT.of(pair)
    assert third.from_cache is not True
    assert reasons(pair, third) == WHY_AFTER_ABORT.of(pair)


@scenario(client=STORING | {"cache_size": 1}, needs=IN_MEMORY)
def test_object_that_was_evicted_from_the_clients_own_cache(pair):
    session, first = kept(pair)
    second = pair.connect()
    third = pair.connect(offer=session)

    assert first.outcome is FULL
    assert second.outcome is FULL
    assert third.outcome is FULL
    assert reasons(pair, third) == (Reason.NOT_RESUMABLE,)
    assert "was evicted from the client's cache of 1" in titles(pair, third)[-1]


@scenario(client=CACHING | {"cache_size": 1}, needs=IN_MEMORY)
def test_object_that_the_clients_cache_does_not_store_has_no_reason(pair):
    session, first = kept(pair)
    second = pair.connect()
    third = pair.connect(offer=session)

    assert first.outcome is FULL
    assert second.outcome is FULL
    assert third.outcome is RESUMED
    assert third.from_cache is False
    assert reasons(pair, third) == ()


@scenario(client=STORING | {"timeout": HOUR}, needs=FLUSHED)
def test_object_that_expired_by_the_clients_own_timeout(pair):
    session, first = kept(pair)
    pair.client.flush(at=first.session.time + 2 * HOUR)
    second = pair.connect(offer=session)

    assert first.outcome is FULL
    assert second.outcome is FULL
    assert reasons(pair, second) == (Reason.EXPIRED_AT_CLIENT,)
    assert "was flushed from its cache" in titles(pair, second)[-1]


@scenario(client=STORING | {"timeout": HOUR, "clock": -45 * 60}, needs=FLUSHED)
def test_object_that_was_valid_when_the_cache_was_flushed_has_no_reason(pair):
    older, first = kept(pair)
    pair.client.move_clock(0)
    session, second = kept(pair)
    pair.client.flush(at=second.session.time + HOUR // 2)
    third = pair.connect(offer=older)
    fourth = pair.connect(offer=session)

    assert first.outcome is second.outcome is third.outcome is FULL
    assert "was flushed from its cache" in titles(pair, third)[-1]
    assert fourth.outcome is RESUMED
    assert fourth.from_cache is False
    assert reasons(pair, fourth) == ()
