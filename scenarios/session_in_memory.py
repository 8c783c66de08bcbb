"""A session object in the client's memory can become non-resumable after it was taken (SSL_get_session(3)).

SSL_get1_session returns the connection's own SSL_SESSION. SSL_free marks it as not resumable if the connection sent no
close_notify (ssl_clear_bad_session), and so does a fatal alert (ssl3_send_alert). A non-resumable object is not offered
(tls_construct_client_hello). A copy made by i2d_SSL_SESSION(3) is not affected.
"""

from datetime import date

from harness import FULL, RESUMED, Capability, Close, Differs, Expectation, Role, scenario

IN_MEMORY = {"client": [Capability.SESSION_IN_MEMORY]}
PYTHON_COPIES = Differs(
    RESUMED,
    Role.CLIENT,
    "ssl",
    seen=date(2026, 11, 21),
    evidence="Modules/_ssl.c of CPython, PySSL_get_session: SSLObject.session is a copy made by i2d_SSL_SESSION and "
    "d2i_SSL_SESSION, a workaround for https://github.com/openssl/openssl/issues/1550",
)
BEFORE_1_1_0 = Differs(
    RESUMED,
    Role.CLIENT,
    "*@<1.1.0",
    seen=date(2026, 11, 21),
    evidence="https://github.com/openssl/openssl/issues/1550: remove_session_lock of 1.0.2 (ssl/ssl_sess.c) marks only "
    "a session that it finds in the cache",
)
OBJECT_AFTER_FREE = Expectation(FULL, PYTHON_COPIES, BEFORE_1_1_0)
OBJECT_AFTER_RESET = Expectation(
    FULL,
    PYTHON_COPIES,
    BEFORE_1_1_0,
    Differs(
        RESUMED,
        Role.CLIENT,
        "*@>=4.0",
        seen=date(2026, 11, 21),
        evidence="https://github.com/openssl/openssl/pull/30230: a failed read puts the state machine into its error "
        "state, so that SSL_in_init() is true and ssl_clear_bad_session leaves the session as it is",
    ),
)


def kept(pair):
    """Return the client's session as an object in its memory, after the connection is closed."""
    live = pair.open()
    live.exchange()
    session = live.keep_session()
    return session, live.close(pair.close_how)


@scenario(close=[Close.BOTH, Close.CLIENT_ONLY], needs=IN_MEMORY)
def test_object_in_memory_resumes_if_the_client_sent_close_notify(pair):
    session, first = kept(pair)
    second = pair.connect(offer=session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False


@scenario(close=[Close.SERVER_ONLY, Close.EOF], needs=IN_MEMORY)
def test_object_in_memory_is_not_offered_without_a_client_close_notify(pair):
    session, first = kept(pair)
    second = pair.connect(offer=session)

    assert first.outcome is FULL
    assert second.offered is not None
    assert second.outcome is OBJECT_AFTER_FREE.of(pair)
    assert second.from_cache is not True


@scenario(close=Close.RST, needs=IN_MEMORY)
def test_object_in_memory_of_a_client_that_was_reset(pair):
    session, first = kept(pair)
    second = pair.connect(offer=session)

    assert first.outcome is FULL
    assert second.offered is not None
    assert second.outcome is OBJECT_AFTER_RESET.of(pair)
    assert second.from_cache is not True


@scenario(
    close=[Close.SERVER_ONLY, Close.EOF, Close.RST],
    needs={"client": [Capability.SESSION_IN_MEMORY, Capability.SESSION_COPY]},
)
def test_copy_as_data_resumes_beside_the_object_that_does_not(pair):
    session, first = kept(pair)
    second = pair.connect(offer=first.session)

    assert session is not None
    assert first.outcome is FULL
    assert first.close is pair.close_how is not Close.BOTH
    assert second.outcome is RESUMED
    assert second.from_cache is False
