"""A client breaks a rule of resumption: the server refuses it with the alert of the RFC, or ignores it.

RFC 8446, 4.2.11 (identities and binders), 4.2.9 (modes), 4.2.10 (early data), 4.1.2 (a second ClientHello) and 6.2
(alerts); RFC 5246, 7.4.1.2, RFC 5077, 3.4 and RFC 7627, 5.3 (TLS 1.2). docs/mutations.md says what each one does.
"""

from datetime import date

from harness import (
    ABORTED,
    DECLINED,
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
    breaches,
    broken_by,
    reasons,
    scenario,
)

SEEN = date(2026, 11, 29)
DAY = 86_400
"""Seconds."""
LIAR = {"client": "tlslite"}
UNEXPECTED_MESSAGE, BAD_RECORD_MAC, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, DECODE_ERROR = 10, 20, 40, 47, 50
PROTOCOL_VERSION, MISSING_EXTENSION = 70, 109
EARLY = {"max_early_data": 64}
ALLOWS = {"max_early_data": 1024}
RETRIES = {"groups": "P-256"}
"""The client's key share is of X25519, so that the server asks for another."""

MEASURED = "measured with Go 1.27.3, Node.js 20.20.2, GnuTLS 3.7.9, wolfSSL 5.5.4 and JSSE 17.0.15, 17.0.21 and 25.0.3"
OTHERS: dict[str, dict[str, tuple[Outcome, Alert | None]]] = {
    "node": {
        **dict.fromkeys(("ExtraPSKBinder", "ExtraIdentityNoBinder", "TrailingPSKData"), (RESUMED, None)),
    },
    "node@<24": {
        **dict.fromkeys(
            ("InvalidPSKBinder", "ReorderedPSKBinders", "SecondHelloKeepsBinder"), (ABORTED, Alert(47, Role.SERVER))
        ),
        "NoNullCompression": (ABORTED, Alert(50, Role.SERVER)),
    },
    "go": {
        **dict.fromkeys(("ShortPSKBinder", "LongPSKBinder"), (ABORTED, Alert(51, Role.SERVER))),
        **dict.fromkeys(
            ("ExtraIdentityFirstNoBinder", "ExtraPSKBinder", "ExtraIdentityNoBinder"), (ABORTED, Alert(47, Role.SERVER))
        ),
        "SecondHelloDropsModes": (ABORTED, Alert(47, Role.SERVER)),
        **dict.fromkeys(
            ("PSKNotLast", "DuplicatePSKExtension", "DuplicateTicketExtension"), (ABORTED, Alert(50, Role.SERVER))
        ),
        **dict.fromkeys(("NoPSKKeyExchangeModes", "EmptyPSKKeyExchangeModes", "UnofferedCipher"), (DECLINED, None)),
        "ExtendedMasterSecretYesToNo": (ABORTED, None),
        "SessionIDOf33Bytes": (ABORTED, Alert(10, Role.CLIENT)),
    },
    "gnutls": {
        **dict.fromkeys(
            (
                *("InvalidPSKBinder", "NoPSKBinder", "ShortPSKBinder", "LongPSKBinder", "ReorderedPSKBinders"),
                *("ExtraIdentityFirstNoBinder", "EmptyPSKIdentity", "SecondHelloKeepsBinder"),
            ),
            (ABORTED, Alert(47, Role.SERVER)),
        ),
        **dict.fromkeys(("ExtraPSKBinder", "ExtraIdentityNoBinder"), (RESUMED, None)),
        "TrailingPSKData": (ABORTED, Alert(47, Role.SERVER)),
        **dict.fromkeys(("NoPSKKeyExchangeModes", "DuplicateTicketExtension"), (ABORTED, Alert(110, Role.SERVER))),
        "PSKWithoutTLS13": (ABORTED, Alert(40, Role.SERVER)),
        **dict.fromkeys(("EmptyPSKKeyExchangeModes", "ExtendedMasterSecretYesToNo"), (DECLINED, None)),
        **dict.fromkeys(("SecondHelloEarlyData", "SecondHelloDropsModes", "NoNullCompression"), (RESUMED, None)),
        "UnofferedCipher": (ABORTED, Alert(47, Role.CLIENT)),
    },
    "wolfssl": {
        **dict.fromkeys(
            (
                *("InvalidPSKBinder", "NoPSKBinder", "ShortPSKBinder", "LongPSKBinder", "ReorderedPSKBinders"),
                *("ExtraIdentityFirstNoBinder", "SecondHelloKeepsBinder"),
                *("SessionIDOf33Bytes", "DuplicateTicketExtension"),
            ),
            (ABORTED, None),
        ),
        **dict.fromkeys(("ExtraPSKBinder", "ExtraIdentityNoBinder", "TrailingPSKData"), (ABORTED, None)),
        "EmptyPSKIdentity": (DECLINED, None),
        "NoPSKKeyExchangeModes": (ABORTED, Alert(50, Role.SERVER)),
        "EmptyPSKKeyExchangeModes": (ABORTED, Alert(47, Role.SERVER)),
        "OlderVersionThanSession": (ABORTED, Alert(40, Role.SERVER)),
        **dict.fromkeys(
            ("SecondHelloEarlyData", "SecondHelloDropsModes", "ResumptionAsRenegotiation"), (RESUMED, None)
        ),
    },
    "java": {
        **dict.fromkeys(
            (
                *("InvalidPSKBinder", "ShortPSKBinder", "LongPSKBinder", "ReorderedPSKBinders"),
                *("ExtraIdentityFirstNoBinder", "ExtraPSKBinder", "ExtraIdentityNoBinder"),
                *("NoPSKKeyExchangeModes", "SessionIDOf33Bytes"),
            ),
            (ABORTED, Alert(47, Role.SERVER)),
        ),
        "ResumptionAsRenegotiation": (ABORTED, Alert(10, Role.SERVER)),
        "UnofferedCipher": (DECLINED, None),
        **dict.fromkeys(("TrailingPSKData", "NoNullCompression"), (RESUMED, None)),
    },
    "java@<17.0.21": {"DuplicateTicketExtension": (RESUMED, None)},
    "java@>=18,<=25.0.3": {"DuplicateTicketExtension": (RESUMED, None)},
}
"""What other families do at a mutation, where it is not what is expected of all, by their builds."""


