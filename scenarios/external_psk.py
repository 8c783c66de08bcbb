"""A handshake with an external PSK is not a resumption, although OpenSSL says SSL_session_reused in TLS 1.3.

RFC 8446, 2.2 and 4.2.11: a PSK comes from a session, by its ticket, or from outside; both go into one list of
identities, and only the label in the binder distinguishes them. RFC 4279: before TLS 1.3 a PSK has suites of its own.
SSL_CTX_set_psk_client_callback(3), SSL_CTX_set_psk_use_session_callback(3) and their servers' pages: the callbacks of
TLS 1.2, which TLS 1.3 asks too, and those of TLS 1.3 alone. The session of such a handshake resumes as any other.
"""

from datetime import date

from harness import (
    ABORTED,
    DECLINED,
    FULL,
    RESUMED,
    Capability,
    Differs,
    Expectation,
    Mechanism,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    reasons,
    scenario,
)

PSK = {"psk_key": "shared"}
ALONE = PSK | {"server_certificate": "none"}
"""A server that authenticates with its external PSK only."""
CLIENT_IDENTITY = b"Client_identity"
DATA = {"client": [Capability.SESSION_DATA]}
REFUSES = {"server": [Capability.PSK_IDENTITIES]}
HANDSHAKE_FAILURE, BAD_RECORD_MAC, ILLEGAL_PARAMETER, DECRYPT_ERROR, UNKNOWN_PSK_IDENTITY = 40, 20, 47, 51, 115
WRONG_BINDER = Expectation(
    DECRYPT_ERROR,
    Differs(
        ILLEGAL_PARAMETER,
        Role.SERVER,
        "*@<3.4",
        date(2026, 11, 29),
        "https://github.com/openssl/openssl/pull/25176: SSL_AD_DECRYPT_ERROR alert on PSK binder validation failure",
    ),
)
CALLBACK_SEES_TICKETS = Expectation(
    True,  # noqa: FBT003 - the value that is expected
    Differs(
        False,  # noqa: FBT003 - a value
        Role.SERVER,
        "*@<3.0",
        date(2026, 11, 30),
        "tls_parse_ctos_psk asks the callback of TLS 1.2 for identities of up to PSK_MAX_IDENTITY_LEN bytes "
        "(include/openssl/ssl.h), which are 128 before 3.0 and 256 since: then it is asked for tickets too",
    ),
)
HINT = b"which one?"
P256, P384 = 23, 24
AES_256_OF_1_0_2, CHACHA20_OF_ECDHE, AES_256_OF_DHE = 0x008D, 0xCCAC, 0x00AB
PSK_SUITES = "CHANGES, 1.1.0: Added support for ChaCha20 and Poly1305; 1.0.2 has the PSK suites of RFC 4279 alone"
NAMES_FFDHE = (
    "measured: 4.0.3 names groups of RFC 7919 in a ClientHello of TLS 1.2, and its server takes one; "
    "https://github.com/openssl/openssl/issues/10971 asked for it"
)
HAS_PARAMETERS = "openssl-s_server(1), -no_dhe: without it, DH parameters are loaded or chosen (SSL_CTX_set_dh_auto)"
PSK_CIPHER = Expectation(
    CHACHA20_OF_ECDHE,
    Differs(AES_256_OF_1_0_2, Role.CLIENT, "*@<1.1.0", date(2026, 11, 30), PSK_SUITES),
    Differs(AES_256_OF_1_0_2, Role.SERVER, "*@<1.1.0", date(2026, 11, 30), PSK_SUITES),
    Differs(AES_256_OF_DHE, Role.SERVER, "*@>=4.0", date(2026, 11, 30), NAMES_FFDHE, peer="*@>=4.0"),
    Differs(AES_256_OF_DHE, Role.SERVER, "openssl@>=1.1.0", date(2026, 11, 30), HAS_PARAMETERS, peer="*@>=1.1.0"),
)
"""Of a libssl server without a certificate and without parameters for DHE (TLS 1.2)."""
KEPT_HINT = Expectation(
    HINT,
    Differs(
        b"",
        Role.CLIENT,
        "*@<1.1.0",
        date(2026, 11, 30),
        "ssl3_send_client_key_exchange (1.0.2, ssl/s3_clnt.c) asks the callback with the hint of the session, and then "
        "puts the hint of its own context in its place, of which a client has none",
    ),
)


