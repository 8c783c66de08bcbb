"""A handshake that offers a session is aborted because a condition of the session does not hold: exactly that reason.

RFC 7627, 5.3; RFC 6066, 4; RFC 8446, 4.2.11.2; RFC 5246, 7.4.1.2; SSL_CTX_set_session_id_context(3). OpenSSL's
ssl_get_prev_session, tls_psk_do_binder, tls_parse_ctos_maxfragmentlen, tls_early_post_process_client_hello.
"""

from datetime import date

from harness import (
    ABORTED,
    BOTH,
    DECLINED,
    FULL,
    RESUMED,
    UNSET,
    Alert,
    Capability,
    Differs,
    DTLSv1_2,
    Expectation,
    Outcome,
    Reason,
    Role,
    StrictMiddlebox,
    TLSv1_2,
    TLSv1_3,
    Verify,
    broken_by,
    edited,
    openssl_chooses,
    reasons,
    scenario,
    with_other_secret,
    without_alert,
)

EITHER = (TLSv1_2, TLSv1_3)
IMPORTS = {"client": [Capability.SESSION_IMPORT]}
EDITS = {"client": [Capability.SESSION_DATA, Capability.SESSION_IMPORT]}
EMS = {"extended_master_secret": True}
"""An end that can do it: OpenSSL since 1.1.0."""
AES128, AES256 = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"
BAD_RECORD_MAC, RECORD_OVERFLOW, ILLEGAL_PARAMETER, PROTOCOL_VERSION, INTERNAL_ERROR = 20, 22, 47, 70, 80
X25519 = 29
MAX_FRAGMENT_LENGTH, LENGTH_OF_1024 = 1, 2
"""The extension's number, and what it says of 1024 bytes (RFC 6066, 4)."""

SEEN = date(2026, 11, 29)
TODAY = date(2026, 12, 1)
WITHOUT_ALERT = without_alert(SEEN, "ssl_get_prev_session")
ALERT_OF_CONTEXT: Expectation[Alert | None] = Expectation(Alert(80, Role.SERVER), *WITHOUT_ALERT)
"""internal_error."""
WITHOUT_A_WORD = (
    "Go 1.27.3 (checkForResumption) closes without an alert, which OpenSSL's client answers with decode_error"
)
FULL_INSTEAD = (
    "a server of GnuTLS 3.7.9 makes a full handshake (_gnutls_check_resumed_params), where RFC 7627, 5.3 aborts"
)
ALERT_OF_EMS: Expectation[Alert | None] = Expectation(
    Alert(40, Role.SERVER),
    *(
        Differs(
            Alert(ILLEGAL_PARAMETER, Role.SERVER),
            Role.SERVER,
            builds,
            date(2026, 11, 30),
            "ssl_get_prev_session, until https://github.com/openssl/openssl/pull/29706; "
            "measured: 1.1.0l, 3.0.20, 3.5.5 and 3.6.5 send handshake_failure, 3.0.18, 3.4.1 and 3.5.4 do not",
        )
        for builds in ("*@>=1.1.1,<3.0.19", "*@>=3.1,<3.4.2", "*@>=3.5,<3.5.5")
    ),
    Differs(
        Alert(50, Role.CLIENT),
        Role.SERVER,
        "go",
        date(2026, 11, 30),
        WITHOUT_A_WORD,
        peer="*@>=3.0",
    ),
    Differs(None, Role.SERVER, "gnutls", date(2026, 11, 30), FULL_INSTEAD),
)
DROPPED = Expectation(
    (ABORTED, (Reason.EXTENDED_MASTER_SECRET_DROPPED,)),
    Differs((DECLINED, (Reason.DECLINED_UNKNOWN,)), Role.SERVER, "gnutls", date(2026, 11, 30), FULL_INSTEAD),
    Differs((ABORTED, (Reason.PEER_WENT_AWAY,)), Role.SERVER, "go", date(2026, 11, 30), WITHOUT_A_WORD),
)
ALERT_OF_BINDER = Expectation(
    Alert(51, Role.SERVER),
    Differs(
        Alert(ILLEGAL_PARAMETER, Role.SERVER),
        Role.SERVER,
        "*@<3.4",
        SEEN,
        "https://github.com/openssl/openssl/pull/25176: SSL_AD_DECRYPT_ERROR alert on PSK binder validation failure",
    ),
)