UNDISGUISED: Expectation[tuple[str, ...]] = Expectation(
    (),
    Differs(
        ("change_cipher_spec_in_compatibility_mode",),
        Role.SERVER,
        "wolfssl@<=5.5.4",
        date(2026, 11, 30),
        "Debian builds wolfSSL without WOLFSSL_TLS13_MIDDLEBOX_COMPAT",
        tls=TLSv1_3,
    ),
)
"""What a server breaks in each connection."""


def broken(builds, mutation):
    """A rule that other families break where the client breaks one."""
    return broken_by(Role.SERVER, builds, date(2026, 11, 30), MEASURED, client={"mutation": mutation})


IN_NO_MODE = {"psk_mode_was_offered": [broken(builds, "SecondHelloDropsModes") for builds in ("gnutls", "wolfssl")]}
BY_OTHERS = {
    "suite_was_offered": broken("gnutls", "UnofferedCipher"),
    "renegotiation_answered": broken("wolfssl", "ResumptionAsRenegotiation"),
}


NAMED = {
    **dict.fromkeys(("NoPSKBinder", "EmptyPSKIdentity", "EmptyPSKKeyExchangeModes", "TrailingPSKData"), "RFC 8446, 6"),
    "PSKNotLast": "RFC 8446, 4.2.11",
    "PSKWithoutTLS13": "RFC 8446, D.2",
    "OlderVersionThanSession": "RFC 5246, E.1",
}
"""Where the RFC names the alert of the server: any other answer is a fault."""
REFUSED = {
    **dict.fromkeys(
        (
            *("InvalidPSKBinder", "ShortPSKBinder", "LongPSKBinder", "ReorderedPSKBinders"),
            *("ExtraIdentityFirstNoBinder", "SecondHelloKeepsBinder"),
        ),
        "RFC 8446, 4.2.11",
    ),
    **dict.fromkeys(("NoPSKKeyExchangeModes", "SecondHelloDropsModes"), "RFC 8446, 4.2.9"),
    "ExtendedMasterSecretYesToNo": "RFC 7627, 5.3",
    "ResumptionAsRenegotiation": "RFC 5746, 3.6",
    "SessionIDOf33Bytes": "RFC 5246, 7.2.2",
    "NoNullCompression": "RFC 5246, 7.4.1.3",
}
"""Where it has the server abort, with any alert; a server that does not is at fault."""
UNOFFERED = {("gnutls", "UnofferedCipher"): "RFC 5246, 7.4.1.3"}
"""Where the client itself must refuse what the server answers."""


