"""A server breaks a rule of resumption: the client refuses it with the alert of the RFC, or ignores it.

RFC 8446, 4.1.3 and 4.1.4 (hellos), 4.2.11 (the PSK), 4.6.1 (tickets), 2.2 (no certificates) and 6.2 (alerts);
RFC 5246, 7.3 and 7.4.1.3, RFC 5077, 3.3 and RFC 7627, 5.3 (TLS 1.2). docs/mutations.md says what each one does.
"""

from datetime import date

from harness import (
    ABORTED,
    DECLINED,
    FULL,
    RESUMED,
    Alert,
    Capability,
    Differs,
    Expectation,
    Mechanism,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    breaches,
    reasons,
    scenario,
)

SEEN = date(2026, 11, 29)
LIAR = {"server": "tlslite"}
UNEXPECTED_MESSAGE, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, DECODE_ERROR, PROTOCOL_VERSION = 10, 40, 47, 50, 70
INTERNAL_ERROR, MISSING_EXTENSION, UNSUPPORTED_EXTENSION = 80, 109, 110
BY_TICKET = {TLSv1_2: Mechanism.SESSION_TICKET, TLSv1_3: Mechanism.PSK}
RETRIED, RETRIES = {"groups": "P-256:X25519"}, {"groups": "X25519"}

NO_KEY_SHARE = Expectation(
    ILLEGAL_PARAMETER,
    Differs(
        MISSING_EXTENSION,
        Role.CLIENT,
        "*@<3.4",
        SEEN,
        "final_key_share: SSL_AD_MISSING_EXTENSION with SSL_R_NO_SUITABLE_KEY_SHARE; measured: 1.1.1w and 3.0.20 send "
        "it, 3.5.9, 3.6.5 and 4.0.3 send illegal_parameter",
    ),
)
RESUMPTIONS = {
    "SelectPSKIdentityOutOfRange": Expectation(ILLEGAL_PARAMETER),
    "PSKOfAnotherHash": Expectation(ILLEGAL_PARAMETER),
    "UnofferedCipherOnResumption": Expectation(ILLEGAL_PARAMETER),
    "NoKeyShareOnResumption": NO_KEY_SHARE,
    "CertificateRequestOnResumption": Expectation(UNEXPECTED_MESSAGE),
    "CertificateOnResumption": Expectation(UNEXPECTED_MESSAGE),
    "PSKInEncryptedExtensions": Expectation(ILLEGAL_PARAMETER),
}
"""The number of the alert, by the server's mutation."""
HELLOS = {
    "AlwaysSelectPSKIdentity": Expectation(UNSUPPORTED_EXTENSION),
    "UnsolicitedEarlyDataAccepted": Expectation(UNSUPPORTED_EXTENSION),
    "WrongSessionIDEcho": Expectation(ILLEGAL_PARAMETER),
    "EmptySessionIDEcho": Expectation(ILLEGAL_PARAMETER),
}
RETRY_REQUESTS = {
    "PSKInHelloRetryRequest": Expectation(ILLEGAL_PARAMETER),
    "SecondHelloRetryRequest": Expectation(UNEXPECTED_MESSAGE),
    "UnnecessaryHelloRetryRequest": Expectation(ILLEGAL_PARAMETER),
}
TICKETS = {
    "EmptySessionTicket": Expectation(DECODE_ERROR),
    "DuplicateTicketEarlyData": Expectation(ILLEGAL_PARAMETER),
    "MalformedTicketEarlyData": Expectation(DECODE_ERROR),
    "PSKInTicket": Expectation(ILLEGAL_PARAMETER),
    "TrailingTicketData": Expectation(DECODE_ERROR),
    "TruncatedTicketMessage": Expectation(DECODE_ERROR),
}
OLDER_RESUMPTIONS = {
    "ResumptionWithAnotherSessionID": Expectation(UNEXPECTED_MESSAGE),
    "ResumptionWithEmptySessionID": Expectation(UNEXPECTED_MESSAGE),
    "EchoSessionIDWithoutResumption": Expectation(UNEXPECTED_MESSAGE),
    "CipherMismatchOnResumption": Expectation(ILLEGAL_PARAMETER),
    "OlderVersionOnResumption": Expectation(PROTOCOL_VERSION),
    "ExtendedMasterSecretDroppedOnResumption": Expectation(HANDSHAKE_FAILURE),
    "ExtendedMasterSecretAddedOnResumption": Expectation(HANDSHAKE_FAILURE),
    "CertificateOnOlderResumption": Expectation(UNEXPECTED_MESSAGE),
    "CertificateRequestOnOlderResumption": Expectation(UNEXPECTED_MESSAGE),
    "ResumptionAsServerRenegotiation": Expectation(ILLEGAL_PARAMETER),
}
OLDER_HANDSHAKES = {
    "ServerSessionIDOf33Bytes": Expectation(ILLEGAL_PARAMETER),
    "UnsolicitedSessionTicket": Expectation(UNEXPECTED_MESSAGE),
    "PromisedTicketNotSent": Expectation(UNEXPECTED_MESSAGE),
    "TrailingOlderTicketData": Expectation(DECODE_ERROR),
}
KEPT_TICKETS = ["CustomTicketExtension", "TicketLifetimeOverAWeek", "LargestTicketLifetime"]


