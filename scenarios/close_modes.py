"""How a connection is closed decides whether its session can be resumed (SSL_shutdown(3), SSL_get_session(3)).

An endpoint that frees a connection without having sent close_notify marks the session as not resumable and drops it
from its cache (SSL_free: ssl_clear_bad_session). So does one that sends a fatal alert (ssl3_send_alert); since 3.0,
OpenSSL answers the end of TCP without close_notify with a fatal alert (SSL_R_UNEXPECTED_EOF_WHILE_READING). This is how
a server loses its cached sessions. A client that saved its session as DER does not lose it: since TLS 1.1 a session may
be resumed although the connection was not closed properly (RFC 5246, 7.2.1).
"""

from datetime import date

from harness import (
    DECLINED,
    FULL,
    RESUMED,
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
    openssl_chooses,
    reasons,
    scenario,
)

CLEAN_AT_SERVER = [Close.BOTH, Close.SERVER_ONLY]
"""The server has sent close_notify; it does not matter whether the client did."""
UNCLEAN_AT_SERVER = [Close.CLIENT_ONLY, Close.EOF]
"""The server has sent none."""

STATEFUL = {"tickets": False}
COPY = {"client": [Capability.SESSION_COPY]}

EOF_BEFORE_3_0 = (
    "SSL_get_error(3), NOTES: before 3.0 an unexpected EOF is SSL_ERROR_SYSCALL with nothing on the error stack and no "
    "alert; apps/s_server.c, sv_body, prints ERROR alone and calls do_ssl_shutdown, which sets SSL_SENT_SHUTDOWN"
)
LOST: tuple[Outcome, tuple[Reason, ...]] = (DECLINED, (Reason.NOT_IN_CACHE,))
KEPT: tuple[Outcome, tuple[Reason, ...]] = (RESUMED, ())
UNCLEAN = Expectation(
    LOST, Differs(KEPT, Role.SERVER, "openssl@<3.0", seen=date(2026, 11, 21), evidence=EOF_BEFORE_3_0)
)
ENDING_AT_SERVER: Expectation[Ending | None] = Expectation(
    Ending.EOF, Differs(None, Role.SERVER, "openssl@<3.0", seen=date(2026, 11, 21), evidence=EOF_BEFORE_3_0)
)

AFTER_RESET = Expectation(
    LOST,
    Differs(
        KEPT,
        Role.SERVER,
        "openssl",
        seen=date(2026, 11, 21),
        evidence="apps/s_server.c, sv_body: after any error it still calls do_ssl_shutdown before SSL_free, and "
        "SSL_shutdown sets SSL_SENT_SHUTDOWN although the close_notify cannot be sent",
    ),
    Differs(
        KEPT,
        Role.SERVER,
        "*@>=4.0",
        seen=date(2026, 11, 21),
        evidence="https://github.com/openssl/openssl/pull/30230: a failed read puts the state machine into its error "
        "state, so that SSL_in_init() is true and ssl_clear_bad_session leaves the session in the cache",
    ),
)
"""A reset is not an alert: before 4.0 the session is dropped when the connection is freed."""


@scenario(versions=[TLSv1_2], server=STATEFUL, close=CLEAN_AT_SERVER, needs=COPY)
def test_session_id_resumes_if_the_server_sent_close_notify(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True


@scenario(versions=[TLSv1_2], server=STATEFUL, close=Close.CLIENT_ONLY, needs=COPY)
@openssl_chooses(Role.SERVER, "a session is lost with a connection that is not closed properly")
def test_session_id_is_declined_if_the_server_sent_no_close_notify(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert (second.outcome, reasons(pair, second)) == UNCLEAN.of(pair)
    assert second.from_cache is not False


RESUMED_AFTER_ALERT = broken_by(
    Role.SERVER,
    "openssl@<3.0",
    date(2026, 11, 29),
    f"{EOF_BEFORE_3_0}; a client since 3.0 answers the end of TCP with decode_error, which s_server never reads",
    peer="*@>=3.0",
)


@scenario(
    versions=[TLSv1_2],
    server=STATEFUL,
    close=Close.EOF,
    needs=COPY,
    breaks={"failed_session_not_resumed": RESUMED_AFTER_ALERT},
)
@openssl_chooses(Role.SERVER, "a session is lost with a connection that is not closed properly")
def test_session_id_is_declined_after_the_end_of_tcp_alone(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert (second.outcome, reasons(pair, second)) == UNCLEAN.of(pair)
    assert second.from_cache is not False


@scenario(versions=[TLSv1_3], server=STATEFUL, close=CLEAN_AT_SERVER, needs=COPY)
def test_stateful_ticket_resumes_if_the_server_sent_close_notify(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True


@scenario(versions=[TLSv1_3], server=STATEFUL, close=UNCLEAN_AT_SERVER, needs=COPY)
@openssl_chooses(Role.SERVER, "a session is lost with a connection that is not closed properly")
def test_stateful_ticket_is_declined_if_the_server_sent_no_close_notify(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert (second.outcome, reasons(pair, second)) == UNCLEAN.of(pair)
    assert second.from_cache is not False


@scenario(server=STATEFUL, close=Close.RST, needs=COPY)
@openssl_chooses(Role.SERVER, "a session is lost with a connection that is not closed properly")
def test_state_of_a_server_that_was_reset(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert (second.outcome, reasons(pair, second)) == AFTER_RESET.of(pair)
    assert second.from_cache is not False


@scenario(close=[how for how in Close if how is not Close.UNREAD], needs=COPY)
def test_ticket_that_the_client_keeps_resumes_however_it_was_closed(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False


@scenario(
    versions=[TLSv1_3],
    server=STATEFUL,
    close=UNCLEAN_AT_SERVER,
    needs={"client": [Capability.EVERY_TICKET]},
)
@openssl_chooses(Role.SERVER, "two tickets, and a session is lost with the connection")
def test_only_the_last_stateful_ticket_is_lost(pair):
    first = pair.connect()
    second = pair.connect(offer=first.sessions[0])
    third = pair.connect(offer=first.sessions[1])

    assert first.tickets == 2
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert (third.outcome, reasons(pair, third)) == UNCLEAN.of(pair)
    assert third.from_cache is not False


@scenario(server=STATEFUL, close=UNCLEAN_AT_SERVER, needs={"server": [Capability.COUNTERS]})
def test_server_counts_one_entry_fewer(pair):
    live = pair.open()
    live.exchange()
    before = pair.server.counters()
    first = live.close(pair.close_how)
    after = pair.server.counters()

    assert first.outcome is FULL
    assert after.items == before.items - 1


@scenario(server=STATEFUL, close=CLEAN_AT_SERVER, needs={"server": [Capability.COUNTERS]})
def test_server_that_sent_close_notify_keeps_its_entries(pair):
    live = pair.open()
    live.exchange()
    before = pair.server.counters()
    first = live.close(pair.close_how)
    after = pair.server.counters()

    assert first.outcome is FULL
    assert after.items == before.items > 0


@scenario(close=Close.EOF)
def test_end_of_tcp_is_distinguished_from_a_close_notify(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.client.ending is Ending.EOF
    assert first.server.ending is ENDING_AT_SERVER.of(pair)
