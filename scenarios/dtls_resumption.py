"""DTLS resumes by a session id and by a ticket, as TLS 1.2 does, over datagrams (RFC 6347, 4.2; RFC 5077).

So does a renegotiation, whose messages are numbered from 0 again (RFC 6347, 4.2.2; SSL_renegotiate(3)).
"""

from datetime import date

from harness import (
    ABORTED,
    BOTH,
    DECLINED,
    FULL,
    RESUMED,
    Alert,
    Capability,
    Close,
    Differs,
    DTLSv1,
    DTLSv1_2,
    Expectation,
    Mechanism,
    Outcome,
    Reason,
    Role,
    TLSVersion,
    reasons,
    scenario,
)

SEEN = date(2026, 11, 30)
UNEXPECTED_MESSAGE, HANDSHAKE_FAILURE, DECODE_ERROR, PROTOCOL_VERSION, NO_RENEGOTIATION = 10, 40, 50, 70, 100
SAYS_1_2 = (
    "measured on 1.0.2k to 1.0.2r: the session of a DTLS_client_method says DTLS 1.2 where the server chose 1.0, "
    "and the client aborts its resumption"
)
COMPARES_1_2 = (
    "ssl3_get_client_hello of 1.0.2 (ssl/s3_srvr.c) looks for the session before it selects the version, which until "
    "then is DTLS 1.2"
)
OLD_CLIENT = (Role.CLIENT, "*@<1.1.0", SEEN, SAYS_1_2, DTLSv1)
SESSIONS_VERSION: Expectation[TLSVersion] = Expectation(
    DTLSv1_2,
    Differs(DTLSv1, Role.CLIENT, "*@>=1.1.0", SEEN, "it is the connection's version", DTLSv1),
)
IS_AN_EOF = "SSL_R_UNEXPECTED_EOF_WHILE_READING (20:294) of both ends; 3.6.5 and earlier report no error for DTLS"
STREAM = "pyOpenSSL's SSL_set_fd makes a BIO_s_socket of a datagram socket, to which an empty datagram is the end (EOF)"
ANSWERED_BY_ONE: Expectation[int | None] = Expectation(
    None,
    Differs(DECODE_ERROR, Role.CLIENT, "*@>=4.0", SEEN, IS_AN_EOF),
    Differs(DECODE_ERROR, Role.SERVER, "*@>=4.0", SEEN, IS_AN_EOF),
    Differs(DECODE_ERROR, Role.CLIENT, "pyopenssl@<4.0", SEEN, STREAM),
    Differs(DECODE_ERROR, Role.SERVER, "pyopenssl@<4.0", SEEN, STREAM),
)
"""The fatal alert with which an end answers an empty datagram."""
NOT_FROM_3_2 = "https://github.com/openssl/openssl/pull/27591: a refused server of DTLS goes on, still to renegotiate"
READ_AGAIN = (
    "https://github.com/openssl/openssl/issues/25444: dtls1_read_bytes keeps a warning alert and reads it again, five "
    "times, until SSL_R_TOO_MANY_WARN_ALERTS"
)
IGNORED: tuple[bool, list[Alert]] = (True, [])
NEVER_FLUSHED = "https://github.com/openssl/openssl/issues/8998: dtls1_dispatch_alert flushed none but fatal alerts"
SHOWS_A_REFUSAL: Expectation[bool] = Expectation(
    True,  # noqa: FBT003 - a value
    Differs(False, Role.CLIENT, "*@>=1.1.1,<1.1.1d", date(2026, 12, 1), NEVER_FLUSHED),  # noqa: FBT003 - a value
)
"""Whether a client's no_renegotiation leaves it."""
AT_A_REFUSAL: Expectation[tuple[bool, list[Alert]]] = Expectation(
    (False, [Alert(HANDSHAKE_FAILURE, Role.SERVER)]),
    Differs(IGNORED, Role.SERVER, "*@>=1.1.0,<1.1.1", SEEN, "dtls1_read_bytes of 1.1.0 drops the alert"),
    Differs((False, [Alert(UNEXPECTED_MESSAGE, Role.SERVER)]), Role.SERVER, "*@>=1.1.1,<3.0.17", SEEN, READ_AGAIN),
    Differs((False, [Alert(UNEXPECTED_MESSAGE, Role.SERVER)]), Role.SERVER, "*@>=3.1,<3.2", SEEN, READ_AGAIN),
    *(
        Differs(IGNORED, Role.SERVER, f"*@>={since},<{mended}", SEEN, NOT_FROM_3_2)
        for since, mended in (("3.2", "3.2.5"), ("3.3", "3.3.4"), ("3.4", "3.4.2"), ("3.5", "3.5.1"))
    ),
)
"""Whether the server goes on after its client's no_renegotiation, and the fatal alerts."""
AFTER_A_REFUSAL = {True: AT_A_REFUSAL, False: Expectation(IGNORED)}
"""The same, by whether it left the client."""
STILL_EXPECTED = (
    "tlsext_ticket_expected of the first handshake stays set, so that the second one issues a ticket; since 1.1.1 "
    "tls_finish_handshake clears it (ssl/statem/statem_lib.c)"
)
KEPT_IN_THE_CACHE: Expectation[bool] = Expectation(
    True,  # noqa: FBT003 - a value
    Differs(False, Role.SERVER, "*@<1.1.1", SEEN, STILL_EXPECTED, server={"tickets": True}),  # noqa: FBT003 - a value
)
"""Whether the session of a full second handshake is in the server's cache."""
Ended = tuple[Outcome, Mechanism | None, Alert | None, tuple[Reason, ...]]