def answer(number):
    """The server's fatal alert."""
    return ABORTED, Alert(number, Role.SERVER)


def by(builds, value, evidence, **client):
    """What another library does, with what the RFC says of it."""
    return Differs(value, Role.SERVER, builds, date(2026, 11, 30), f"{evidence}; {MEASURED}", client=client)


def ruling(builds, mutation, found):
    """What the RFC says of an answer that is not what is expected of all."""
    if (builds, mutation) in UNOFFERED:
        return f"a fault: {UNOFFERED[builds, mutation]}"
    if mutation in NAMED:
        return f"a fault: {NAMED[mutation]} names the alert"
    if mutation in REFUSED and found[0] is not ABORTED:
        return f"a fault: {REFUSED[mutation]} has it abort"
    return "no RFC names the answer"


def expected(**answers):
    """What the RFC or OpenSSL answers to each mutation, an alert or what differs too, with what other libraries do."""
    made = {}
    for mutation, own in answers.items():
        number, *differs = own if isinstance(own, tuple) else (own,)
        others = [
            by(builds, found[mutation], ruling(builds, mutation, found[mutation]))
            for builds, found in OTHERS.items()
            if mutation in found
        ]
        made[mutation] = Expectation(answer(number), *differs, *others)
    return made


BINDER = (
    51,
    Differs(
        answer(ILLEGAL_PARAMETER),
        Role.SERVER,
        "*@<3.4",
        SEEN,
        "https://github.com/openssl/openssl/pull/25176: SSL_AD_DECRYPT_ERROR alert on PSK binder validation failure",
    ),
)
EXTENDED_MASTER_SECRET = (
    HANDSHAKE_FAILURE,
    Differs(
        answer(ILLEGAL_PARAMETER),
        Role.SERVER,
        "*@>=1.1.1,<3.0",
        SEEN,
        "ssl_get_prev_session of 1.1.1w: SSLfatal(s, SSL_AD_ILLEGAL_PARAMETER, ..., SSL_R_INCONSISTENT_EXTMS)",
    ),
)
COMPRESSION = (
    ILLEGAL_PARAMETER,
    Differs(
        answer(DECODE_ERROR),
        Role.SERVER,
        "*@<3.4",
        SEEN,
        "tls_early_post_process_client_hello: SSL_AD_DECODE_ERROR with SSL_R_NO_COMPRESSION_SPECIFIED; measured: "
        "1.1.1w and 3.0.20 send it, 3.5.9, 3.6.5 and 4.0.3 send illegal_parameter",
    ),
)


def unread(number, outcome):
    """The alert that another server answers to what OpenSSL does not read."""
    evidence = "tls_parse_ctos_psk reads the binder of the chosen identity, and nothing after it"
    return number, Differs((outcome, None), Role.SERVER, "*", SEEN, evidence)


