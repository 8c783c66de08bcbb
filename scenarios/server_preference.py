"""A server that prefers its own order of cipher suites (SSL_OP_CIPHER_SERVER_PREFERENCE, SSL_CTX_set_options(3)).

A TLS 1.3 session resumes only with a suite of its hash, so that the server's order decides (RFC 8446, 4.2.11). A
TLS 1.2 resumption keeps the session's suite, whatever the server prefers by then (RFC 5246, 7.4.1.3).
"""

from harness import (
    BOTH,
    DECLINED,
    FULL,
    RESUMED,
    Capability,
    Mechanism,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    openssl_chooses,
    reasons,
    scenario,
)

SHA384, SHA256 = "TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"
"""OpenSSL's order by default."""
AES128, AES256 = 0xC02B, 0xC02C
"""TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 and ..._AES_256_GCM_SHA384, OpenSSL's order too."""
IMPORTS = {"client": [Capability.SESSION_IMPORT]}


@scenario(
    versions=[TLSv1_3],
    client={"ciphersuites": SHA256},
    server={"server_preference": True, "tickets": BOTH},
    needs=IMPORTS,
)
@openssl_chooses(Role.SERVER, "it looks for a suite before it looks at the session's hash")
def test_server_that_prefers_another_hash_declines(pair):
    first = pair.connect()
    pair.new_client(ciphersuites=f"{SHA256}:{SHA384}")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.CIPHER_DIFFERS,)


@scenario(
    versions=[TLSv1_3],
    client={"ciphersuites": SHA256},
    server={"server_preference": False, "tickets": BOTH},
    needs=IMPORTS,
)
@openssl_chooses(Role.SERVER, "without a preference it takes the client's first suite")
def test_server_without_a_preference_takes_the_clients_first_suite(pair):
    first = pair.connect()
    pair.new_client(ciphersuites=f"{SHA256}:{SHA384}")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets


@scenario(
    versions=[TLSv1_2],
    client={"ciphers": "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"},
    server={"server_preference": False, "ticket_keys": "shared"},
)
@openssl_chooses(Role.SERVER, "its order, and the client's where it prefers none")
def test_tls12_resumption_keeps_a_suite_no_longer_preferred(pair):
    first = pair.connect()
    pair.new_server(server_preference=True)
    second = pair.connect(offer=first.session)
    third = pair.connect()

    assert first.outcome is FULL
    assert first.messages.server_hello.cipher_suite == AES128
    assert second.mechanism is Mechanism.SESSION_TICKET
    assert second.messages.server_hello.cipher_suite == AES128
    assert third.outcome is FULL
    assert third.messages.server_hello.cipher_suite == AES256