def offered(connection):
    """The identities of the first ClientHello that are proven to be external, and how many others there are."""
    hello = connection.messages.client_hellos[0]
    return [psk.identity for psk in hello.external_psks], len(hello.psk_tickets)


@scenario(client=PSK, server=ALONE)
def test_handshake_with_an_external_psk_is_full_and_has_no_certificate(pair):
    first = pair.connect()
    second = pair.connect()

    assert first.outcome is second.outcome is FULL
    assert first.external_psk == second.external_psk == CLIENT_IDENTITY
    assert "Certificate" not in first.messages.types()


@scenario(versions=[TLSv1_3], client=PSK, server=ALONE)
def test_tls13_identity_is_proven_by_its_binder(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.external_psk == CLIENT_IDENTITY
    assert offered(first) == ([CLIENT_IDENTITY], 0)
    assert first.messages.client_hellos[0].psk_ages == (0,)
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.PSK
    assert offered(second) == ([CLIENT_IDENTITY], 1)
    assert second.messages.server_hello.selected_psk == 0


@scenario(
    versions=[TLSv1_3],
    client=PSK,
    server=ALONE | {"psk_callback": "psk"},
    needs={"server": [Capability.CALLBACK_CALLS]},
)
def test_tls13_server_asks_the_callback_of_tls12_for_a_ticket(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert [call.call for call in first.server.callback_calls] == ["psk"]
    assert bool(second.server.callback_calls) is CALLBACK_SEES_TICKETS.of(pair)


@scenario(client=PSK, server=ALONE)
def test_session_of_an_external_psk_resumes_by_itself(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.external_psk == CLIENT_IDENTITY
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert second.external_psk is None


@scenario(versions=[TLSv1_2], client=PSK, server=ALONE, needs=DATA)
def test_tls12_session_keeps_the_identity_that_made_it(pair):
    first = pair.connect()
    pair.new_client(psk_identity=("another",))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.session.psk_identity == CLIENT_IDENTITY
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert second.session.psk_identity == CLIENT_IDENTITY


@scenario(versions=[TLSv1_3], client=PSK, server=ALONE, needs=DATA)
def test_tls13_session_keeps_no_identity_and_resumes_beside_another_one(pair):
    first = pair.connect()
    pair.new_client(psk_identity=("another",))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.external_psk == CLIENT_IDENTITY
    assert first.session.psk_identity == b""
    assert second.outcome is RESUMED
    assert offered(second) == ([b"another"], 1)


@scenario(versions=[TLSv1_3], client=PSK, server=ALONE)
def test_tls13_session_resumes_at_a_client_without_the_psk(pair):
    first = pair.connect()
    pair.new_client(psk_key=None)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.external_psk == CLIENT_IDENTITY
    assert second.outcome is RESUMED
    assert offered(second) == ([], 1)


@scenario(versions=[TLSv1_2], client=PSK, server=ALONE)
def test_tls12_session_does_not_resume_at_a_client_without_the_psk(pair):
    first = pair.connect()
    pair.new_client(psk_key=None)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert.number == ILLEGAL_PARAMETER
    assert reasons(pair, second) == (Reason.SESSION_REJECTED,)


@scenario(versions=[TLSv1_3], client={"psk_key": "its own"}, server=ALONE)
def test_tls13_key_that_differs_aborts(pair):
    first = pair.connect(presume_full=False)

    assert first.outcome is ABORTED
    assert reasons(pair, first) == (Reason.PSK_KEY_DIFFERS,)
    assert first.alert.number == WRONG_BINDER.of(pair)


@scenario(versions=[TLSv1_2], client={"psk_key": "its own"}, server=ALONE)
def test_tls12_key_that_differs_aborts_at_the_finished(pair):
    first = pair.connect(presume_full=False)

    assert first.outcome is ABORTED
    assert reasons(pair, first) == (Reason.PSK_KEY_DIFFERS,)
    assert first.alert.number == BAD_RECORD_MAC


@scenario(versions=[TLSv1_3], client=PSK | {"psk_identity": ("stranger",)}, server=ALONE)
def test_tls13_unknown_identity_aborts_without_a_certificate(pair):
    first = pair.connect(presume_full=False)
    pair.new_client(psk_identity=None)
    second = pair.connect()

    assert first.outcome is ABORTED
    assert reasons(pair, first) == (Reason.PSK_IDENTITY_UNKNOWN,)
    assert first.alert.number == HANDSHAKE_FAILURE
    assert second.external_psk == CLIENT_IDENTITY


@scenario(versions=[TLSv1_3], client=PSK | {"psk_identity": ("stranger",)}, server=PSK)
def test_tls13_unknown_identity_is_ignored_beside_a_certificate(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.new_client(psk_identity=None)
    third = pair.connect()

    assert first.outcome is FULL
    assert first.external_psk is None
    assert reasons(pair, first) == (Reason.PSK_NOT_KNOWN,)
    assert second.outcome is RESUMED
    assert offered(second) == ([b"stranger"], 1)
    assert reasons(pair, third) == (Reason.PSK_HASH_DIFFERS,)


@scenario(versions=[TLSv1_2], client=PSK | {"psk_identity": ("stranger",)}, server=ALONE, needs=REFUSES)
def test_tls12_unknown_identity_aborts(pair):
    first = pair.connect(presume_full=False)

    assert first.outcome is ABORTED
    assert reasons(pair, first) == (Reason.PSK_IDENTITY_UNKNOWN,)
    assert first.alert.number == UNKNOWN_PSK_IDENTITY


@scenario(versions=[TLSv1_3], client=PSK, server=PSK | {"ciphersuites": "TLS_AES_256_GCM_SHA384"})
def test_psk_of_another_hash_is_not_used(pair):
    first = pair.connect()
    pair.new_server(ciphersuites="TLS_AES_128_GCM_SHA256")
    second = pair.connect()

    assert first.outcome is second.outcome is FULL
    assert first.external_psk is None
    assert reasons(pair, first) == (Reason.PSK_HASH_DIFFERS,)
    assert second.external_psk == CLIENT_IDENTITY


@scenario(
    versions=[TLSv1_3],
    client=PSK | {"psk_cipher": "TLS_AES_256_GCM_SHA384"},
    server=PSK | {"psk_cipher": "TLS_AES_256_GCM_SHA384"},
)
def test_psk_with_the_hash_of_the_preferred_suite_is_used(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.external_psk == CLIENT_IDENTITY
    assert second.outcome is RESUMED
    assert second.external_psk is None


@scenario(versions=[TLSv1_3], client=PSK, server=ALONE)
def test_server_falls_back_on_the_psk_where_it_cannot_read_the_ticket(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_KEY_UNKNOWN,)
    assert second.external_psk == CLIENT_IDENTITY
    assert second.messages.server_hello.selected_psk == 1


@scenario(
    versions=[TLSv1_3],
    client=PSK | {"psk_callback": ["psk", "session"]},
    server=PSK | {"psk_callback": ["psk", "session"], "ciphersuites": "TLS_AES_128_GCM_SHA256"},
)
def test_both_generations_of_callbacks_meet_in_tls13(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.external_psk == CLIENT_IDENTITY
    assert second.outcome is RESUMED
    assert second.external_psk is None


@scenario(versions=[TLSv1_2], client=PSK | {"psk_callback": "session"}, server=ALONE)
def test_callback_of_tls13_gives_no_psk_to_tls12(pair):
    first = pair.connect(presume_full=False)
    pair.new_client(psk_callback="psk")
    second = pair.connect()

    assert first.outcome is ABORTED
    assert first.alert.number == HANDSHAKE_FAILURE
    assert reasons(pair, first) == (Reason.CIPHER_REJECTED,)
    assert second.outcome is FULL
    assert second.external_psk == CLIENT_IDENTITY


@scenario(versions=[TLSv1_2], client=PSK, server=ALONE | {"psk_hint": "which one?"}, needs=DATA)
def test_hint_of_the_server_is_kept_in_the_session(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.session.psk_identity_hint == KEPT_HINT.of(pair)
    assert first.session.cipher == PSK_CIPHER.of(pair)
    assert first.messages.psk_identity_hint == HINT
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert second.session.psk_identity_hint == KEPT_HINT.of(pair)


@scenario(versions=[TLSv1_3], client=PSK | {"groups": "P-384:P-256"}, server=ALONE | {"groups": "P-256"})
def test_binder_after_a_retry_is_that_of_the_psk(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.external_psk == CLIENT_IDENTITY
    assert [hello.key_share_groups for hello in first.messages.client_hellos] == [(P384,), (P256,)]
    assert [len(hello.external_psks) for hello in first.messages.client_hellos] == [1, 1]
    assert second.outcome is RESUMED
    assert second.external_psk is None
