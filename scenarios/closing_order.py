"""The order of SSL_shutdown, SSL_read and SSL_free at the end of a connection decides whether its session survives.

SSL_free calls ssl_clear_bad_session: without an SSL_shutdown before it the session leaves the cache, and its object is
not resumable any more. SSL_shutdown counts although nothing can be sent, and although it is quiet
(SSL_CTX_set_quiet_shutdown(3)). A failed SSL_read is fatal since 3.0 where TCP ended (SSL_get_error(3), NOTES), unless
SSL_OP_IGNORE_UNEXPECTED_EOF is set (SSL_CTX_set_options(3)); a reset is not.
"""

from datetime import date

from harness import (
    ABORTED,
    DECLINED,
    FULL,
    RESUMED,
    Alert,
    Capability,
    Close,
    Differs,
    Ending,
    Expectation,
    Outcome,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    broken_by,
    reasons,
    scenario,
)

SEEN = date(2026, 11, 30)
STATEFUL = {"tickets": False}
IN_MEMORY = {"client": [Capability.SESSION_IN_MEMORY, Capability.SESSION_COPY]}
SURVIVES = [Close.SHUTDOWN_FREE, Close.EOF_SHUTDOWN_READ, Close.RST_SHUTDOWN_READ, Close.RST_READ_SHUTDOWN]
"""Each end calls SSL_shutdown, and no read fails in a fatal way before it."""
QUIETLY = {"quiet_shutdown": True}
BEFORE_3_0 = (
    "SSL_get_error(3), NOTES: before 3.0 an unexpected EOF is SSL_ERROR_SYSCALL without an alert, so that the "
    "SSL_shutdown after it sets SSL_SENT_SHUTDOWN"
)
LOST: tuple[Outcome, tuple[Reason, ...]] = (DECLINED, (Reason.NOT_IN_CACHE,))
KEPT: tuple[Outcome, tuple[Reason, ...]] = (RESUMED, ())
SPOILED: tuple[Outcome, tuple[Reason, ...]] = (FULL, (Reason.NOT_RESUMABLE,))
IN_CACHE_ALONE = (
    "https://github.com/openssl/openssl/issues/1550: remove_session_lock of 1.0.2 (ssl/ssl_sess.c) marks only a "
    "session that it finds in the cache"
)
OBJECT_AFTER_FREE = Expectation(
    SPOILED, Differs(LOST, Role.CLIENT, "*@<1.1.0", seen=SEEN, evidence=IN_CACHE_ALONE, tls=TLSv1_2)
)
AT_SERVER = Expectation(LOST, Differs(KEPT, Role.SERVER, "*@<3.0", seen=SEEN, evidence=BEFORE_3_0))
AT_CLIENT = Expectation(
    SPOILED,
    Differs(KEPT, Role.CLIENT, "*@<3.0", seen=SEEN, evidence=BEFORE_3_0, peer="*@<3.0"),
    Differs(LOST, Role.CLIENT, "*@<3.0", seen=SEEN, evidence=BEFORE_3_0, peer="*@>=3.0"),
)
"""A client before 3.0 offers the object, which a server since 3.0 has lost."""
RESUMED_AFTER_ALERT = broken_by(
    Role.SERVER,
    "*@<3.0",
    SEEN,
    f"{BEFORE_3_0}; a client since 3.0 answers the end of TCP with decode_error, which this server never reads",
    tls=TLSv1_2,
    peer="*@>=3.0",
)
AFTER_RESET = Expectation(
    LOST,
    Differs(
        KEPT,
        Role.SERVER,
        "*@>=4.0",
        seen=SEEN,
        evidence="https://github.com/openssl/openssl/pull/30230: a failed read puts the state machine into its error "
        "state, in which ssl_clear_bad_session leaves the session in the cache",
    ),
)


