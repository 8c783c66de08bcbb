"""A callback against resumption, a further ticket, and a host name that a resumption does not compare.

SSL_CTX_set_not_resumable_session_callback (ssl/ssl_lib.c; it has no man page), SSL_new_session_ticket in
SSL_CTX_set_num_tickets(3), SSL_set1_host(3), SSL_SESSION_set_timeout in SSL_SESSION_get_time(3); RFC 8446, 4.6.1, 2.2.
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
    Differs,
    Expectation,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    Verify,
    cases,
    reasons,
    scenario,
)

SEEN = date(2026, 11, 30)
BAD_CERTIFICATE, DECODE_ERROR = 42, 50
NAME, OTHER_NAME = "server.example", "other.example"
NOON = 1_800_000_000
"""Seconds since the epoch."""
TIMEOUTS = {"client": [Capability.SESSION_COPY, Capability.SESSION_FIELDS], "server": [Capability.SET_TIMEOUTS]}
COPY = {"client": [Capability.SESSION_COPY]}
KEPT_IN_MEMORY = {"client": [Capability.SESSION_IN_MEMORY, Capability.SESSION_IMPORT]}
"""libssl itself: another client ends where the name is refused."""
NEW_TICKET = {"client": [Capability.EVERY_TICKET], "server": [Capability.NEW_TICKET]}


@scenario(server={"not_resumable": ["context", "connection"]})
def test_session_that_a_callback_made_not_resumable_has_no_ticket(pair):
    first = pair.connect()
    second = pair.connect(offer=first.last_session, presume_full=False)
    pair.new_server(not_resumable=None)
    third = pair.connect()
    fourth = pair.connect(offer=third.session)

    assert first.outcome is FULL
    assert first.tickets == 0
    assert second.offered is first.last_session
    assert (second.outcome, reasons(pair, second)) == (FULL, (Reason.NO_TICKET_SENT,))
    assert third.outcome is FULL
    assert fourth.outcome is RESUMED
    assert fourth.from_cache is False


ID_OF_NO_SESSION: Expectation[tuple[object, tuple[Reason, ...]]] = Expectation(
    (DECLINED, (Reason.NOT_IN_CACHE,)),
    *(
        Differs(
            (FULL, (Reason.NO_TICKET_SENT,)),
            Role.SERVER,
            builds,
            SEEN,
            "tls_construct_server_hello: 1.1.1w, 3.0.13 and 3.1.5 empty the session id of a session that is not "
            "resumable, also without tickets; 3.0.15, 3.2.3 and later send the id of a session that they do not keep",
        )
        for builds in ("*@<3.0.14", "*@>=3.1,<3.2")
    ),
)


@scenario(versions=[TLSv1_2], server={"not_resumable": ["context", "connection"], "tickets": False}, needs=COPY)
def test_server_without_tickets_sends_the_id_of_no_session_it_keeps(pair):
    first = pair.connect()
    second = pair.connect(offer=first.last_session, presume_full=False)

    assert first.outcome is FULL
    assert (second.outcome, reasons(pair, second)) == ID_OF_NO_SESSION.of(pair)


@scenario(versions=[TLSv1_3], needs=NEW_TICKET)
def test_server_sends_further_tickets_with_its_next_write(pair):
    live = pair.open()
    asked = [live.new_ticket(), live.new_ticket()]
    live.exchange()
    first = live.close()
    second = pair.connect(offer=first.sessions[-1])

    assert asked == [True, True]
    assert first.outcome is FULL
    assert first.tickets == pair.server_default("tickets") + 2
    assert first.sessions[-1].ticket == first.messages.tickets[-1].ticket
    assert second.outcome is RESUMED


@scenario(versions=[TLSv1_3], server={"num_tickets": 0}, needs=NEW_TICKET)
def test_server_that_issues_no_ticket_on_its_own_can_send_one_later(pair):
    live = pair.open()
    before = live.session()
    live.new_ticket()
    live.exchange()
    first = live.close()
    second = pair.connect(offer=before, presume_full=False)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.tickets == 1
    assert second.offered is before
    assert second.outcome is FULL
    assert third.outcome is RESUMED
    assert third.from_cache is False


@scenario(versions=[TLSv1_2], needs=NEW_TICKET)
def test_tls12_server_cannot_send_a_ticket_after_the_handshake(pair):
    live = pair.open()
    asked = live.new_ticket()
    live.exchange()
    first = live.close()

    assert asked is False
    assert first.outcome is FULL
    assert first.tickets == 1


@scenario(client={"verify": Verify.REQUIRED})
def test_resumption_does_not_compare_the_expected_name(pair):
    first = pair.connect()
    pair.new_client(expected_name=NAME)
    same = pair.connect(offer=first.session)
    pair.new_client(expected_name=OTHER_NAME)
    second = pair.connect(offer=first.session)
    third = pair.connect(presume_full=False)

    assert first.outcome is FULL
    assert (same.outcome, reasons(pair, same)) == (RESUMED, ())
    assert (second.outcome, reasons(pair, second)) == (RESUMED, (Reason.PEER_NOT_VERIFIED_AGAIN,))
    assert (same.from_cache, second.from_cache) == (False, False)
    assert third.outcome is ABORTED
    assert third.alert == Alert(BAD_CERTIFICATE, Role.CLIENT)
    assert reasons(pair, third) == (Reason.CERTIFICATE_REJECTED,)


NOT_A_NAME = (
    "https://github.com/openssl/openssl/pull/29612: SSL_set1_host returns 0 for what is neither an address nor a name "
    "that X509_VERIFY_PARAM_add1_host takes (crypto/x509/x509_vpm.c); measured on 4.0.3: not one character, a label of "
    "more than 63, a hyphen at the end of a label, an empty label, a dot at the end or other than ASCII"
)
REFUSES_THE_NAME = Expectation(RESUMED, Differs(ABORTED, Role.CLIENT, "*@>=4.0", seen=SEEN, evidence=NOT_A_NAME))
ALERT_OF_REFUSED_NAME: Expectation[Alert | None] = Expectation(
    None,
    Differs(
        Alert(DECODE_ERROR, Role.SERVER),
        Role.CLIENT,
        "*@>=4.0",
        seen=SEEN,
        evidence=f"{NOT_A_NAME}; the client closes TCP, which a server since 3.0 answers (SSL_get_error(3), NOTES)",
        peer="*@>=3.0",
    ),
)


ALERT_OF_OTHER_NAME: Expectation[Alert | None] = Expectation(
    Alert(BAD_CERTIFICATE, Role.CLIENT),
    *ALERT_OF_REFUSED_NAME.differs,
    *(
        Differs(None, Role.CLIENT, "*@>=4.0", seen=SEEN, evidence=NOT_A_NAME, peer=silent)
        for silent in ("*@<3.0", "gnutls:*", "go:*", "java:*", "node:*", "wolfssl:*")
    ),
)
"""Of a full handshake: the certificate does not have the name."""


@scenario(versions=[TLSv1_3], client={"verify": Verify.REQUIRED}, needs=KEPT_IN_MEMORY)
@cases("name", "a", f"{NAME}.")
def test_client_expects_what_is_not_a_valid_name(pair, name):
    first = pair.connect()
    pair.new_client(expected_name=name)
    second = pair.connect(offer=first.session)
    third = pair.connect(presume_full=False)

    assert first.outcome is FULL
    assert second.outcome is REFUSES_THE_NAME.of(pair)
    assert second.alert == ALERT_OF_REFUSED_NAME.of(pair)
    assert second.from_cache is not True
    assert third.outcome is ABORTED
    assert third.alert == ALERT_OF_OTHER_NAME.of(pair)


@scenario(server={"clock": 0}, client={"clock": 0}, needs=TIMEOUTS)
def test_server_gives_its_tickets_another_timeout(pair):
    pair.stop_clocks(NOON)
    pair.server.set_timeouts(60)
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.server.stop_clock(NOON + 61)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert (first.session.time, first.session.lifetime_hint) == (NOON, 60)
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert third.outcome is DECLINED
    assert reasons(pair, third) == (Reason.EXPIRED_AT_SERVER,)


@scenario(versions=[TLSv1_2], server={"tickets": BOTH, "clock": 0}, client={"clock": 0}, needs=TIMEOUTS)
def test_timeout_that_is_set_later_reaches_the_cache_and_no_ticket(pair):
    pair.stop_clocks(NOON)
    first = pair.connect()
    pair.server.set_timeouts(60)
    pair.server.stop_clock(NOON + 61)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is (RESUMED if pair.server_config.tickets else DECLINED)
    assert second.from_cache is (False if pair.server_config.tickets else None)
    assert reasons(pair, second) == (() if pair.server_config.tickets else (Reason.EXPIRED_AT_SERVER,))
