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
    Outcome,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    breaches,
    broken_by,
    openssl_chooses,
    reasons,
    scenario,
)

SEEN = date(2026, 11, 29)
LIAR = {"server": "tlslite"}
UNEXPECTED_MESSAGE, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, DECODE_ERROR, PROTOCOL_VERSION = 10, 40, 47, 50, 70
INTERNAL_ERROR, MISSING_EXTENSION, UNSUPPORTED_EXTENSION = 80, 109, 110
BY_TICKET = {TLSv1_2: Mechanism.SESSION_TICKET, TLSv1_3: Mechanism.PSK}
RETRIED, RETRIES = {"groups": "P-256:X25519"}, {"groups": "X25519"}

MEASURED = "measured with Go 1.27.3, Node.js 20.20.2, GnuTLS 3.7.9, wolfSSL 5.5.4 and JSSE 17.0.15, 17.0.21 and 25.0.3"
OTHERS: dict[str, dict[str, tuple[Outcome, Alert | None]]] = {
    "node": {"ResumptionAsServerRenegotiation": (ABORTED, Alert(47, Role.CLIENT))},
    "node@<24": {"NoKeyShareOnResumption": (ABORTED, Alert(109, Role.CLIENT))},
    "go": {
        "CipherMismatchOnResumption": (ABORTED, Alert(40, Role.CLIENT)),
        "PSKInEncryptedExtensions": (RESUMED, None),
        **dict.fromkeys(("PSKInTicket", "DuplicateTicketEarlyData", "ServerSessionIDOf33Bytes"), (FULL, None)),
        "AlwaysSelectPSKIdentity": (ABORTED, Alert(47, Role.CLIENT)),
    },
    "gnutls": {
        **dict.fromkeys(("SelectPSKIdentityOutOfRange", "NoKeyShareOnResumption"), (ABORTED, Alert(20, Role.SERVER))),
        "PSKOfAnotherHash": (ABORTED, Alert(20, Role.CLIENT)),
        "UnofferedCipherOnResumption": (ABORTED, Alert(40, Role.CLIENT)),
        "PSKInEncryptedExtensions": (ABORTED, Alert(110, Role.CLIENT)),
        **dict.fromkeys(
            (
                *("WrongSessionIDEcho", "EmptySessionIDEcho", "EmptySessionTicket", "PSKInTicket"),
                *("DuplicateTicketEarlyData", "TruncatedTicketMessage", "TrailingOlderTicketData"),
            ),
            (FULL, None),
        ),
        **dict.fromkeys(
            (
                *("CipherMismatchOnResumption", "ExtendedMasterSecretDroppedOnResumption"),
                "ExtendedMasterSecretAddedOnResumption",
            ),
            (RESUMED, None),
        ),
    },
    "wolfssl": {
        "AlwaysSelectPSKIdentity": (ABORTED, Alert(47, Role.CLIENT)),
        "NoKeyShareOnResumption": (ABORTED, Alert(20, Role.SERVER)),
        **dict.fromkeys(
            (
                *("UnsolicitedEarlyDataAccepted", "EmptySessionIDEcho"),
                *("EmptySessionTicket", "MalformedTicketEarlyData", "DuplicateTicketEarlyData", "PSKInTicket"),
            ),
            (FULL, None),
        ),
    },
    "java": {
        **dict.fromkeys(("PSKInEncryptedExtensions", "CertificateOnResumption"), (RESUMED, None)),
        "CertificateRequestOnResumption": (ABORTED, Alert(10, Role.SERVER)),
        "AlwaysSelectPSKIdentity": (ABORTED, Alert(10, Role.CLIENT)),
        "PSKOfAnotherHash": (ABORTED, Alert(20, Role.CLIENT)),
        "NoKeyShareOnResumption": (ABORTED, Alert(80, Role.CLIENT)),
        "CipherMismatchOnResumption": (ABORTED, Alert(70, Role.CLIENT)),
        **dict.fromkeys(("EmptySessionTicket", "TruncatedTicketMessage"), (ABORTED, Alert(47, Role.CLIENT))),
        **dict.fromkeys(
            (
                *("UnsolicitedEarlyDataAccepted", "WrongSessionIDEcho", "EmptySessionIDEcho"),
                *("MalformedTicketEarlyData", "DuplicateTicketEarlyData", "PSKInTicket", "TrailingTicketData"),
                *("UnsolicitedSessionTicket", "PromisedTicketNotSent", "TrailingOlderTicketData"),
                "ExtendedMasterSecretAddedOnResumption",
            ),
            (FULL, None),
        ),
    },
}
"""What other families do at a mutation, where it is not what is expected of all, by their builds."""


