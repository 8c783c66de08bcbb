"""Sessions resume whatever key a certificate has, and outlive the certificate and the key exchange.

A resumption shows no certificate and, in TLS 1.2, exchanges no key (RFC 8446, 2.2; RFC 5246, 7.3): neither the type of
the server's key, the length of its chain, nor whether it could still negotiate the suite in full matters to it.
SSL_CTX_use_certificate_chain_file(3), SSL_get_peer_cert_chain(3), SSL_CTX_set1_sigalgs_list(3), SSL_CTX_set_dh_auto(3).
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
    Outcome,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    Verify,
    openssl_chooses,
    reasons,
    scenario,
)

AUTHORITY = "ECDSA+SHA256"
"""What signs every certificate; a client that does not take it aborts."""
SHARED = {"ticket_keys": "shared"}
CHAINS = {"client": [Capability.PEER_CHAIN], "server": [Capability.PEER_CHAIN]}
HANDSHAKE_FAILURE = 40
EC, RSA, RSA_PSS = map(bytes.fromhex, ("2a8648ce3d0201", "2a864886f70d010101", "2a864886f70d01010a"))
ED25519, ML_DSA_65 = map(bytes.fromhex, ("06032b6570", "608648016503040312"))
"""Object identifiers of the types of key (RFC 3279, RFC 4055, RFC 8410, FIPS 204)."""
DHE = "DHE-RSA-AES128-GCM-SHA256"
BY_NAMED_GROUP: Expectation[tuple[Outcome, Alert | None]] = Expectation(
    (ABORTED, Alert(HANDSHAKE_FAILURE, Role.SERVER)),
    Differs(
        (FULL, None),
        Role.SERVER,
        "*@>=4.0",
        date(2026, 11, 29),
        "https://github.com/openssl/openssl/pull/24551: named groups in TLS 1.2; clients before 4.0 offer none",
        peer="*@>=4.0",
    ),
)
KEPT_BY_THE_CLIENT = Expectation(
    0,
    Differs(
        4,
        Role.CLIENT,
        "pyopenssl@<3.4",
        date(2026, 11, 30),
        "SSL_get_peer_cert_chain gives peer_chain of the session (ssl/ssl_lib.c), which the object in memory keeps: "
        "cryptography before 44 binds no i2d_SSL_SESSION, so that the client offers the object itself",
    ),
)
"""Certificates of the peer's chain in a session that a client offers."""


def shown(connection):
    """Return the server's own certificate."""
    return connection.messages.certificates[Role.SERVER][0]


def resumes(pair, key):
    """A session resumes, and its handshake alone shows a certificate, which has a key of this type."""
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert key in shown(first)
    assert second.mechanism is not None
    assert "Certificate" not in second.messages.types(Role.SERVER)
    assert reasons(pair, second) == ()


@scenario(server={"server_certificate": "rsa-server"})
def test_session_resumes_where_the_server_has_a_key_of_rsa(pair):
    resumes(pair, RSA)


@scenario(
    client={"signature_algorithms": f"rsa_pss_pss_sha256:{AUTHORITY}"}, server={"server_certificate": "rsa-pss-server"}
)
def test_session_resumes_where_the_servers_key_is_for_rsa_pss_alone(pair):
    resumes(pair, RSA_PSS)


@scenario(client={"signature_algorithms": f"ed25519:{AUTHORITY}"}, server={"server_certificate": "ed25519-server"})
def test_session_resumes_where_the_server_has_a_key_of_ed25519(pair):
    resumes(pair, ED25519)


@scenario(
    versions=[TLSv1_3],
    client={"signature_algorithms": f"mldsa65:{AUTHORITY}"},
    server={"server_certificate": "ml-dsa-65-server"},
)
def test_session_resumes_where_the_server_has_a_key_of_ml_dsa(pair):
    resumes(pair, ML_DSA_65)


@scenario(server=SHARED | {"server_certificate": "rsa-server"})
@openssl_chooses(Role.SERVER, "it resumes with a suite that its present key does not fit")
def test_session_outlives_the_servers_change_to_another_key(pair):
    first = pair.connect()
    pair.new_server(server_certificate="server")
    second = pair.connect(offer=first.session)
    fresh = pair.connect()
    pair.new_server(server_certificate="rsa-server", ticket_keys="other")
    third = pair.connect(offer=first.session)

    assert first.outcome is fresh.outcome is FULL
    assert RSA in shown(first)
    assert EC in shown(fresh)
    assert RSA in shown(third)
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert second.messages.server_hello.cipher_suite == first.messages.server_hello.cipher_suite
    assert third.outcome is DECLINED
    assert reasons(pair, third)[0] is Reason.TICKET_KEY_UNKNOWN


@scenario(
    versions=[TLSv1_2],
    client={"ciphers": DHE, "groups": "P-256"},
    server=SHARED | {"server_certificate": "rsa-server", "dhe": True},
)
def test_tls12_session_of_a_dhe_suite_outlives_the_servers_dhe(pair):
    first = pair.connect()
    pair.new_server(dhe=False)
    second = pair.connect(offer=first.session)
    third = pair.connect(presume_full=False)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert second.client.cipher == DHE
    assert third.outcome is ABORTED
    assert third.alert.number == HANDSHAKE_FAILURE


@scenario(
    versions=[TLSv1_2],
    client={"ciphers": DHE, "groups": "ffdhe2048"},
    server={"server_certificate": "rsa-server", "dhe": False},
)
def test_tls12_server_without_parameters_takes_a_group_of_rfc_7919(pair):
    first = pair.connect(presume_full=False)
    pair.new_server(dhe=True)
    second = pair.connect()

    assert (first.outcome, first.alert) == BY_NAMED_GROUP.of(pair)
    assert second.outcome is FULL
    assert second.client.cipher == DHE


@scenario(
    client={"client_certificate": "chained-client"},
    server={"server_certificate": "chained-server", "verify": Verify.REQUIRED},
)
def test_chain_of_four_is_sent_whole_and_not_when_it_resumes(pair):
    """Each end sends its certificate and those that certify it (RFC 8446, 4.4.2; RFC 5246, 7.4.2)."""
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert {role: len(chain) for role, chain in first.messages.certificates.items()} == {
        Role.CLIENT: 4,
        Role.SERVER: 4,
    }
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert second.messages.certificates == {}


@scenario(
    client={"client_certificate": "chained-client"},
    server={"server_certificate": "chained-server", "verify": Verify.REQUIRED, "tickets": BOTH},
    needs=CHAINS,
)
@openssl_chooses(Role.CLIENT, "a session has the peer's certificate without its chain")
@openssl_chooses(Role.SERVER, "a session has the peer's certificate without its chain")
def test_chain_of_four_is_kept_in_the_servers_cache_alone(pair):
    """i2d_SSL_SESSION, and with it a ticket, has the peer's certificate without its chain."""
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert [len(end.peer_chain) for end in (first.client, first.server)] == [4, 4]
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets
    assert [len(end.peer_chain) for end in (second.client, second.server)] == [
        KEPT_BY_THE_CLIENT.of(pair),
        4 if second.from_cache else 1,
    ]