@scenario(server={"session_id_context": UNSET, "verify": Verify.OPTIONAL})
def test_session_id_context_is_unset_and_the_server_verifies(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert == ALERT_OF_CONTEXT.of(pair)
    assert reasons(pair, second) == (Reason.SESSION_ID_CONTEXT_UNSET,)


@scenario(server={"session_id_context": b"set", "verify": Verify.OPTIONAL, "ticket_keys": "shared"})
def test_session_resumes_at_a_server_that_verifies_and_has_a_context(pair):
    first = pair.connect()
    pair.new_server(session_id_context=b"other")
    second = pair.connect(offer=first.session)
    pair.new_server(session_id_context=b"set")
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert "CertificateRequest" in first.messages.types()
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.SESSION_ID_CONTEXT_DIFFERS,)
    assert third.outcome is RESUMED
    assert third.from_cache is False


@scenario(server={"session_id_context": UNSET, "ticket_keys": "shared"})
def test_session_resumes_without_a_context_and_without_verifying(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.new_server(verify=Verify.OPTIONAL)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert third.outcome is ABORTED
    assert third.alert == ALERT_OF_CONTEXT.of(pair)


@scenario(
    versions=[TLSv1_2],
    client=EMS,
    server={"tickets": BOTH, **EMS},
    needs=IMPORTS,
    breaks={
        "extended_master_secret_offered_again": broken_by(
            Role.CLIENT, "*@>=3.0", date(2026, 11, 30), f"the knob drops it, and {FULL_INSTEAD}", peer="gnutls"
        )
    },
)
def test_extended_master_secret_is_dropped_by_the_client(pair):
    first = pair.connect()
    pair.new_client(extended_master_secret=False)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert (second.outcome, reasons(pair, second)) == DROPPED.of(pair)
    assert second.alert == ALERT_OF_EMS.of(pair)


@scenario(versions=[TLSv1_2], client=EMS, server={**EMS, "ticket_keys": "shared"})
def test_extended_master_secret_is_dropped_by_the_server(pair):
    first = pair.connect()
    pair.new_server(extended_master_secret=False)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert == ALERT_OF_EMS.of(pair)
    assert reasons(pair, second) == (Reason.EXTENDED_MASTER_SECRET_DROPPED,)


@scenario(versions=[TLSv1_2], client={"extended_master_secret": True}, server={"tickets": BOTH}, needs=IMPORTS)
def test_extended_master_secret_session_resumes_in_another_client_with_it(pair):
    first = pair.connect()
    pair.new_client()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.setup.client_context != first.setup.client_context
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets


LENGTH_IGNORED = (
    "CHANGES, 1.1.1: Add support for RFC6066 Maximum Fragment Length extension; a server before does not know it"
)
OTHER_LENGTH = Expectation(ABORTED, Differs(RESUMED, Role.SERVER, "*@<1.1.1", date(2026, 11, 21), LENGTH_IGNORED))
BY_SERVER = (
    "tls_parse_ctos_maxfragmentlen (s->hit) aborts; since https://github.com/openssl/openssl/pull/24513 the server "
    "resumes with the session's length, which its client refuses"
)
WHILE_COMPARED = ("*@>=1.1.1,<3.0.15", "*@>=3.1,<3.1.7", "*@>=3.2,<3.2.3", "*@>=3.3,<3.3.2")
"""The builds whose server compares the length itself."""
ALERT_OF_OTHER_LENGTH: Expectation[Alert | None] = Expectation(
    Alert(ILLEGAL_PARAMETER, Role.CLIENT),
    *(
        Differs(Alert(ILLEGAL_PARAMETER, Role.SERVER), Role.SERVER, builds, SEEN, BY_SERVER)
        for builds in WHILE_COMPARED
    ),
    Differs(None, Role.SERVER, "*@<1.1.1", SEEN, LENGTH_IGNORED),
)
SENDING = ("*@>=1.1.1o,<3.0.15", *WHILE_COMPARED[1:])
"""Those of them that can send missing_extension before TLS 1.3, as handshake_failure."""
MAPPED = "tls1_alert_code sends missing_extension as handshake_failure before TLS 1.3 since 1.1.1o"
ALERT_OF_NO_LENGTH: Expectation[Alert | None] = Expectation(
    Alert(110, Role.CLIENT),
    *without_alert(SEEN, "final_maxfragmentlen", "*@>=1.1.1,<1.1.1o", why=MAPPED, tls=TLSv1_2),
    *(Differs(Alert(40, Role.SERVER), Role.SERVER, builds, SEEN, BY_SERVER, TLSv1_2) for builds in SENDING),
    *(Differs(Alert(109, Role.SERVER), Role.SERVER, builds, SEEN, BY_SERVER, TLSv1_3) for builds in WHILE_COMPARED),
    Differs(None, Role.SERVER, "*@<1.1.1", SEEN, LENGTH_IGNORED),
)
"""unsupported_extension; where the server compares, handshake_failure and, in TLS 1.3, missing_extension."""
WHY_OTHER_LENGTH: Expectation[tuple[Reason, ...]] = Expectation(
    (Reason.MAX_FRAGMENT_LENGTH_CHANGED,),
    Differs((), Role.SERVER, "*@<1.1.1", date(2026, 11, 21), LENGTH_IGNORED),
)


OF_OFFERED = (
    "ssl_set_new_record_layer (ssl/record/rec_layer_s3.c) takes the maximum fragment length of s->session, the offered "
    "one, for all records before there are keys; before 3.2 ssl3_get_record asked the session of the handshake"
)
IN_ONE_RECORD = (
    "before 3.2 ssl3_get_record asks s->session, the offered one until the ServerHello is read; JSSE has its flight in "
    "one record, which is longer; measured with 1.1.1w, 3.0.20 and Java 17.0.15"
)
KNOW_LENGTHS = ("*@>=1.1.1", "node", "gnutls", "wolfssl", "java:*")
"""The servers whose sessions have a maximum fragment length: crypto/tls of Go knows none."""


def limited(value, otherwise):
    """Expect a value of a client since 3.2, and of an older one at a server of JSSE."""
    differs = (
        Differs(value, Role.CLIENT, "*@>=3.2", date(2026, 11, 30), OF_OFFERED, peer=server) for server in KNOW_LENGTHS
    )
    java = Differs(value, Role.CLIENT, "*@>=1.1.1,<3.2", date(2026, 11, 30), IN_ONE_RECORD, peer="java:*")
    return Expectation(otherwise, *differs, java)


LIMITED = limited(ABORTED, DECLINED)
ALERT_OF_LIMITED = limited(Alert(RECORD_OVERFLOW, Role.CLIENT), None)
WHY_LIMITED = limited((Reason.MAX_FRAGMENT_LENGTH_CHANGED,), (Reason.TICKET_KEY_UNKNOWN,))


NOT_COMPARED = (
    "tls_parse_ctos_maxfragmentlen keeps the session's length, and tls_construct_stoc_maxfragmentlen answers it, since "
    "https://github.com/openssl/openssl/pull/24513"
)
SINCE_NOT_COMPARED = ("*@>=3.0.15,<3.1", "*@>=3.1.7,<3.2", "*@>=3.2.3,<3.3", "*@>=3.3.2")
NOT_ANSWERED = "GnuTLS 3.7.9 sends no max_fragment_length in a resumption of TLS 1.2 (seen)"
ANSWERS_OLD_LENGTH = [broken_by(Role.SERVER, builds, date(2026, 11, 29), NOT_COMPARED) for builds in SINCE_NOT_COMPARED]


@scenario(
    client={"max_fragment_length": 1024},
    server={"tickets": BOTH},
    needs=IMPORTS,
    breaks={"fragment_length_as_asked": ANSWERS_OLD_LENGTH},
)
@openssl_chooses(Role.SERVER, "it compares the maximum fragment length with the session's")
def test_maximum_fragment_length_differs(pair):
    first = pair.connect()
    pair.new_client(max_fragment_length=512)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is OTHER_LENGTH.of(pair)
    assert second.alert == ALERT_OF_OTHER_LENGTH.of(pair)
    assert second.from_cache in {None, not pair.server_config.tickets}
    assert reasons(pair, second) == WHY_OTHER_LENGTH.of(pair)


@scenario(
    client={"max_fragment_length": 1024},
    server={"tickets": BOTH},
    needs=IMPORTS,
    breaks={"nothing_unasked": ANSWERS_OLD_LENGTH},
)
@openssl_chooses(Role.SERVER, "it compares the maximum fragment length with the session's")
def test_maximum_fragment_length_is_no_longer_requested(pair):
    first = pair.connect()
    pair.new_client(max_fragment_length=None)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is OTHER_LENGTH.of(pair)
    assert second.alert == ALERT_OF_NO_LENGTH.of(pair)
    assert second.from_cache in {None, not pair.server_config.tickets}
    assert reasons(pair, second) == WHY_OTHER_LENGTH.of(pair)


@scenario(
    client={"max_fragment_length": 1024},
    server={"tickets": BOTH},
    needs=IMPORTS,
    breaks={"fragment_length_kept": broken_by(Role.SERVER, "gnutls", date(2026, 11, 30), NOT_ANSWERED, tls=TLSv1_2)},
)
def test_session_resumes_with_the_same_maximum_fragment_length(pair):
    first = pair.connect()
    pair.new_client()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.setup.client_context != first.setup.client_context
    assert second.messages.client_hello.extensions[MAX_FRAGMENT_LENGTH] == bytes([LENGTH_OF_1024])
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets


@scenario(versions=[TLSv1_2], client={"max_fragment_length": 512}, needs=IMPORTS)
def test_client_keeps_to_the_fragment_length_of_a_declined_session(pair):
    first = pair.connect()
    pair.new_client(max_fragment_length=None)
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert MAX_FRAGMENT_LENGTH not in second.messages.client_hello.extensions
    assert second.outcome is LIMITED.of(pair)
    assert second.alert == ALERT_OF_LIMITED.of(pair)
    assert reasons(pair, second) == WHY_LIMITED.of(pair)


AFTER_DECLINED: Expectation[tuple[Outcome, Alert | None, tuple[Reason, ...]]] = Expectation(
    (DECLINED, None, (Reason.TICKET_KEY_UNKNOWN,)),
    Differs(
        (ABORTED, Alert(RECORD_OVERFLOW, Role.CLIENT), (Reason.MAX_FRAGMENT_LENGTH_CHANGED,)),
        Role.CLIENT,
        "*@>=3.2",
        TODAY,
        OF_OFFERED,
    ),
)
LONG_RECORDS_ARE_LOST = (
    f"{OF_OFFERED}; dtls_get_more_records drops what is more than 320 bytes longer, as if it were lost, until the "
    "server sends its flight in smaller records (dtls1_check_timeout_num), which dtls_process_record refuses"
)
TOO_LONG_FOR_ITSELF = (
    "https://github.com/openssl/openssl/pull/18093, in 1.1.1o: before, dtls1_do_write makes fragments of a message "
    "that do_dtls1_write refuses (exceeds max fragment size); measured with 1.1.1n and 1.1.1o"
)
WITH_LENGTH = Expectation(FULL, Differs(ABORTED, Role.SERVER, "*@>=1.1.1,<1.1.1o", TODAY, TOO_LONG_FOR_ITSELF))
"""The outcome of a handshake of DTLS with a maximum fragment length."""
ALERT_WITH_LENGTH: Expectation[Alert | None] = Expectation(
    None, Differs(Alert(INTERNAL_ERROR, Role.SERVER), Role.SERVER, "*@>=1.1.1,<1.1.1o", TODAY, TOO_LONG_FOR_ITSELF)
)
SENT_AGAIN = Expectation(0, Differs(1, Role.CLIENT, "*@>=3.2", TODAY, LONG_RECORDS_ARE_LOST))
"""How often, at least, the client sends its ClientHello again."""
OF_512 = 1
"""What a session says of 512 bytes (RFC 6066, 4)."""
WITH_TIMERS = {"retransmit_after": 20}
"""An end without them may have a smaller MTU, as s_server of 1.1.1w: then no record is too long."""


@scenario(versions=[DTLSv1_2], client={"max_fragment_length": 512})
def test_dtls_handshake_has_a_maximum_fragment_length(pair):
    first = pair.connect(presume_full=False)

    assert first.messages.client_hello.extensions[MAX_FRAGMENT_LENGTH] == bytes([OF_512])
    assert first.outcome is WITH_LENGTH.of(pair)
    assert first.alert == ALERT_WITH_LENGTH.of(pair)


@scenario(versions=[DTLSv1_2], client=WITH_TIMERS, server=WITH_TIMERS, needs=EDITS)
def test_dtls_client_keeps_to_the_fragment_length_of_a_declined_session(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=edited(first.session, max_fragment_length_mode=OF_512))

    assert first.outcome is FULL
    assert MAX_FRAGMENT_LENGTH not in second.messages.client_hello.extensions
    assert (second.outcome, second.alert, reasons(pair, second)) == AFTER_DECLINED.of(pair)


@scenario(
    versions=[DTLSv1_2],
    client=WITH_TIMERS,
    server=WITH_TIMERS | {"server_certificate": "large-client"},
    needs=EDITS,
)
def test_dtls_client_waits_for_records_that_are_much_longer(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=edited(first.session, max_fragment_length_mode=OF_512))

    assert first.outcome is FULL
    assert MAX_FRAGMENT_LENGTH not in second.messages.client_hello.extensions
    assert (second.outcome, second.alert, reasons(pair, second)) == AFTER_DECLINED.of(pair)
    assert second.messages.types(Role.CLIENT).count("retransmitted ClientHello") >= SENT_AGAIN.of(pair)


@scenario(
    versions=[TLSv1_3],
    client={"max_fragment_length": 512, "groups": "X25519"},
    needs=IMPORTS,
)
def test_declined_session_limits_no_record_that_has_keys(pair):
    first = pair.connect()
    pair.new_client(max_fragment_length=None)
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert MAX_FRAGMENT_LENGTH in first.messages.client_hello.extensions
    assert MAX_FRAGMENT_LENGTH not in second.messages.client_hello.extensions
    assert second.messages.client_hello.key_share_groups == (X25519,)
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_KEY_UNKNOWN,)


