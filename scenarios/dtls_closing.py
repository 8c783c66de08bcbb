"""Over datagrams too, a session survives a connection whose end called SSL_shutdown before SSL_free.

SSL_free calls ssl_clear_bad_session, as over TCP (SSL_shutdown(3), SSL_CTX_set_quiet_shutdown(3)). UDP has no end: an
empty datagram stands for it, which OpenSSL before 4.0 drops and 4.0 takes for an unexpected end of the input.
"""

from datetime import date

from harness import (
    DECLINED,
    FULL,
    RESUMED,
    Capability,
    Close,
    Differs,
    DTLSv1_2,
    Ending,
    Expectation,
    Outcome,
    Reason,
    Role,
    broken_by,
    reasons,
    scenario,
)

SEEN = date(2026, 11, 30)
STATEFUL = {"tickets": False}
IN_MEMORY = {"client": [Capability.SESSION_IN_MEMORY, Capability.SESSION_COPY]}
SURVIVES = [Close.SHUTDOWN_FREE, Close.EOF_SHUTDOWN_READ]
"""Each end calls SSL_shutdown, and no read fails before it."""
QUIETLY = {"quiet_shutdown": True}
Ended = tuple[Outcome, bool | None, tuple[Reason, ...]]
KEPT: Ended = (RESUMED, True, ())
LOST: Ended = (DECLINED, None, (Reason.NOT_IN_CACHE,))
SPOILED: Ended = (FULL, None, (Reason.NOT_RESUMABLE,))
IN_CACHE_ALONE = (
    "https://github.com/openssl/openssl/issues/1550: remove_session_lock of 1.0.2 (ssl/ssl_sess.c) marks only a "
    "session that it finds in the cache"
)
OBJECT_AFTER_FREE = Expectation(SPOILED, Differs(LOST, Role.CLIENT, "*@<1.1.0", SEEN, IN_CACHE_ALONE))
IS_AN_EOF = "SSL_R_UNEXPECTED_EOF_WHILE_READING (20:294) of both ends; 3.6.5 and earlier report no error for DTLS"
STREAM = "pyOpenSSL's SSL_set_fd makes a BIO_s_socket of a datagram socket, to which an empty datagram is the end (EOF)"
AT_CLIENT = Expectation(
    KEPT,
    Differs(SPOILED, Role.CLIENT, "pyopenssl@<4.0", SEEN, STREAM),
    Differs(LOST, Role.SERVER, "pyopenssl@<4.0", SEEN, STREAM, peer="[lo]*@<4.0"),
    Differs(LOST, Role.SERVER, "*@>=4.0", SEEN, IS_AN_EOF, peer="[lo]*@<4.0"),
    Differs(SPOILED, Role.CLIENT, "*@>=4.0", SEEN, IS_AN_EOF),
)
AT_SERVER = Expectation(
    KEPT,
    Differs(LOST, Role.SERVER, "pyopenssl@<4.0", SEEN, STREAM),
    Differs(LOST, Role.SERVER, "*@>=4.0", SEEN, IS_AN_EOF),
)
RESUMED_AFTER_ALERT = [
    broken_by(
        Role.SERVER,
        "[lo]*@<4.0",
        SEEN,
        f"{why}; the client answers with decode_error, which this server never reads",
        peer=peer,
    )
    for peer, why in (("*@>=4.0", IS_AN_EOF), ("pyopenssl@<4.0", STREAM))
]

pytestmark = scenario(versions=[DTLSv1_2], server=STATEFUL, needs=IN_MEMORY)


def both(pair, how):
    """Close a connection; offer its session object, then a copy of it."""
    live = pair.open()
    live.exchange()
    held = live.keep_session()
    first = live.close(how)
    assert "ApplicationData" in first.messages.types()
    assert first.close is how
    return first, pair.connect(offer=held, presume_full=False), pair.connect(offer=first.session)


def ended(pair, connection):
    """Return the outcome of a connection, whether the session was in a cache, and the reasons."""
    return connection.outcome, connection.from_cache, reasons(pair, connection)


@scenario(versions=[DTLSv1_2], server=STATEFUL, close=SURVIVES, needs=IN_MEMORY)
def test_session_survives_if_both_ends_called_shutdown(pair):
    first, second, third = both(pair, pair.close_how)

    assert first.outcome is FULL
    assert first.close in SURVIVES
    assert [alert.number for alert in first.messages.alerts if alert.sender is Role.CLIENT][:1] == [0]
    assert ended(pair, second) == ended(pair, third) == KEPT


def test_session_is_lost_if_neither_end_called_shutdown(pair):
    first, second, third = both(pair, Close.FREE)
    fourth, fifth, sixth = both(pair, Close.SHUTDOWN_FREE)

    assert first.outcome is fourth.outcome is FULL
    assert first.messages.alerts == ()
    assert ended(pair, second) == OBJECT_AFTER_FREE.of(pair)
    assert ended(pair, third) == LOST
    assert ended(pair, fifth) == ended(pair, sixth) == KEPT


@scenario(
    versions=[DTLSv1_2],
    server=STATEFUL,
    needs=IN_MEMORY,
    breaks={"failed_session_not_resumed": RESUMED_AFTER_ALERT},
)
def test_shutdown_after_a_read_that_met_an_empty_datagram(pair):
    first, second, third = both(pair, Close.EOF_READ_SHUTDOWN)

    assert first.outcome is FULL
    assert first.tcp.ends[0].sender is None
    assert ended(pair, second) == AT_CLIENT.of(pair)
    assert ended(pair, third) == AT_SERVER.of(pair)


@scenario(versions=[DTLSv1_2], close=[Close.CLIENT_ONLY])
def test_client_that_gets_no_answer_to_its_close_notify_reads_no_alert(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert {alert.sender for alert in first.messages.alerts} == {Role.CLIENT}
    assert first.client.ending is not Ending.ALERT


@scenario(versions=[DTLSv1_2], client=QUIETLY, server=STATEFUL | QUIETLY, needs=IN_MEMORY)
def test_quiet_shutdown_saves_the_session_and_sends_nothing(pair):
    first, second, third = both(pair, Close.SHUTDOWN_FREE)
    fourth, fifth, sixth = both(pair, Close.FREE)

    assert first.outcome is fourth.outcome is FULL
    assert first.messages.alerts == fourth.messages.alerts == ()
    assert ended(pair, second) == ended(pair, third) == KEPT
    assert ended(pair, fifth) == OBJECT_AFTER_FREE.of(pair)
    assert ended(pair, sixth) == LOST