HANDSHAKE_FAILURE = 40
IN_INIT = "lib=20 reason=407 "
"""SSL_R_SHUTDOWN_WHILE_IN_INIT of SSL_shutdown (ssl/ssl_lib.c)."""
SHUTDOWN_IS_REFUSED = Expectation(
    True,  # noqa: FBT003 - the value that is expected
    Differs(
        False,  # noqa: FBT003
        Role.SERVER,
        "*@<3.0",
        SEEN,
        f"{BEFORE_3_0}; SSL_shutdown sends its alert and reports no error",
    ),
    Differs(
        False,  # noqa: FBT003
        Role.SERVER,
        "*@>=4.0",
        SEEN,
        "measured: after a failed read SSL_shutdown reports SSL_R_SHUTDOWN_WHILE_IN_INIT (20:407) up to 3.6.5, and "
        "fails with an empty error queue in 4.0.3",
    ),
)
READ_AFTER_FAILURE = Expectation(
    Ending.EOF,
    Differs(
        Ending.ALERT,
        Role.SERVER,
        "*@>=4.0",
        SEEN,
        "https://github.com/openssl/openssl/issues/30894: SSL_read after a failed read gives SSL_ERROR_SSL and an "
        "empty error queue, where 3.6 and earlier read the end of TCP once more",
    ),
)


S_CLIENT_SAYS_SO = Expectation(
    0,
    Differs(
        1,
        Role.CLIENT,
        "openssl@>=3.6,<4.0",
        date(2026, 12, 1),
        "measured: after a failed handshake s_client 3.6.5 prints the error of SSL_shutdown (20:407), and 3.5.9 and "
        "before print none of it; SSL_shutdown of 4.0.3 reports none there",
    ),
)
"""How many errors of SSL_shutdown s_client prints."""


def ended_by_tap(connection):
    """Whether the tap was the first to end TCP, towards both ends."""
    return connection.tcp.ends[0].sender is None


def endings(connection):
    """What both ends read at the end of their input."""
    return [connection.client.ending, connection.server.ending]


def both(pair, how):
    """Close a connection; offer its session object, then a copy of it."""
    live = pair.open()
    live.exchange()
    held = live.keep_session()
    first = live.close(how)
    return first, pair.connect(offer=held, presume_full=False), pair.connect(offer=first.session)


@scenario(server=STATEFUL, close=SURVIVES, needs=IN_MEMORY)
def test_session_survives_if_both_ends_called_shutdown(pair):
    first, second, third = both(pair, pair.close_how)

    assert first.outcome is FULL
    assert Ending.CLOSE_NOTIFY not in endings(first)
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert third.outcome is RESUMED
    assert third.from_cache is True


