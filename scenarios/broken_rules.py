"""Rules about resumption that OpenSSL breaks, each beside the case next to it in which it keeps the rule.

RFC 8446, 4.2.10: a server accepts early data only with the cipher suite of the PSK, and a client that sends early_data
sends pre_shared_key too (SSL_read_early_data(3)), with a ticket that allows early data, and no more than it allows
(4.6.1). RFC 7627, 5.3: a server does not resume a session without extended master secret if the ClientHello has it.
RFC 5246, 7.4.1.2: a client that offers a session offers its cipher suite.
"""

from datetime import date

from harness import (
    DECLINED,
    FULL,
    KNOWN_BREACHES,
    RESUMED,
    Capability,
    Differs,
    Expectation,
    Mechanism,
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

HOUR = 3600
SEEN = date(2026, 11, 29)
PORTABLE = {"client": [Capability.SESSION_IMPORT]}
AES128, AES256, CHACHA20 = "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"
NUMBER_OF_AES128, NUMBER_OF_CHACHA20, NUMBER_OF_ECDSA_AES128 = 0x1301, 0x1303, 0xC02B
SENDS = {"max_early_data": 100}
ALLOWS = {"max_early_data": 1024}

SUITE_NOT_COMPARED = (
    "final_early_data compares neither suite nor hash with the session's: "
    "https://github.com/openssl/openssl/issues/31406"
)
AGE_NOT_ASKED = (
    "tls_construct_ctos_early_data asks whether the session allows early data, and only tls_construct_ctos_psk whether "
    "it has expired: https://github.com/openssl/openssl/issues/13395"
)
TODAY = date(2026, 11, 30)
INHERITED = (
    "tls_process_new_session_ticket duplicates the resumed session (ssl_session_dup), and without the extension "
    "nothing sets its max_early_data again"
)
KEEPS_THE_AMOUNT = broken_by(Role.CLIENT, "*@>=1.1.1", TODAY, INHERITED)
SWITCHED_OFF = broken_by(
    Role.SERVER,
    "*@>=3.0",
    TODAY,
    "tls_parse_ctos_ems ignores the extension under SSL_OP_NO_EXTENDED_MASTER_SECRET, and ssl_get_prev_session then "
    "takes it for not sent",
    peer="*@>=1.1.0",
)
SENDS_IT = Expectation(
    True,  # noqa: FBT003 - the value that is expected
    Differs(
        False,  # noqa: FBT003 - the value that is expected
        Role.CLIENT,
        "*@<1.1.0",
        TODAY,
        "CHANGES of 1.1.0: Extended master secret support (draft version)",
    ),
)
"""Whether a client sends the extension, so that the server breaks the rule."""
STILL_OFFERED = [
    broken_by(
        Role.CLIENT,
        builds,
        TODAY,
        "tls_construct_client_hello asks for the session's version and id, and compares no suite with those enabled",
    )
    for builds in ("*", "node:*")
]
"""Node.js has an OpenSSL of its own."""
BROKEN_BY_THE_OFFER: Expectation[tuple[str, ...]] = Expectation(
    ("suite_of_session_offered",),
    Differs(
        ("suite_of_session_offered", "no_offer_without_extended_master_secret"),
        Role.SERVER,
        "*@<1.1.0",
        TODAY,
        "RFC 7627, 5.3: a session of a server without the extended master secret, which 1.1.0 has first (CHANGES), "
        "should not be offered; SSL_set_session looks at no flag",
        peer="*@>=1.1.0",
    ),
)
ANOTHER_SUITE = broken_by(Role.SERVER, "*@>=1.1.1", SEEN, SUITE_NOT_COMPARED)
NOT_ADDED = "extended_master_secret_not_added"
SERVER_LACKS_IT = {NOT_ADDED: KNOWN_BREACHES[NOT_ADDED]}
IS_BROKEN = Expectation(False, KNOWN_BREACHES[NOT_ADDED])  # noqa: FBT003 - the value that is expected
UNDISGUISED = "change_cipher_spec_in_compatibility_mode"
IS_UNDISGUISED = Expectation(False, KNOWN_BREACHES[UNDISGUISED])  # noqa: FBT003 - the value that is expected
NO_PSK = broken_by(Role.CLIENT, "*@>=1.1.1", SEEN, AGE_NOT_ASKED)


@scenario(
    versions=[TLSv1_3],
    client=SENDS | {"ciphersuites": AES128},
    server=ALLOWS,
    needs=PORTABLE,
    breaks={"early_data_with_same_suite": ANOTHER_SUITE},
)
def test_server_accepts_early_data_with_another_suite(pair):
    first = pair.connect()
    pair.new_client(ciphersuites=f"{CHACHA20}:{AES128}")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert second.messages.server_hello.cipher_suite != first.messages.server_hello.cipher_suite
    assert second.server.early_data == "accepted"
    assert breaches(pair, second) == ("early_data_with_same_suite",)


@scenario(
    versions=[TLSv1_3],
    client=SENDS | {"ciphersuites": AES128},
    server=ALLOWS,
    needs=PORTABLE,
)
def test_server_accepts_early_data_with_the_suite_of_the_session(pair):
    first = pair.connect()
    pair.new_client(ciphersuites=f"{AES128}:{CHACHA20}")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.messages.client_hello.cipher_suites[:2] == (NUMBER_OF_AES128, NUMBER_OF_CHACHA20)
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert second.messages.server_hello.cipher_suite == first.messages.server_hello.cipher_suite
    assert second.server.early_data == "accepted"
    assert breaches(pair, second) == ()


@scenario(
    versions=[TLSv1_3],
    client=SENDS | {"ciphersuites": AES128},
    server=ALLOWS,
    needs=PORTABLE,
)
def test_server_rejects_early_data_with_a_suite_of_another_hash(pair):
    first = pair.connect()
    pair.new_client(ciphersuites=f"{AES256}:{AES128}")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.CIPHER_DIFFERS,)
    assert second.client.early_data == "rejected"
    assert breaches(pair, second) == ()


