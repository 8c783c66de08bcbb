"""Why a session that the server has does not resume: its parameters do not fit this handshake. Exactly one reason.

RFC 8446, 4.2.11 (version and hash) and 4.1.4 (a retry); RFC 7627, 5.3; SSL_CTX_set_session_id_context(3); OpenSSL's
ssl_get_prev_session and tls_parse_ctos_psk. In TLS 1.2 OpenSSL does not decline a session for its cipher.
"""

from datetime import date

from harness import (
    BOTH,
    DECLINED,
    FULL,
    RESUMED,
    Capability,
    Differs,
    Expectation,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    openssl_chooses,
    reasons,
    scenario,
)

TICKETS_FOLLOW = (
    "https://github.com/openssl/openssl/pull/30626: tls_parse_ctos_psk no longer sets ticket_expected to 0 for a PSK "
    "of another hash (CHANGES of 3.0.21, 3.5.7, 3.6.3 and 4.0.1)"
)
TICKETS_AFTER_ANOTHER_HASH = Expectation(
    0,
    *(
        Differs(2, Role.SERVER, builds, date(2026, 11, 30), TICKETS_FOLLOW)
        for builds in ("*@>=3.0.21,<3.1", "*@>=3.5.7,<3.6", "*@>=3.6.3,<4.0", "*@>=4.0.1")
    ),
)

EITHER = (TLSv1_2, TLSv1_3)
IMPORTS = {"client": [Capability.SESSION_IMPORT]}
EMS = {"extended_master_secret": True}
"""An end that can do it: OpenSSL since 1.1.0."""
AES128, AES256 = 0xC02B, 0xC02C
"""TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 and ..._AES_256_GCM_SHA384."""
SHA384, SHA256, ALSO_SHA256 = "TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"


@scenario(server={"session_id_context": b"one", "ticket_keys": "shared"})
def test_session_id_context_is_another_servers(pair):
    first = pair.connect()
    pair.new_server(session_id_context=b"two")
    second = pair.connect(offer=first.session)
    pair.new_server(session_id_context=b"one")
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.SESSION_ID_CONTEXT_DIFFERS,)
    assert third.outcome is RESUMED
    assert third.from_cache is False


@scenario(server={"session_id_context": b"one"})
def test_key_is_unknown_before_the_session_id_context_is_compared(pair):
    first = pair.connect()
    pair.new_server(session_id_context=b"two")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_KEY_UNKNOWN,)


@scenario(versions=[TLSv1_3], client={"ciphersuites": SHA256}, server={"tickets": BOTH}, needs=IMPORTS)
@openssl_chooses(Role.SERVER, "it takes the client's first suite, not the session's")
def test_hash_of_the_cipher_suite_is_not_the_sessions(pair):
    first = pair.connect()
    pair.new_client(ciphersuites=f"{SHA384}:{SHA256}")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.CIPHER_DIFFERS,)
    assert second.tickets == TICKETS_AFTER_ANOTHER_HASH.of(pair)


@scenario(versions=[TLSv1_3], client={"ciphersuites": SHA256}, server={"tickets": BOTH}, needs=IMPORTS)
@openssl_chooses(Role.SERVER, "it takes the client's first suite, not the session's")
def test_another_cipher_suite_with_the_sessions_hash_resumes(pair):
    first = pair.connect()
    pair.new_client(ciphersuites=f"{ALSO_SHA256}:{SHA256}")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets
    assert second.messages.server_hello.cipher_suite != first.messages.server_hello.cipher_suite


@scenario(versions=[TLSv1_2], server={"ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256", "ticket_keys": "shared"})
@openssl_chooses(Role.SERVER, "it resumes with a suite that it no longer enables")
def test_tls12_session_resumes_with_a_cipher_the_server_no_longer_enables(pair):
    first = pair.connect()
    pair.new_server(ciphers="ECDHE-ECDSA-AES256-GCM-SHA384")
    second = pair.connect(offer=first.session)
    third = pair.connect()

    assert first.outcome is FULL
    assert first.messages.server_hello.cipher_suite == AES128
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert second.messages.server_hello.cipher_suite == first.messages.server_hello.cipher_suite
    assert third.messages.server_hello.cipher_suite == AES256


@scenario(versions=[TLSv1_2], client={"extended_master_secret": False}, server={"tickets": BOTH, **EMS}, needs=IMPORTS)
def test_extended_master_secret_is_added_by_the_client(pair):
    first = pair.connect()
    pair.new_client(extended_master_secret=True)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.EXTENDED_MASTER_SECRET_ADDED,)


@scenario(versions=[TLSv1_2], client=EMS, server={"extended_master_secret": False, "ticket_keys": "shared"})
@openssl_chooses(Role.CLIENT, "it offers a session without an extended master secret")
def test_extended_master_secret_is_added_by_the_server(pair):
    first = pair.connect()
    pair.new_server(extended_master_secret=True)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.EXTENDED_MASTER_SECRET_ADDED,)


@scenario(versions=[TLSv1_2], client={"extended_master_secret": False}, server={"tickets": BOTH})
@openssl_chooses(Role.SERVER, "it resumes a session without an extended master secret")
def test_session_without_extended_master_secret_resumes_without(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.messages.client_hello.extended_master_secret is False
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets


@scenario(versions=[TLSv1_3], client={"versions": EITHER})
def test_version_is_older_than_the_sessions(pair):
    first = pair.connect()
    pair.new_server(versions=(TLSv1_2,))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.VERSION_DIFFERS,)


@scenario(
    versions=[TLSv1_2],
    client={"versions": EITHER},
    server={"tickets": BOTH},
    needs={"client": [Capability.SESSION_FIELDS]},  # the id distinguishes it from compatibility mode's random one
)
def test_version_is_newer_than_the_sessions(pair):
    first = pair.connect()
    pair.new_server(versions=(TLSv1_3,))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.VERSION_DIFFERS,)


@scenario(
    versions=[TLSv1_3], client={"ciphersuites": SHA256}, server={"groups": "X25519", "tickets": BOTH}, needs=IMPORTS
)
@openssl_chooses(Role.SERVER, "the first suite of the client")
def test_retry_chose_a_suite_of_another_hash(pair):
    first = pair.connect()
    pair.new_client(ciphersuites=f"{SHA384}:{SHA256}", groups="P-521:X25519")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert [len(hello.psk_identities) for hello in second.messages.client_hellos] == [1, 0]
    assert reasons(pair, second) == (Reason.RETRY_CHANGED_HASH,)


@scenario(versions=[TLSv1_3], server={"groups": "X25519", "tickets": BOTH}, needs=IMPORTS)
def test_retry_with_the_sessions_hash_resumes(pair):
    first = pair.connect()
    pair.new_client(groups="P-521:X25519")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets
    assert [len(hello.psk_identities) for hello in second.messages.client_hellos] == [1, 1]