@scenario(versions=[TLSv1_3], server={"tickets": BOTH}, needs=EDITS)
@openssl_chooses(Role.SERVER, "its error code says why")
def test_binder_is_made_with_another_secret_than_the_tickets(pair):
    first = pair.connect()
    second = pair.connect(offer=with_other_secret(first.session))

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert == ALERT_OF_BINDER.of(pair)
    assert reasons(pair, second) == (Reason.BINDER_WRONG,)


@scenario(versions=[TLSv1_2], server={"tickets": BOTH}, needs=EDITS)
def test_tls12_session_with_another_secret_ends_in_a_record_layer_alert(pair):
    first = pair.connect()
    second = pair.connect(offer=with_other_secret(first.session))

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert.number == BAD_RECORD_MAC
    assert second.alert.sender is Role.CLIENT
    assert reasons(pair, second) == (Reason.SECRET_DIFFERS,)


PROVIDER_FAILED = "lib=57 reason=102 "
"""PROV_R_BAD_DECRYPT of a cipher that finds another tag."""
PROVIDER_SAYS_SO = Expectation(
    1,
    Differs(
        0,
        Role.CLIENT,
        "*@<3.0",
        TODAY,
        "ciphers are in providers since 3.0, which report PROV_R_BAD_DECRYPT (57:102) before the error of the record",
    ),
)