NAMED = {
    **dict.fromkeys(("SelectPSKIdentityOutOfRange", "PSKOfAnotherHash", "NoKeyShareOnResumption"), "RFC 8446, 4.2.11"),
    **dict.fromkeys(("UnofferedCipherOnResumption", "WrongSessionIDEcho", "EmptySessionIDEcho"), "RFC 8446, 4.1.3"),
    **dict.fromkeys(("CertificateRequestOnResumption", "CertificateOnResumption"), "RFC 8446, 4"),
    **dict.fromkeys(
        (
            *("PSKInEncryptedExtensions", "PSKInTicket"),
            *("AlwaysSelectPSKIdentity", "UnsolicitedEarlyDataAccepted"),
        ),
        "RFC 8446, 4.2",
    ),
    **dict.fromkeys(("EmptySessionTicket", "TrailingTicketData", "TruncatedTicketMessage"), "RFC 8446, 6"),
    "ResumptionAsServerRenegotiation": "RFC 5746, 3.4",
}
"""Where the RFC names the alert of the client: any other answer is a fault."""
REFUSED = {
    **dict.fromkeys(
        ("ExtendedMasterSecretDroppedOnResumption", "ExtendedMasterSecretAddedOnResumption"), "RFC 7627, 5.3"
    ),
    **dict.fromkeys(("ServerSessionIDOf33Bytes", "TrailingOlderTicketData"), "RFC 5246, 7.2.2"),
    **dict.fromkeys(("UnsolicitedSessionTicket", "PromisedTicketNotSent"), "RFC 5246, 7.4"),
}
"""Where it has the client abort, with any alert; a client that does not is at fault."""
NOT_OFFERED = {("java", "ExtendedMasterSecretAddedOnResumption")}
"""A client that offers no such session, as RFC 7627, 5.3 advises, comes to no answer."""


def answer(number):
    """The client's fatal alert."""
    return ABORTED, Alert(number, Role.CLIENT)


def ruling(builds, mutation, found):
    """What the RFC says of an answer that is not what is expected of all."""
    if (builds, mutation) in NOT_OFFERED:
        return "it offers no such session"
    if mutation in NAMED:
        return f"a fault: {NAMED[mutation]} names the alert"
    if mutation in REFUSED and found[1] is None:
        return f"a fault: {REFUSED[mutation]} has it abort"
    return "no RFC names the answer"


def expected(**answers):
    """What the RFC or OpenSSL answers to each mutation, an alert or what differs too, with what other libraries do."""
    made = {}
    for mutation, own in answers.items():
        number, *differs = own if isinstance(own, tuple) else (own,)
        others = [
            Differs(
                found[mutation],
                Role.CLIENT,
                builds,
                date(2026, 11, 30),
                f"{ruling(builds, mutation, found[mutation])}; {MEASURED}",
            )
            for builds, found in OTHERS.items()
            if mutation in found
        ]
        made[mutation] = Expectation(answer(number), *differs, *others)
    return made