def offered_to_liar(pair):
    """The connection in which the client offers the server's session."""
    first = pair.connect()
    assert first.outcome is FULL
    return pair.connect(offer=first.session)


@scenario(versions=[TLSv1_3], played_by=LIAR, server={"mutation": [*RESUMPTIONS]})
def test_client_refuses_the_resumption(pair):
    second = offered_to_liar(pair)

    assert second.outcome is ABORTED
    assert second.alert == Alert(RESUMPTIONS[pair.server_config.mutation].of(pair), Role.CLIENT)


@scenario(versions=[TLSv1_3], played_by=LIAR, server={"mutation": [*HELLOS]})
def test_client_refuses_the_handshake(pair):
    first = pair.connect(presume_full=False)

    assert first.outcome is ABORTED
    assert first.alert == Alert(HELLOS[pair.server_config.mutation].of(pair), Role.CLIENT)


@scenario(versions=[TLSv1_3], played_by=LIAR, client=RETRIED, server={"mutation": [*RETRY_REQUESTS], **RETRIES})
def test_client_refuses_the_retry(pair):
    first = pair.connect(presume_full=False)

    assert "HelloRetryRequest" in first.messages.types()
    assert first.outcome is ABORTED
    assert first.alert == Alert(RETRY_REQUESTS[pair.server_config.mutation].of(pair), Role.CLIENT)


@scenario(versions=[TLSv1_3], played_by=LIAR, server={"mutation": [*TICKETS]})
def test_client_refuses_the_ticket(pair):
    first = pair.connect(presume_full=False)

    assert "NewSessionTicket" in first.messages.types()
    assert first.outcome is ABORTED
    assert first.alert == Alert(TICKETS[pair.server_config.mutation].of(pair), Role.CLIENT)


@scenario(versions=[TLSv1_2], played_by=LIAR, server={"mutation": [*OLDER_RESUMPTIONS]})
def test_client_refuses_the_resumption_of_tls12(pair):
    second = offered_to_liar(pair)

    assert second.outcome is ABORTED
    assert second.alert == Alert(OLDER_RESUMPTIONS[pair.server_config.mutation].of(pair), Role.CLIENT)


@scenario(versions=[TLSv1_2], played_by=LIAR, server={"mutation": [*OLDER_HANDSHAKES]})
def test_client_refuses_the_handshake_of_tls12(pair):
    first = pair.connect(presume_full=False)

    assert first.outcome is ABORTED
    assert first.alert == Alert(OLDER_HANDSHAKES[pair.server_config.mutation].of(pair), Role.CLIENT)