OFFERS = expected(
    InvalidPSKBinder=BINDER,
    NoPSKBinder=DECODE_ERROR,
    ShortPSKBinder=DECODE_ERROR,
    LongPSKBinder=DECODE_ERROR,
    ReorderedPSKBinders=BINDER,
    ExtraIdentityFirstNoBinder=DECODE_ERROR,
    EmptyPSKIdentity=DECODE_ERROR,
    PSKNotLast=ILLEGAL_PARAMETER,
    DuplicatePSKExtension=ILLEGAL_PARAMETER,
    NoPSKKeyExchangeModes=MISSING_EXTENSION,
    EmptyPSKKeyExchangeModes=DECODE_ERROR,
    PSKWithoutTLS13=PROTOCOL_VERSION,
)
"""The outcome and the alert, by the client's mutation."""
SECOND_HELLOS = expected(
    SecondHelloKeepsBinder=BINDER,
    SecondHelloEarlyData=ILLEGAL_PARAMETER,
    SecondHelloDropsModes=MISSING_EXTENSION,
)
EARLY_DATA = expected(
    GarbageEarlyData=BAD_RECORD_MAC,
    TooMuchEarlyData=UNEXPECTED_MESSAGE,
    InterleavedEarlyData=UNEXPECTED_MESSAGE,
    NoEndOfEarlyData=BAD_RECORD_MAC,
    EarlyDataAfterItsEnd=BAD_RECORD_MAC,
)
OLDER_OFFERS = expected(
    UnofferedCipher=ILLEGAL_PARAMETER,
    ExtendedMasterSecretYesToNo=EXTENDED_MASTER_SECRET,
    SessionIDOf33Bytes=DECODE_ERROR,
    OlderVersionThanSession=PROTOCOL_VERSION,
    ResumptionAsRenegotiation=HANDSHAKE_FAILURE,
    DuplicateTicketExtension=ILLEGAL_PARAMETER,
    NoNullCompression=COMPRESSION,
)
ACCEPTED = ["UnknownPSKIdentityFirst", "UnknownPSKIdentityLast"]
OLD_TICKET: Expectation[tuple[Outcome, bool | None, tuple[Reason, ...]]] = Expectation(
    (RESUMED, False, ()),
    *(
        by(builds, (DECLINED, None, (Reason.DECLINED_UNKNOWN,)), "RFC 8446, 4.2.11.1 leaves it open")
        for builds in ("gnutls", "wolfssl")
    ),
)
"""What a server makes of a ticket of thirty days that allows no early data, and whether its cache has it."""
PARTLY_READ = expected(
    ExtraPSKBinder=unread(ILLEGAL_PARAMETER, RESUMED),
    ExtraIdentityNoBinder=unread(ILLEGAL_PARAMETER, RESUMED),
    TrailingPSKData=unread(DECODE_ERROR, RESUMED),
)
WITHOUT_IDENTITY = Expectation(
    (*answer(DECODE_ERROR), (Reason.ALERT,)),
    *(
        by(builds, (DECLINED, None, (Reason.DECLINED_UNKNOWN,)), "a fault: RFC 8446, 6 names the alert")
        for builds in ("*", "node", "gnutls")
    ),
    by("wolfssl", (ABORTED, None, (Reason.ABORTED_UNKNOWN,)), "a fault: RFC 8446, 6 names the alert"),
)
AGAINST_THE_RFC = {
    "ExtraPSKBinder": ("binder_per_identity",),
    "ExtraIdentityNoBinder": ("binder_per_identity",),
    "TrailingPSKData": ("nothing_after_binders",),
}
UNKNOWN_MODE = Expectation(
    (DECLINED, None, (Reason.NO_PSK_MODE,)),
    by("wolfssl", (*answer(ILLEGAL_PARAMETER), (Reason.ALERT,)), "a fault: RFC 8446, 9.3 has it ignore the mode"),
)
DAMAGED = Expectation(
    (DECLINED, (Reason.TICKET_DAMAGED,)),
    by("wolfssl", (RESUMED, ()), "a fault: RFC 5077, 4; nothing covers the last bytes", mutation="DamagedTicket"),
)
SECOND_HELLO = Expectation(
    (DECLINED, None, (Reason.RETRY_CHANGED_OFFER,)),
    by(
        "gnutls",
        (ABORTED, Alert(UNEXPECTED_MESSAGE, Role.CLIENT), (Reason.ALERT,)),
        "a fault: RFC 8446, 4.4.2 wants a certificate without a PSK",
    ),
    by("wolfssl", (*answer(ILLEGAL_PARAMETER), (Reason.ALERT,)), "no RFC names it", mutation="SecondHelloDropsPSK"),
)
"""What a server makes of a second hello without the PSK of the first."""
BROKEN_BY_SECOND_HELLO = Expectation(
    ("second_hello_psks",),
    by(
        "wolfssl",
        ("second_hello_psks", *UNDISGUISED.differs[0].value),
        UNDISGUISED.differs[0].evidence,
        mutation="SecondHelloChangesPSK",
    ),
)