NO_KEY_SHARE = (
    ILLEGAL_PARAMETER,
    Differs(
        answer(MISSING_EXTENSION),
        Role.CLIENT,
        "*@<3.4",
        SEEN,
        "final_key_share: SSL_AD_MISSING_EXTENSION with SSL_R_NO_SUITABLE_KEY_SHARE; measured: 1.1.1w and 3.0.20 send "
        "it, 3.5.9, 3.6.5 and 4.0.3 send illegal_parameter",
    ),
)
RENEGOTIATION = (
    HANDSHAKE_FAILURE,
    Differs(
        answer(ILLEGAL_PARAMETER),
        Role.CLIENT,
        "*",
        SEEN,
        "a fault: RFC 5746, 3.4 names the alert; tls_parse_stoc_renegotiate: SSL_AD_ILLEGAL_PARAMETER with "
        "SSL_R_RENEGOTIATION_MISMATCH",
    ),
)
RESUMPTIONS = expected(
    SelectPSKIdentityOutOfRange=ILLEGAL_PARAMETER,
    PSKOfAnotherHash=ILLEGAL_PARAMETER,
    UnofferedCipherOnResumption=ILLEGAL_PARAMETER,
    NoKeyShareOnResumption=NO_KEY_SHARE,
    CertificateRequestOnResumption=UNEXPECTED_MESSAGE,
    CertificateOnResumption=UNEXPECTED_MESSAGE,
    PSKInEncryptedExtensions=ILLEGAL_PARAMETER,
)
"""The outcome and the alert, by the server's mutation."""
HELLOS = expected(
    AlwaysSelectPSKIdentity=UNSUPPORTED_EXTENSION,
    UnsolicitedEarlyDataAccepted=UNSUPPORTED_EXTENSION,
    WrongSessionIDEcho=ILLEGAL_PARAMETER,
    EmptySessionIDEcho=ILLEGAL_PARAMETER,
)
RETRY_REQUESTS = expected(
    PSKInHelloRetryRequest=ILLEGAL_PARAMETER,
    SecondHelloRetryRequest=UNEXPECTED_MESSAGE,
    UnnecessaryHelloRetryRequest=ILLEGAL_PARAMETER,
)
TICKETS = expected(
    EmptySessionTicket=DECODE_ERROR,
    MalformedTicketEarlyData=DECODE_ERROR,
    PSKInTicket=ILLEGAL_PARAMETER,
    DuplicateTicketEarlyData=ILLEGAL_PARAMETER,
    TrailingTicketData=DECODE_ERROR,
    TruncatedTicketMessage=DECODE_ERROR,
)
OLDER_RESUMPTIONS = expected(
    ResumptionWithAnotherSessionID=UNEXPECTED_MESSAGE,
    ResumptionWithEmptySessionID=UNEXPECTED_MESSAGE,
    OlderVersionOnResumption=PROTOCOL_VERSION,
    CipherMismatchOnResumption=ILLEGAL_PARAMETER,
    ExtendedMasterSecretDroppedOnResumption=HANDSHAKE_FAILURE,
    ExtendedMasterSecretAddedOnResumption=HANDSHAKE_FAILURE,
    CertificateOnOlderResumption=UNEXPECTED_MESSAGE,
    CertificateRequestOnOlderResumption=UNEXPECTED_MESSAGE,
    ResumptionAsServerRenegotiation=RENEGOTIATION,
)
OLDER_HANDSHAKES = expected(
    ServerSessionIDOf33Bytes=ILLEGAL_PARAMETER,
    UnsolicitedSessionTicket=UNEXPECTED_MESSAGE,
    PromisedTicketNotSent=UNEXPECTED_MESSAGE,
    TrailingOlderTicketData=DECODE_ERROR,
)
KEPT_TICKETS = ["CustomTicketExtension"]
UNKNOWN_EXTENSION = bytes(4) + b"unknown"
"""As long as the one of CustomTicketExtension."""
NOW = 1_800_000_000
"""Where the client's clock is stopped; any moment will do."""
WEEK = 604_800
"""The longest lifetime of RFC 8446, 4.6.1, in seconds."""
LONG_LIVED = ["TicketLifetimeOverAWeek", "LargestTicketLifetime"]


def lengths_of_extensions(connection):
    """How many bytes of extensions its tickets have: what is left beside the other fields (RFC 8446, 4.6.1)."""
    tickets = [message for message in connection.messages.messages if message.type == "NewSessionTicket"]
    return {sent.length - 13 - len(sent.content.nonce) - len(sent.content.ticket) for sent in tickets}


def offered_to_liar(pair):
    """The connection in which the client offers the server's session."""
    first = pair.connect()
    assert first.outcome is FULL
    return pair.connect(offer=first.session)


@scenario(versions=[TLSv1_3], played_by=LIAR, server={"mutation": [*RESUMPTIONS]})
def test_client_refuses_the_resumption(pair):
    second = offered_to_liar(pair)

    assert (second.outcome, second.alert) == RESUMPTIONS[pair.server_config.mutation].of(pair)


ACCEPTED_UNSENT = {
    "end_of_early_data_sent": [
        broken_by(
            Role.CLIENT,
            builds,
            date(2026, 11, 30),
            "a client without early data takes early_data in EncryptedExtensions",
            server={"mutation": "UnsolicitedEarlyDataAccepted"},
        )
        for builds in ("wolfssl", "java")
    ]
}


@scenario(versions=[TLSv1_3], played_by=LIAR, server={"mutation": [*HELLOS]}, breaks=ACCEPTED_UNSENT)
def test_client_refuses_the_handshake(pair):
    first = pair.connect(presume_full=False)

    assert (first.outcome, first.alert) == HELLOS[pair.server_config.mutation].of(pair)


@scenario(versions=[TLSv1_3], played_by=LIAR, client=RETRIED, server={"mutation": [*RETRY_REQUESTS], **RETRIES})
@openssl_chooses(Role.CLIENT, "one key share, of the first of its groups")
def test_client_refuses_the_retry(pair):
    first = pair.connect(presume_full=False)

    assert "HelloRetryRequest" in first.messages.types()
    assert (first.outcome, first.alert) == RETRY_REQUESTS[pair.server_config.mutation].of(pair)