@scenario(versions=[TLSv1_3], played_by=LIAR, server={"mutation": KEPT_TICKETS})
def test_client_offers_the_ticket(pair):
    second = offered_to_liar(pair)

    assert len(second.messages.client_hello.psk_identities) == 1
    assert second.outcome is RESUMED


@scenario(
    versions=[TLSv1_3],
    played_by=LIAR,
    client={"clock": 0},
    server={"mutation": "ZeroTicketLifetime"},
    needs={"client": [Capability.SESSION_FIELDS]},
)
def test_client_offers_a_ticket_of_lifetime_zero_for_a_second(pair):
    """tls_process_new_session_ticket keeps it, and tls_construct_ctos_psk takes a second off its age."""
    first = pair.connect()
    pair.client.stop_clock(first.session.time)
    second = pair.connect(offer=first.session)
    pair.client.stop_clock(first.session.time + 2)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert [ticket.lifetime for ticket in first.messages.tickets] == [0, 0]
    assert second.outcome is RESUMED
    assert third.outcome is FULL
    assert third.messages.client_hello.psk_identities == ()


@scenario(versions=[TLSv1_2], played_by=LIAR, server={"mutation": "ZeroOlderLifetime"})
def test_client_offers_a_tls12_ticket_without_a_lifetime(pair):
    second = offered_to_liar(pair)

    assert second.messages.client_hello.session_ticket
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.SESSION_TICKET


@scenario(versions=[TLSv1_3], played_by=LIAR, server={"mutation": "HugeSessionTicket"})
def test_client_offers_a_ticket_of_40000_bytes(pair):
    second = offered_to_liar(pair)

    assert len(second.messages.client_hello.psk_identities[0]) == 40000
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.DECLINED_UNKNOWN,)


@scenario(
    versions=[TLSv1_3],
    played_by=LIAR,
    server={"mutation": "LargestSessionTicket"},
    needs={"client": [Capability.SESSION_IMPORT]},
)
def test_client_cannot_connect_with_the_largest_ticket(pair):
    """tls_construct_ctos_psk fails where the extension is longer than 65535 bytes; it does not leave the offer out.

    Python's ssl has no such session: it copies each one by i2d_SSL_SESSION and d2i_SSL_SESSION, which fail here.
    """
    second = offered_to_liar(pair)

    assert "ClientHello" not in second.messages.types()
    assert second.outcome is ABORTED
    assert second.alert == Alert(INTERNAL_ERROR, Role.CLIENT)


@scenario(
    versions=[TLSv1_2],
    played_by=LIAR,
    server={"mutation": "HugeOlderTicket"},
    needs={"client": [Capability.SESSION_IMPORT]},
)
def test_client_cannot_connect_with_the_largest_tls12_ticket(pair):
    second = offered_to_liar(pair)

    assert second.outcome is ABORTED
    assert second.alert == Alert(INTERNAL_ERROR, Role.CLIENT)


@scenario(
    versions=[TLSv1_2],
    played_by=LIAR,
    server={"mutation": "EmptyOlderTicket"},
    needs={"client": [Capability.SESSION_BEFORE_TICKET]},
)
def test_client_keeps_no_empty_tls12_ticket(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert [len(ticket.ticket) for ticket in first.messages.tickets] == [0]
    assert second.outcome is FULL
    assert not second.messages.client_hello.session_ticket


@scenario(played_by=LIAR)
def test_the_same_server_resumes_if_it_breaks_no_rule(pair):
    second = offered_to_liar(pair)

    assert second.outcome is RESUMED
    assert second.mechanism is BY_TICKET[second.tls]
    assert breaches(pair, second) == ()


@scenario(versions=[TLSv1_3], played_by=LIAR, client=RETRIED, server=RETRIES)
def test_the_same_server_resumes_after_a_retry_if_it_breaks_no_rule(pair):
    second = offered_to_liar(pair)

    assert "HelloRetryRequest" in second.messages.types()
    assert second.outcome is RESUMED
    assert breaches(pair, second) == ()
