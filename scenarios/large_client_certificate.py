"""A ticket holds the client's certificate, and one that is too large for a ticket ends the full handshake.

SSL_SESSION_set1_ticket_appdata(3) aside, a ticket is the whole session (RFC 5077, 4). create_ticket and
construct_stateless_ticket seal no session of more than 0xff00 bytes, and end the handshake with internal_error; a cache
has no such limit.
"""

from datetime import date

from harness import (
    ABORTED,
    FULL,
    RESUMED,
    Alert,
    Differs,
    Expectation,
    Mechanism,
    Outcome,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    Verify,
    openssl_chooses,
    reasons,
    scenario,
    without_alert,
)

RECORD = 16384
LARGE, HUGE = {"client_certificate": "large-client"}, {"client_certificate": "huge-client"}
REQUIRES = {"verify": Verify.REQUIRED}
CACHED = REQUIRES | {"tickets": False}

SEEN = date(2026, 11, 29)
ALERT: Expectation[Alert | None] = Expectation(
    Alert(80, Role.SERVER),
    *without_alert(
        SEEN,
        "ssl3_send_newsession_ticket (1.0.2) or tls_construct_new_session_ticket (1.1.0), which calls "
        "ossl_statem_set_error for a session above 0xff00 bytes,",
    ),
)


SMALL_TICKETS = (
    "ossl_statem_client_max_message_size: 1.1.1 to 1.1.1k allow SSL3_RT_MAX_PLAIN_LENGTH (16384 bytes) for a "
    "NewSessionTicket, later ones SESSION_TICKET_MAX_LENGTH_TLS13"
)
TAKES_SMALL = (Role.CLIENT, "*@<1.1.1l", SEEN, SMALL_TICKETS)
LONG_TICKET = Expectation(FULL, Differs(ABORTED, *TAKES_SMALL))
REFUSAL: Expectation[Alert | None] = Expectation(None, Differs(Alert(47, Role.CLIENT), *TAKES_SMALL))
BY_LONG_TICKET: Expectation[Mechanism | None] = Expectation(Mechanism.PSK, Differs(None, *TAKES_SMALL))
TLS12_LONG_TICKET: Expectation[tuple[Outcome, Alert | None, tuple[Reason, ...]]] = Expectation(
    (FULL, None, ()), Differs((ABORTED, Alert(47, Role.CLIENT), (Reason.TICKET_TOO_LARGE,)), *TAKES_SMALL)
)
BY_TLS12_LONG_TICKET: Expectation[tuple[Outcome, Mechanism | None, Alert | None, tuple[Reason, ...]]] = Expectation(
    (RESUMED, Mechanism.SESSION_TICKET, None, ()),
    Differs((ABORTED, None, Alert(47, Role.CLIENT), (Reason.TICKET_TOO_LARGE,)), *TAKES_SMALL),
    Differs(
        (ABORTED, None, Alert(47, Role.SERVER), (Reason.TICKET_TOO_LARGE,)),
        Role.SERVER,
        "*@>=1.0.2l,<1.1.0",
        date(2026, 11, 30),
        "ssl3_get_client_hello of 1.0.2 takes SSL3_RT_MAX_PLAIN_LENGTH (16384 bytes) of a ClientHello, and refuses the "
        "ticket that it issued; 1.0.2k-fips is Red Hat's, with its openssl-1.0.2k-long-hello.patch, and resumes",
        peer="*@>=1.1.1l",
    ),
)
"""The connection that offers the ticket; a client that refused it offers nothing and is given the same again."""


@scenario(versions=[TLSv1_3], client=LARGE, server=REQUIRES)
@openssl_chooses(Role.CLIENT, "it takes a ticket of more than 16384 bytes")
@openssl_chooses(Role.SERVER, "it takes a client's certificate of more than 16384 bytes, and issues such a ticket")
def test_ticket_longer_than_a_record_resumes(pair):
    first = pair.connect(presume_full=False)
    second = pair.connect(offer=first.session, presume_full=False)

    assert first.outcome is LONG_TICKET.of(pair)
    assert first.alert == REFUSAL.of(pair)
    assert min(len(ticket.ticket) for ticket in first.messages.tickets) > RECORD
    assert second.mechanism is BY_LONG_TICKET.of(pair)
    assert second.server.peer_certificate is True
    assert len(second.messages.tickets[0].ticket) > RECORD


@scenario(versions=[TLSv1_2], client=LARGE, server=REQUIRES)
@openssl_chooses(Role.CLIENT, "it takes a ticket of more than 16384 bytes")
@openssl_chooses(Role.SERVER, "it takes a client's certificate of more than 16384 bytes, and issues such a ticket")
def test_tls12_ticket_longer_than_a_record_resumes(pair):
    first = pair.connect(presume_full=False)
    second = pair.connect(offer=first.session, presume_full=False)

    assert (first.outcome, first.alert, reasons(pair, first)) == TLS12_LONG_TICKET.of(pair)
    assert (second.outcome, second.mechanism, second.alert, reasons(pair, second)) == BY_TLS12_LONG_TICKET.of(pair)


@scenario(versions=[TLSv1_3], client={"client_certificate": "client"}, server=REQUIRES)
def test_ticket_with_an_ordinary_certificate_is_shorter_than_a_record(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert max(len(ticket.ticket) for ticket in first.messages.tickets) < RECORD
    assert second.mechanism is Mechanism.PSK
    assert second.server.peer_certificate is True


@scenario(client=HUGE, server=REQUIRES)
@openssl_chooses(Role.SERVER, "the certificate is in the ticket")
def test_certificate_that_is_too_large_for_a_ticket_ends_the_handshake(pair):
    first = pair.connect(presume_full=False)

    assert first.outcome is ABORTED
    assert first.alert == ALERT.of(pair)
    assert reasons(pair, first) == (Reason.SESSION_TOO_LARGE,)
    assert first.messages.tickets == ()


@scenario(versions=[TLSv1_2], client=HUGE, server=CACHED)
@openssl_chooses(Role.SERVER, "it takes a certificate of this size")
def test_cache_holds_a_tls12_session_that_is_too_large_for_a_ticket(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.SESSION_ID
    assert second.server.peer_certificate is True


@scenario(versions=[TLSv1_3], client=HUGE, server=CACHED)
@openssl_chooses(Role.SERVER, "it takes a certificate of this size")
def test_cache_holds_a_tls13_session_that_is_too_large_for_a_ticket(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert {len(ticket.ticket) for ticket in first.messages.tickets} == {32}
    assert second.mechanism is Mechanism.PSK
    assert second.server.peer_certificate is True


@scenario(client=HUGE)
@openssl_chooses(Role.SERVER, "the certificate is in the ticket")
def test_certificate_that_nobody_asks_for_is_no_hindrance(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.new_server(verify=Verify.REQUIRED)
    third = pair.connect(presume_full=False)

    assert first.outcome is FULL
    assert first.server.peer_certificate is False
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert third.outcome is ABORTED
    assert third.alert == ALERT.of(pair)
    assert reasons(pair, third) == (Reason.SESSION_TOO_LARGE,)