@scenario(versions=[TLSv1_3], played_by=LIAR, server={"mutation": [*TICKETS]})
def test_client_refuses_the_ticket(pair):
    first = pair.connect(presume_full=False)

    assert "NewSessionTicket" in first.messages.types()
    assert (first.outcome, first.alert) == TICKETS[pair.server_config.mutation].of(pair)


@scenario(versions=[TLSv1_2], played_by=LIAR, server={"mutation": [*OLDER_RESUMPTIONS]})
def test_client_refuses_the_resumption_of_tls12(pair):
    second = offered_to_liar(pair)

    assert (second.outcome, second.alert) == OLDER_RESUMPTIONS[pair.server_config.mutation].of(pair)


@scenario(versions=[TLSv1_2], played_by=LIAR, server={"mutation": [*OLDER_HANDSHAKES]})
def test_client_refuses_the_handshake_of_tls12(pair):
    first = pair.connect(presume_full=False)

    assert (first.outcome, first.alert) == OLDER_HANDSHAKES[pair.server_config.mutation].of(pair)


@scenario(versions=[TLSv1_3], played_by=LIAR, server={"mutation": KEPT_TICKETS})
def test_client_offers_the_ticket(pair):
    second = offered_to_liar(pair)

    assert lengths_of_extensions(second) == {len(UNKNOWN_EXTENSION)}
    assert len(second.messages.client_hello.psk_identities) == 1
    assert second.outcome is RESUMED


@scenario(versions=[TLSv1_3], played_by=LIAR, server={"mutation": LONG_LIVED})
@openssl_chooses(Role.CLIENT, "it takes a ticket whose lifetime is longer than a week")
def test_client_offers_a_ticket_with_a_long_lifetime(pair):
    second = offered_to_liar(pair)

    assert all(ticket.lifetime > WEEK for ticket in second.messages.tickets)
    assert len(second.messages.client_hello.psk_identities) == 1
    assert second.outcome is RESUMED


@scenario(versions=[TLSv1_2], played_by=LIAR, server={"mutation": "EchoSessionIDWithoutResumption"})
@openssl_chooses(Role.CLIENT, "no session id where it offers no session")
def test_client_refuses_an_echo_of_its_id_without_resumption(pair):
    second = offered_to_liar(pair)

    assert (second.outcome, second.alert) == answer(UNEXPECTED_MESSAGE)


@scenario(
    versions=[TLSv1_3],
    played_by=LIAR,
    client={"clock": 0},
    server={"mutation": "ZeroTicketLifetime"},
    needs={"client": [Capability.SESSION_FIELDS]},
)
def test_client_offers_a_ticket_of_lifetime_zero_for_a_second(pair):
    """tls_process_new_session_ticket keeps it, and tls_construct_ctos_psk takes a second off its age."""
    pair.client.stop_clock(NOW)
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.client.stop_clock(NOW + 2)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert (first.session.time, second.session.time) == (NOW, NOW)
    assert [ticket.lifetime for ticket in first.messages.tickets] == [0, 0]
    assert second.outcome is RESUMED
    assert third.outcome is FULL
    assert reasons(pair, third) == (Reason.EXPIRED_AT_CLIENT,)
    assert third.messages.client_hello.psk_identities == ()


@scenario(versions=[TLSv1_2], played_by=LIAR, server={"mutation": "ZeroOlderLifetime"})
def test_client_offers_a_tls12_ticket_without_a_lifetime(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert [ticket.lifetime for ticket in first.messages.tickets] == [0]
    assert second.messages.client_hello.session_ticket
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.SESSION_TICKET


@scenario(
    versions=[TLSv1_3],
    played_by=LIAR,
    server={"mutation": "HugeSessionTicket"},
    needs={"client": [Capability.SESSION_FIELDS]},
)
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
    assert second.offered is first.session
    assert second.outcome is FULL
    assert reasons(pair, second) == (Reason.NO_TICKET_SENT,)
    assert not second.messages.client_hello.session_ticket


@scenario(played_by=LIAR)
def test_the_same_server_resumes_if_it_breaks_no_rule(pair):
    second = offered_to_liar(pair)

    assert second.outcome is RESUMED
    assert second.mechanism is BY_TICKET[second.tls]
    assert breaches(pair, second) == ()


@scenario(versions=[TLSv1_3], played_by=LIAR, client=RETRIED, server=RETRIES)
@openssl_chooses(Role.CLIENT, "one key share, of the first of its groups")
def test_the_same_server_resumes_after_a_retry_if_it_breaks_no_rule(pair):
    second = offered_to_liar(pair)

    assert "HelloRetryRequest" in second.messages.types()
    assert second.outcome is RESUMED
    assert breaches(pair, second) == ()