@scenario(versions=[TLSv1_2], played_by={Role.CLIENT: "libssl", Role.SERVER: "libssl"}, needs=EDITS)
def test_client_reports_that_its_cipher_failed(pair):
    first = pair.connect()
    second = pair.connect(offer=with_other_secret(first.session))

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert == Alert(BAD_RECORD_MAC, Role.CLIENT)
    assert sum(PROVIDER_FAILED in error for error in second.client.errors) == PROVIDER_SAYS_SO.of(pair)


@scenario(needs=EDITS)
def test_session_with_its_own_secret_restored_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=with_other_secret(with_other_secret(first.session)))

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False


@scenario(versions=[TLSv1_2], client={"ciphers": AES128}, server={"tickets": BOTH}, needs=IMPORTS)
@openssl_chooses(Role.SERVER, "it aborts where another server makes a full handshake")
def test_cipher_of_the_session_is_not_offered(pair):
    first = pair.connect()
    pair.new_client(ciphers=AES256)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert.number == ILLEGAL_PARAMETER
    assert second.alert.sender is Role.SERVER
    assert reasons(pair, second) == (Reason.SESSION_REJECTED,)


@scenario(versions=[TLSv1_2], client={"ciphers": AES128}, server={"tickets": BOTH}, needs=IMPORTS)
def test_session_resumes_where_its_cipher_is_offered_last(pair):
    first = pair.connect()
    pair.new_client(ciphers=f"{AES256}:{AES128}")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.messages.client_hello.cipher_suites[0] != first.messages.server_hello.cipher_suite
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets


@scenario()
@openssl_chooses(Role.SERVER, "its error code says why")
def test_endpoints_have_no_common_version(pair):
    first = pair.connect()
    pair.new_server(versions=tuple({*EITHER} - {pair.tls}))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert.number == PROTOCOL_VERSION
    assert reasons(pair, second) == (Reason.NO_COMMON_VERSION,)


@scenario(versions=[TLSv1_3], client={"middlebox_compat": False})
def test_middlebox_blocks_it_and_no_endpoint_sends_an_alert(pair):
    first = pair.connect()
    pair.put_middlebox(StrictMiddlebox)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert is None
    assert reasons(pair, second) == (Reason.BLOCKED,)
