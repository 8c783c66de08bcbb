"""TLS 1.0 and 1.1 resume as TLS 1.2 does, and a session stays with its protocol version.

RFC 4346, 7.3 and 7.4.1.3; RFC 5077, 3.4; SSL_set_session(3). OpenSSL 3.1 and later speak them at security level 0 alone
(SSL_CTX_set_security_level(3)), which is the default of an end that enables one of them. A server that knows a later
version marks its random (RFC 8446, 4.1.3), so that a client notices a downgrade.
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
    Mechanism,
    Outcome,
    Reason,
    Role,
    TLSv1,
    TLSv1_1,
    TLSv1_2,
    TLSv1_3,
    TLSVersion,
    reasons,
    scenario,
)

SEEN = date(2026, 11, 30)
EITHER = (TLSv1_1, TLSv1_2)
TRAVELS = {"client": [Capability.SESSION_IMPORT]}
MARK = b"DOWNGRD\0"
BAD_RECORD_MAC, ILLEGAL_PARAMETER, DECRYPT_ERROR, PROTOCOL_VERSION, INTERNAL_ERROR = 20, 47, 51, 70, 80

NO_MARK = "CHANGES, 1.1.1: the downgrade protection of TLS 1.3 came with it (ssl_fill_hello_random)"
NO_EMS = "1.0.2 has no extended master secret, so that both ends have the same keys and their Finished differ"
BANNED = (
    "https://github.com/openssl/openssl/pull/18236: ban SSL3, TLS1, TLS1.1 and DTLS1.0 at security level one and above"
)
NO_SHA1 = "CHANGES, 3.0: signatures with SHA-1 and MD5 are not allowed at security level 1 (tls12_check_peer_sigalg)"
BY_METHOD = "SSL_set_session of 1.0.2 (ssl/ssl_sess.c) goes over to the method of the session's version, enabled or not"
OUTCOME_IN_TLS12: Expectation[tuple[Outcome, TLSVersion]] = Expectation(
    (DECLINED, TLSv1_2), Differs((RESUMED, TLSv1_1), Role.CLIENT, "*@<1.1.0", SEEN, BY_METHOD)
)
OUTCOME_IN_TLS11: Expectation[tuple[Outcome, TLSVersion]] = Expectation(
    (DECLINED, TLSv1_1), Differs((ABORTED, TLSv1_1), Role.CLIENT, "*@<1.1.0", SEEN, BY_METHOD)
)
OUTCOME_IF_DISABLED: Expectation[tuple[Outcome, TLSVersion]] = Expectation(
    (FULL, TLSv1_1), Differs((RESUMED, TLSv1_2), Role.CLIENT, "*@<1.1.0", SEEN, BY_METHOD)
)
MARKS = Expectation(True, Differs(False, Role.SERVER, "*@<1.1.1", SEEN, NO_MARK))  # noqa: FBT003 - the value
BY_THE_MARK = Expectation(
    Alert(ILLEGAL_PARAMETER, Role.CLIENT),
    Differs(Alert(BAD_RECORD_MAC, Role.SERVER), Role.SERVER, "*@>=1.1.0,<1.1.1", SEEN, NO_MARK),
    Differs(Alert(DECRYPT_ERROR, Role.SERVER), Role.SERVER, "*@<1.1.0", SEEN, f"{NO_MARK}; {NO_EMS}"),
)
BY_THE_TRANSCRIPT = Expectation(
    Alert(BAD_RECORD_MAC, Role.SERVER),
    Differs(Alert(DECRYPT_ERROR, Role.SERVER), Role.SERVER, "*@<1.1.0", SEEN, NO_EMS),
)
AT_LEVEL_1: Expectation[tuple[Outcome, Alert | None]] = Expectation(
    (ABORTED, Alert(PROTOCOL_VERSION, Role.CLIENT)),
    Differs((FULL, None), Role.CLIENT, "*@<3.0", SEEN, BANNED),
    Differs((ABORTED, Alert(INTERNAL_ERROR, Role.CLIENT)), Role.CLIENT, "*@>=3.0,<3.1", SEEN, f"{NO_SHA1}; {BANNED}"),
)
NO_TICKET_AFTER_A_VERSION = (
    "ssl_get_prev_session compares the version since 1.1.1, and then expects a ticket; 1.1.0 compares it in "
    "tls_process_client_hello (ssl/statem/statem_srvr.c), where the ticket that it read is fresh. 1.0.2 resumes"
)
TICKETS_AFTER_A_VERSION = Expectation(1, Differs(0, Role.SERVER, "*@<1.1.1", SEEN, NO_TICKET_AFTER_A_VERSION))


@scenario(versions=[TLSv1, TLSv1_1], server={"tickets": BOTH}, same_stack=True)
def test_session_resumes_by_id_and_by_ticket(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    tickets = pair.server_config.tickets
    assert second.mechanism is (Mechanism.SESSION_TICKET if tickets else Mechanism.SESSION_ID)
    assert second.messages.client_hello.supported_versions == ()
    assert second.messages.server_hello.version is pair.tls


@scenario(versions=[TLSv1_1], server={"tickets": False})
def test_session_id_resumes_between_any_two_stacks(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.SESSION_ID
    assert second.messages.server_hello.version is TLSv1_1


@scenario(versions=[TLSv1_1], server={"versions": EITHER}, needs=TRAVELS, same_stack=True)
def test_session_of_tls11_is_declined_where_tls12_is_spoken(pair):
    first = pair.connect()
    pair.new_client(versions=EITHER)
    second = pair.connect(offer=first.session)
    pair.new_client(versions=(TLSv1_1,))
    third = pair.connect(offer=first.session)

    assert first.messages.server_hello.version is TLSv1_1
    assert (second.outcome, second.messages.server_hello.version) == OUTCOME_IN_TLS12.of(pair)
    assert reasons(pair, second) == ((Reason.VERSION_DIFFERS,) if second.outcome is DECLINED else ())
    assert second.tickets == TICKETS_AFTER_A_VERSION.of(pair)
    assert second.mechanism is (Mechanism.SESSION_TICKET if second.outcome is RESUMED else None)
    assert third.mechanism is Mechanism.SESSION_TICKET


@scenario(versions=[TLSv1_2], client={"versions": EITHER}, same_stack=True)
def test_session_of_tls12_is_declined_where_tls11_is_spoken(pair):
    first = pair.connect()
    pair.new_server(versions=(TLSv1_1,))
    second = pair.connect(offer=first.session)

    assert first.messages.server_hello.version is TLSv1_2
    assert (second.outcome, second.messages.server_hello.version) == OUTCOME_IN_TLS11.of(pair)
    assert (Reason.VERSION_DIFFERS in reasons(pair, second)) is (second.outcome is DECLINED)
    assert second.alert == (Alert(PROTOCOL_VERSION, Role.CLIENT) if second.outcome is ABORTED else None)


@scenario(versions=[TLSv1_2], server={"versions": EITHER}, needs=TRAVELS, same_stack=True)
def test_session_of_tls12_is_not_offered_by_a_client_of_tls11(pair):
    first = pair.connect()
    pair.new_client(versions=(TLSv1_1,))
    second = pair.connect(offer=first.session)

    assert first.messages.server_hello.version is TLSv1_2
    assert second.offered is not None
    assert (second.outcome, second.messages.server_hello.version) == OUTCOME_IF_DISABLED.of(pair)
    assert reasons(pair, second) == ((Reason.VERSION_NOT_ENABLED,) if second.outcome is FULL else ())
    assert second.mechanism is (Mechanism.SESSION_TICKET if second.outcome is RESUMED else None)


@scenario(
    versions=[TLSv1_1],
    server={"versions": [(TLSv1_1,), EITHER, (*EITHER, TLSv1_3)]},
    needs={"server": [Capability.OPENSSL_CHOICES]},
    same_stack=True,
)
def test_server_with_a_later_version_marks_its_random(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert second.mechanism is Mechanism.SESSION_TICKET
    marked = pair.server_config.versions != (TLSv1_1,) and MARKS.of(pair)
    assert first.messages.server_hello.random.endswith(MARK) is marked
    assert second.messages.server_hello.random.endswith(MARK) is marked


@scenario(versions=[TLSv1_2], client={"versions": EITHER}, server={"versions": [EITHER, (TLSv1_1,)]}, same_stack=True)
def test_client_notices_that_its_hello_was_downgraded(pair):
    pair.tamper("edit", "client", "ClientHello", part="version", value=TLSv1_1.wire.to_bytes(2, "big"))
    first = pair.connect(presume_full=False)

    marked = pair.server_config.versions == EITHER
    assert first.outcome is ABORTED
    assert first.messages.server_hello.version is TLSv1_1
    assert first.alert == (BY_THE_MARK if marked else BY_THE_TRANSCRIPT).of(pair)


@scenario(versions=[TLSv1_1], client={"security_level": [0, 1]}, same_stack=True)
def test_client_speaks_tls11_at_security_level_0(pair):
    first = pair.connect(presume_full=False)

    assert (first.outcome, first.alert) == (AT_LEVEL_1.of(pair) if pair.client_config.security_level else (FULL, None))