def resumed(mechanism):
    """Expect a resumption, but of DTLS 1.0 at an end of 1.0.2."""
    expected: Expectation[Ended] = Expectation(
        (RESUMED, mechanism, None, ()),
        Differs((ABORTED, None, Alert(PROTOCOL_VERSION, Role.CLIENT), (Reason.NO_COMMON_VERSION,)), *OLD_CLIENT),
        Differs(
            (DECLINED, None, None, (Reason.VERSION_DIFFERS,)),
            Role.SERVER,
            "*@<1.1.0",
            SEEN,
            COMPARES_1_2,
            DTLSv1,
            peer="*@>=1.1.0",
        ),
    )
    return expected


AT_DTLS_1_0: Expectation[tuple[Outcome, Alert | None, Reason]] = Expectation(
    (DECLINED, None, Reason.VERSION_DIFFERS),
    Differs(
        (ABORTED, Alert(PROTOCOL_VERSION, Role.CLIENT), Reason.NO_COMMON_VERSION),
        Role.CLIENT,
        "*@<1.1.0",
        SEEN,
        "SSL_set_session of 1.0.2 takes over the method of the session's version, so that a client with a session of "
        "DTLS 1.2 speaks no DTLS 1.0: wrong ssl version",
    ),
)
BY_TICKET, BY_ID = resumed(Mechanism.SESSION_TICKET), resumed(Mechanism.SESSION_ID)


def ended(pair, connection):
    """Return the outcome of a connection, the mechanism, the alert and the reasons."""
    return connection.outcome, connection.mechanism, connection.alert, reasons(pair, connection)


pytestmark = scenario(versions=[DTLSv1_2])


@scenario(versions=[DTLSv1, DTLSv1_2], needs={"client": [Capability.SESSION_DATA]})
def test_ticket_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.tickets == 1
    assert first.session.version is SESSIONS_VERSION.of(pair)
    assert ended(pair, second) == BY_TICKET.of(pair)


@scenario(versions=[DTLSv1, DTLSv1_2], server={"tickets": False})
def test_session_id_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.tickets == 0
    assert ended(pair, second) == BY_ID.of(pair)