def age_sent(first, second):
    """How old the client says that its ticket is, in milliseconds."""
    hello = second.messages.client_hello
    add = next(ticket.age_add for ticket in first.messages.tickets if ticket.ticket == hello.psk_identities[0])
    return (hello.psk_ages[0] - add) % 2**32


def resumed_by_liar(pair):
    """The connection in which the client offers a session in its own way."""
    first = pair.connect()
    assert first.outcome is FULL
    return pair.connect(offer=first.session)


@scenario(versions=[TLSv1_3], played_by=LIAR, client={"mutation": [*OFFERS]})
def test_server_refuses_the_offer(pair):
    second = resumed_by_liar(pair)

    assert (second.outcome, second.alert) == OFFERS[pair.client_config.mutation].of(pair)


@scenario(
    versions=[TLSv1_3],
    played_by=LIAR,
    client={"mutation": [*SECOND_HELLOS]},
    server=RETRIES,
    breaks=IN_NO_MODE,
)
def test_server_refuses_the_second_hello(pair):
    second = resumed_by_liar(pair)

    assert "HelloRetryRequest" in second.messages.types()
    assert (second.outcome, second.alert) == SECOND_HELLOS[pair.client_config.mutation].of(pair)


@scenario(versions=[TLSv1_3], played_by=LIAR, client={"mutation": [*EARLY_DATA], **EARLY}, server=ALLOWS)
def test_server_refuses_the_early_data(pair):
    second = resumed_by_liar(pair)

    assert second.messages.client_hello.early_data is True
    assert (second.outcome, second.alert) == EARLY_DATA[pair.client_config.mutation].of(pair)


@scenario(versions=[TLSv1_2], played_by=LIAR, client={"mutation": [*OLDER_OFFERS]}, breaks=BY_OTHERS)
def test_server_refuses_the_offer_of_a_tls12_session(pair):
    second = resumed_by_liar(pair)

    assert (second.outcome, second.alert) == OLDER_OFFERS[pair.client_config.mutation].of(pair)


@scenario(versions=[TLSv1_3], played_by=LIAR, client={"mutation": ACCEPTED})
def test_server_ignores_what_it_may_ignore(pair):
    second = resumed_by_liar(pair)

    assert len(second.messages.client_hello.psk_identities) == 2
    assert second.outcome is RESUMED
    assert second.from_cache is False