@scenario(server=STATEFUL, close=Close.RST_SHUTDOWN_READ, needs=IN_MEMORY)
def test_read_after_a_reset_and_a_shutdown_meets_the_end_again(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.server.ending is READ_AFTER_FAILURE.of(pair)


@scenario(server=STATEFUL, close=Close.FREE, needs=IN_MEMORY)
def test_session_is_lost_if_neither_end_called_shutdown(pair):
    first, second, third = both(pair, pair.close_how)

    assert first.outcome is FULL
    assert (second.outcome, reasons(pair, second)) == OBJECT_AFTER_FREE.of(pair)
    assert (third.outcome, reasons(pair, third)) == LOST


@scenario(
    server=STATEFUL,
    close=Close.EOF_READ_SHUTDOWN,
    needs=IN_MEMORY,
    breaks={"failed_session_not_resumed": RESUMED_AFTER_ALERT},
)
def test_shutdown_after_a_read_that_met_the_end_of_tcp_comes_too_late(pair):
    first, second, third = both(pair, pair.close_how)

    assert first.outcome is FULL
    assert first.server.ending is Ending.EOF
    assert any(IN_INIT in error for error in first.server.errors) is SHUTDOWN_IS_REFUSED.of(pair)
    assert (second.outcome, reasons(pair, second)) == AT_CLIENT.of(pair)
    assert second.from_cache is not False
    assert (third.outcome, reasons(pair, third)) == AT_SERVER.of(pair)
    assert third.from_cache is not False


@scenario(
    client={"ignore_unexpected_eof": True},
    server={**STATEFUL, "ignore_unexpected_eof": True},
    close=Close.EOF_READ_SHUTDOWN,
    needs=IN_MEMORY,
)
def test_shutdown_after_an_ignored_end_of_tcp_saves_the_session(pair):
    first, second, third = both(pair, pair.close_how)

    assert first.outcome is FULL
    assert ended_by_tap(first)
    assert endings(first) == [Ending.CLOSE_NOTIFY] * 2
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert third.outcome is RESUMED
    assert third.from_cache is True


@scenario(
    client={"ignore_unexpected_eof": True},
    server={**STATEFUL, "ignore_unexpected_eof": True},
    close=Close.EOF,
    needs={"client": [*IN_MEMORY["client"], Capability.CLOSE_IN_ORDER], "server": [Capability.CLOSE_IN_ORDER]},
)
def test_ignored_end_of_tcp_without_a_shutdown_saves_nothing(pair):
    first, second, third = both(pair, pair.close_how)

    assert first.outcome is FULL
    assert endings(first) == [Ending.CLOSE_NOTIFY] * 2
    assert (second.outcome, reasons(pair, second)) == OBJECT_AFTER_FREE.of(pair)
    assert (third.outcome, reasons(pair, third)) == LOST


@scenario(client=QUIETLY, server={**STATEFUL, **QUIETLY}, close=[Close.BOTH, Close.SHUTDOWN_FREE], needs=IN_MEMORY)
def test_quiet_shutdown_saves_the_session_and_sends_nothing(pair):
    first, second, third = both(pair, pair.close_how)

    assert first.outcome is FULL
    assert ended_by_tap(first) is (pair.close_how is Close.BOTH)
    assert first.messages.alerts == ()
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert third.outcome is RESUMED
    assert third.from_cache is True


@scenario(client=QUIETLY, server={**STATEFUL, **QUIETLY}, close=Close.FREE, needs=IN_MEMORY)
def test_quiet_end_has_to_call_shutdown_all_the_same(pair):
    first, second, third = both(pair, pair.close_how)
    with_shutdown = pair.connect(close=Close.SHUTDOWN_FREE)
    fifth = pair.connect(offer=with_shutdown.session)

    assert first.outcome is FULL
    assert (second.outcome, reasons(pair, second)) == OBJECT_AFTER_FREE.of(pair)
    assert (third.outcome, reasons(pair, third)) == LOST
    assert with_shutdown.messages.alerts == ()
    assert (fifth.outcome, fifth.from_cache) == (RESUMED, True)


@scenario(versions=[TLSv1_2], server=STATEFUL, close=Close.UNREAD, needs=IN_MEMORY)
def test_server_drops_the_session_if_a_client_left_data_unread(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.server.ending is Ending.RESET
    assert (second.outcome, reasons(pair, second)) == AFTER_RESET.of(pair)
    assert second.from_cache is not False


@scenario(versions=[TLSv1_3], close=Close.UNREAD, needs=IN_MEMORY)
def test_client_that_left_its_tickets_unread_has_none(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session, presume_full=False)

    assert first.outcome is FULL
    assert first.server.ending is Ending.RESET
    assert second.offered is first.session
    assert (second.outcome, reasons(pair, second)) == (FULL, (Reason.NO_TICKET_YET,))


@scenario(
    versions=[TLSv1_2],
    client={"groups": "P-256"},
    server={"groups": "P-521"},
    played_by={Role.CLIENT: "openssl", Role.SERVER: "openssl"},
)
def test_s_client_calls_shutdown_after_a_failed_handshake(pair):
    first = pair.connect(presume_full=False)

    assert first.outcome is ABORTED
    assert first.alert == Alert(HANDSHAKE_FAILURE, Role.SERVER)
    assert sum(IN_INIT in error for error in first.client.errors) == S_CLIENT_SAYS_SO.of(pair)