def test_ticket_of_other_keys_is_declined_and_replaced(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=second.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert Reason.TICKET_KEY_UNKNOWN in reasons(pair, second)
    assert second.tickets == 1
    assert third.outcome is RESUMED
    assert third.mechanism is Mechanism.SESSION_TICKET


@scenario(versions=[DTLSv1_2], server={"tickets": False})
def test_session_of_another_server_is_declined(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert Reason.NOT_IN_CACHE in reasons(pair, second)
    assert second.messages.client_hello.session_id == first.messages.server_hello.session_id


@scenario(
    versions=[DTLSv1_2],
    server={"tickets": False},
    needs={"client": [Capability.SESSION_DATA], "server": [Capability.REMOVE_SESSION]},
)
def test_session_that_was_removed_is_declined(pair):
    first = pair.connect()
    removed = pair.server.remove(first.session.session_id)
    second = pair.connect(offer=first.session)

    assert removed is True
    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert Reason.NOT_IN_CACHE in reasons(pair, second)


@scenario(
    versions=[DTLSv1_2],
    client={"versions": [(DTLSv1, DTLSv1_2)]},
    needs={"client": [Capability.SESSION_IMPORT]},
)
def test_session_of_dtls12_is_declined_by_a_server_of_dtls10(pair):
    first = pair.connect()
    pair.new_server(versions=(DTLSv1,))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.session.version is DTLSv1_2
    outcome, alert, reason = AT_DTLS_1_0.of(pair)
    assert (second.outcome, second.alert) == (outcome, alert)
    assert reason in reasons(pair, second)
    assert second.messages.server_hello.version is DTLSv1


def renegotiated(pair, by, *, abbreviated=False):
    """Return whether it worked, and the connection with its two handshakes."""
    live = pair.open()
    live.exchange()
    done = live.renegotiate(by, abbreviated=abbreviated)
    connection = live.close()
    assert connection.messages.data_before("ClientHello", "HelloRequest")
    return done, connection


@scenario(
    versions=[DTLSv1_2],
    server={"tickets": BOTH},
    needs={"server": [Capability.RENEGOTIATION], "client": [Capability.OPENSSL_CHOICES]},
)
def test_a_renegotiation_that_the_server_asks_for_is_full(pair):
    """A client of TLS resumes here, one of DTLS calls SSL_renegotiate (tls_process_hello_req, ssl/statem)."""
    done, connection = renegotiated(pair, Role.SERVER)
    later = pair.connect(offer=connection.session)

    assert done
    assert connection.outcome is FULL
    assert connection.messages.handshakes == 2
    assert connection.messages.types(Role.SERVER).count("Certificate") == 2
    assert connection.messages.client_hellos[-1].session_id == b""
    assert later.outcome is RESUMED
    assert later.from_cache is not pair.server_config.tickets


@scenario(
    versions=[DTLSv1_2],
    server={"tickets": BOTH, "client_renegotiation": True},
    needs={"client": [Capability.ABBREVIATED_RENEGOTIATION]},
)
def test_an_abbreviated_renegotiation_of_the_client_resumes(pair):
    done, connection = renegotiated(pair, Role.CLIENT, abbreviated=True)
    _, full = renegotiated(pair, Role.CLIENT)

    assert done
    assert connection.messages.handshakes == full.messages.handshakes == 2
    assert connection.messages.types(Role.SERVER).count("Certificate") == 1
    assert full.messages.types(Role.SERVER).count("Certificate") == 2


@scenario(
    versions=[DTLSv1_2],
    server={"tickets": BOTH, "client_renegotiation": True, "resumption_on_renegotiation": False},
    needs={"client": [Capability.ABBREVIATED_RENEGOTIATION]},
)
def test_an_abbreviated_renegotiation_without_resumption_is_full(pair):
    """Since 1.1.1 its server does not read the ticket, and sends none: the session is in its cache."""
    done, connection = renegotiated(pair, Role.CLIENT, abbreviated=True)
    later = pair.connect(offer=connection.session)

    assert done
    assert connection.messages.handshakes == 2
    assert connection.messages.types(Role.SERVER).count("Certificate") == 2
    assert connection.messages.client_hellos[-1].session_id
    assert later.outcome is RESUMED
    assert later.from_cache is KEPT_IN_THE_CACHE.of(pair)


@scenario(
    versions=[DTLSv1_2],
    client={"renegotiation": False},
    needs={
        "server": [Capability.RENEGOTIATION, Capability.REFUSED_RENEGOTIATION],
        "client": [Capability.OPENSSL_CHOICES],
    },
)
def test_a_client_without_renegotiation_keeps_its_session(pair):
    """The server ends the connection at no_renegotiation, as with TLS; some read it five times, some ignore it."""
    went_on, connection = renegotiated(pair, Role.SERVER)
    fatal = [alert for alert in connection.messages.alerts if alert.fatal]

    assert connection.outcome is FULL
    assert connection.messages.handshakes == 1
    refusals = [alert.number for alert in connection.messages.alerts if alert.sender is Role.CLIENT]
    shown = NO_RENEGOTIATION in refusals
    assert shown is SHOWS_A_REFUSAL.of(pair)
    assert connection.renegotiation_resumed is None
    assert (went_on, fatal) == AFTER_A_REFUSAL[shown].of(pair)


@scenario(
    versions=[DTLSv1_2],
    close=Close.EOF,
    needs={"client": [Capability.OPENSSL_CHOICES, Capability.SESSION_COPY], "server": [Capability.OPENSSL_CHOICES]},
)
def test_an_empty_datagram_is_fatal_since_4_0(pair):
    """Whoever can send one ends a connection; RFC 6347, 4.1.2.7, has an endpoint discard what is invalid."""
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.tcp.ends[0].sender is None
    assert next((alert.number for alert in first.messages.alerts if alert.fatal), None) == ANSWERED_BY_ONE.of(pair)
    assert second.outcome is RESUMED
    assert second.from_cache is False