@scenario(versions=[TLSv1_3], played_by=LIAR, client={"mutation": "WrongTicketAge"})
def test_server_may_ignore_the_age_of_a_ticket_without_early_data(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert age_sent(first, second) >= 30 * DAY * 1000
    assert (second.outcome, second.from_cache, reasons(pair, second)) == OLD_TICKET.of(pair)


@scenario(versions=[TLSv1_3], played_by=LIAR, client={"mutation": [*PARTLY_READ]})
def test_server_may_not_read_all_of_the_offer(pair):
    second = resumed_by_liar(pair)

    assert (second.outcome, second.alert) == PARTLY_READ[pair.client_config.mutation].of(pair)
    assert breaches(pair, second) == AGAINST_THE_RFC[pair.client_config.mutation]


@scenario(versions=[TLSv1_3], played_by=LIAR, client={"mutation": "UnknownPSKKeyExchangeMode"})
def test_server_makes_a_full_handshake_where_it_knows_no_mode(pair):
    second = resumed_by_liar(pair)

    assert (second.outcome, second.alert, reasons(pair, second)) == UNKNOWN_MODE.of(pair)


@scenario(versions=[TLSv1_3], played_by=LIAR, client={"mutation": "NoPSKIdentity"})
def test_server_may_make_a_full_handshake_of_an_offer_without_identity(pair):
    second = resumed_by_liar(pair)

    assert (second.outcome, second.alert, reasons(pair, second)) == WITHOUT_IDENTITY.of(pair)


@scenario(
    versions=[TLSv1_3],
    played_by=LIAR,
    client={"mutation": ["SecondHelloDropsPSK", "SecondHelloChangesPSK"]},
    server=RETRIES,
)
def test_server_goes_by_the_second_hello(pair):
    second = resumed_by_liar(pair)

    assert (second.outcome, second.alert, reasons(pair, second)) == SECOND_HELLO.of(pair)
    assert breaches(pair, second) == BROKEN_BY_SECOND_HELLO.of(pair)


@scenario(versions=[TLSv1_3], played_by=LIAR, client={"mutation": "SecondHelloAddsPSKIdentity"}, server=RETRIES)
def test_server_resumes_by_the_psk_that_both_hellos_offer(pair):
    second = resumed_by_liar(pair)

    assert second.outcome is RESUMED
    assert second.messages.server_hello.selected_psk == 1
    assert breaches(pair, second) == ("second_hello_psks", *UNDISGUISED.of(pair))


@scenario(versions=[TLSv1_3], played_by=LIAR, client={"mutation": "EarlyDataWithoutPSK"}, server=ALLOWS)
def test_server_rejects_early_data_without_a_psk(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.messages.tickets[-1].max_early_data > 0
    assert first.client.early_data == "rejected"
    assert breaches(pair, first) == ("early_data_with_psk",)


@scenario(versions=[TLSv1_2], played_by=LIAR, client={"mutation": ["DamagedTicket", "TruncatedTicket"]})
def test_server_ignores_a_ticket_that_it_cannot_read(pair):
    second = resumed_by_liar(pair)

    assert (second.outcome, reasons(pair, second)) == DAMAGED.of(pair)
    assert second.mechanism in {None, Mechanism.SESSION_TICKET}
    assert second.messages.client_hello.session_ticket


@scenario(played_by=LIAR)
def test_the_same_client_resumes_if_it_breaks_no_rule(pair):
    second = resumed_by_liar(pair)

    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert breaches(pair, second) == UNDISGUISED.of(pair)


@scenario(versions=[TLSv1_3], played_by=LIAR, client=EARLY, server=ALLOWS)
def test_the_same_client_sends_early_data_if_it_breaks_no_rule(pair):
    second = resumed_by_liar(pair)

    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert second.server.early_data == "accepted"
    assert breaches(pair, second) == UNDISGUISED.of(pair)


@scenario(versions=[TLSv1_3], played_by=LIAR, server=RETRIES)
def test_the_same_client_resumes_after_a_retry_if_it_breaks_no_rule(pair):
    second = resumed_by_liar(pair)

    assert "HelloRetryRequest" in second.messages.types()
    assert second.outcome is RESUMED
    assert breaches(pair, second) == UNDISGUISED.of(pair)