@scenario(versions=[TLSv1_3], client=SENDS | {"clock": 0}, server=ALLOWS, breaks={"early_data_with_psk": NO_PSK})
def test_client_whose_session_has_expired_sends_early_data(pair):
    first = pair.connect()
    pair.client.move_clock(3 * HOUR)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is FULL
    assert reasons(pair, second) == (Reason.EXPIRED_AT_CLIENT,)
    assert second.messages.client_hello.early_data is True
    assert second.messages.client_hello.psk_identities == ()
    assert second.client.early_data == "rejected"
    assert breaches(pair, second) == ("early_data_with_psk",)


@scenario(versions=[TLSv1_3], client=SENDS, server=ALLOWS)
def test_client_whose_session_is_fresh_sends_early_data_with_it(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert second.messages.client_hello.early_data is True
    assert len(second.messages.client_hello.psk_identities) == 1
    assert breaches(pair, second) == ()


@scenario(versions=[TLSv1_3], client={"clock": 0}, server=ALLOWS)
def test_client_without_early_data_offers_nothing_that_has_expired(pair):
    first = pair.connect()
    pair.client.move_clock(3 * HOUR)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.messages.tickets[-1].max_early_data == ALLOWS["max_early_data"]
    assert second.outcome is FULL
    assert reasons(pair, second) == (Reason.EXPIRED_AT_CLIENT,)
    assert second.messages.client_hello.early_data is False
    assert breaches(pair, second) == ()


@scenario(
    versions=[TLSv1_3],
    client=SENDS,
    server=ALLOWS | {"ticket_keys": "shared", "anti_replay": False},
    breaks={"early_data_is_allowed": KEEPS_THE_AMOUNT, "early_data_fits": KEEPS_THE_AMOUNT},
)
def test_client_sends_early_data_with_a_ticket_that_allows_none(pair):
    first = pair.connect()
    pair.new_server(max_early_data=0)
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=second.session)

    assert first.outcome is FULL
    assert breaches(pair, second) == ()
    assert second.mechanism is Mechanism.PSK
    assert [ticket.max_early_data for ticket in second.messages.tickets] == [0]
    assert second.session.max_early_data == ALLOWS["max_early_data"]
    assert third.messages.client_hello.early_data is True
    assert third.client.early_data == "rejected"
    assert breaches(pair, third) == ("early_data_is_allowed", "early_data_fits")


@scenario(versions=[TLSv1_3], client=SENDS, server=ALLOWS)
def test_client_sends_none_with_a_full_handshake_ticket_that_allows_none(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.new_server(max_early_data=0)
    third = pair.connect()
    fourth = pair.connect(offer=third.session)

    assert first.outcome is third.outcome is FULL
    assert first.session.max_early_data == ALLOWS["max_early_data"]
    assert second.mechanism is Mechanism.PSK
    assert second.messages.client_hello.early_data is True
    assert third.session.max_early_data == 0
    assert fourth.mechanism is Mechanism.PSK
    assert fourth.messages.client_hello.early_data is False
    assert breaches(pair, fourth) == ()


@scenario(versions=[TLSv1_2], breaks=SERVER_LACKS_IT)
def test_server_without_extended_master_secret_resumes_who_sends_it(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.SESSION_TICKET
    assert (NOT_ADDED in breaches(pair, second)) == IS_BROKEN.of(pair)


@scenario(versions=[TLSv1_2], server={"extended_master_secret": False}, breaks={NOT_ADDED: SWITCHED_OFF})
@openssl_chooses(Role.SERVER, "it has an extended master secret that can be switched off")
@openssl_chooses(Role.CLIENT, "it offers a session without an extended master secret")
def test_server_with_extended_master_secret_off_resumes_who_sends_it(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.messages.client_hello.extended_master_secret == SENDS_IT.of(pair)
    assert second.mechanism is Mechanism.SESSION_TICKET
    assert (NOT_ADDED in breaches(pair, second)) == SENDS_IT.of(pair)


@scenario(
    versions=[TLSv1_2],
    client={"ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256"},
    server={"tickets": False},
    needs=PORTABLE,
    breaks={"suite_of_session_offered": STILL_OFFERED},
)
def test_client_offers_a_session_without_its_suite(pair):
    first = pair.connect()
    pair.new_client(ciphers="ECDHE-ECDSA-AES256-GCM-SHA384")
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.messages.client_hello.session_id == first.session.session_id
    assert first.messages.server_hello.cipher_suite == NUMBER_OF_ECDSA_AES128
    assert NUMBER_OF_ECDSA_AES128 not in second.messages.client_hello.cipher_suites
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)
    assert breaches(pair, second) == BROKEN_BY_THE_OFFER.of(pair)


@scenario(versions=[TLSv1_2], client={"extended_master_secret": False})
@openssl_chooses(Role.SERVER, "it resumes a session without an extended master secret")
def test_client_without_extended_master_secret_is_resumed(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.messages.client_hello.extended_master_secret is False
    assert second.mechanism is Mechanism.SESSION_TICKET
    assert breaches(pair, second) == ()


@scenario(versions=[TLSv1_3], breaks={UNDISGUISED: KNOWN_BREACHES[UNDISGUISED]})
def test_server_sends_change_cipher_spec_to_a_client_with_a_session_id(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert len(second.messages.client_hello.session_id) == 32
    assert (UNDISGUISED in breaches(pair, second)) == IS_UNDISGUISED.of(pair)
