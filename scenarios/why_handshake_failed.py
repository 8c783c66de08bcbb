"""A handshake fails for a reason that has nothing to do with the session, or with early data: exactly that reason.

RFC 8446, 4.1.1, 4.2.10, 4.4.2.4, 6.2 and D.3; RFC 7301, 3.2; SSL_CTX_set_verify(3), SSL_CTX_set_generate_session_id(3);
the reason codes of openssl/sslerr.h.
"""

from datetime import date

from harness import (
    ABORTED,
    FULL,
    RESUMED,
    Alert,
    Capability,
    Expectation,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    Verify,
    openssl_chooses,
    reasons,
    scenario,
    titles,
    without_alert,
)

EITHER = (TLSv1_2, TLSv1_3)
AES128, AES256 = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"
NUMBER_OF_AES128, NUMBER_OF_AES256 = 0xC02B, 0xC02C
SIGNALS = {0x00FF, 0x5600}
"""Numbers in the list of suites that only signal something (RFC 5746, 3.3; RFC 7507)."""
SHA256, SHA384 = "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"
UNEXPECTED_MESSAGE, HANDSHAKE_FAILURE, UNKNOWN_CA, PROTOCOL_VERSION = 10, 40, 48, 70
INTERNAL_ERROR, CERTIFICATE_REQUIRED = 80, 116
ALERT: Expectation[Alert | None] = Expectation(
    Alert(INTERNAL_ERROR, Role.SERVER), *without_alert(date(2026, 11, 21), "ssl_get_new_session")
)
IMPORTS = {"client": [Capability.SESSION_IMPORT]}
EARLY = {"max_early_data": 100}
ALLOWS = {"max_early_data": 1024}


@scenario(versions=[TLSv1_2], server={"versions": (TLSv1_3,)})
@openssl_chooses(Role.SERVER, "its error code says why")
def test_client_allows_only_older_versions(pair):
    first = pair.connect(presume_full=False)

    assert first.outcome is ABORTED
    assert (first.alert.number, first.alert.sender) == (PROTOCOL_VERSION, Role.SERVER)
    assert reasons(pair, first) == (Reason.NO_COMMON_VERSION,)
    assert "the server enables no protocol version that the client allows" in titles(pair, first)[0]


@scenario(versions=[TLSv1_2], client={"ciphers": AES128}, server={"ciphers": AES256})
@openssl_chooses(Role.SERVER, "its error code says why")
def test_ciphers_are_all_different(pair):
    first = pair.connect(presume_full=False)

    assert first.outcome is ABORTED
    assert (first.alert.number, first.alert.sender) == (HANDSHAKE_FAILURE, Role.SERVER)
    assert reasons(pair, first) == (Reason.CIPHER_REJECTED,)


@scenario(versions=[TLSv1_2], client={"ciphers": f"{AES128}:{AES256}"}, server={"ciphers": AES256})
def test_one_common_cipher_is_enough(pair):
    first = pair.connect()

    assert first.outcome is FULL
    suites = [number for number in first.messages.client_hello.cipher_suites if number not in SIGNALS]
    assert suites == [NUMBER_OF_AES128, NUMBER_OF_AES256]
    assert first.messages.server_hello.cipher_suite == NUMBER_OF_AES256
    assert reasons(pair, first) == ()


@scenario(versions=[TLSv1_3], client={"ciphersuites": SHA256}, server={"ciphersuites": SHA384})
@openssl_chooses(Role.SERVER, "its error code says why")
def test_cipher_suites_are_all_different(pair):
    first = pair.connect(presume_full=False)

    assert first.outcome is ABORTED
    assert (first.alert.number, first.alert.sender) == (HANDSHAKE_FAILURE, Role.SERVER)
    assert reasons(pair, first) == (Reason.CIPHER_REJECTED,)


@scenario(versions=[TLSv1_3], client={"groups": "P-256"}, server={"groups": "P-384"})
@openssl_chooses(Role.SERVER, "its error code says why")
def test_groups_are_all_different(pair):
    first = pair.connect(presume_full=False)

    assert first.outcome is ABORTED
    assert (first.alert.number, first.alert.sender) == (HANDSHAKE_FAILURE, Role.SERVER)
    assert reasons(pair, first) == (Reason.KEY_EXCHANGE_FAILED,)


@scenario(
    client={"verify": Verify.REQUIRED},
    server={"server_certificate": "stranger"},
    needs={"client": [Capability.OPENSSL_CHOICES]},
)
def test_certificate_of_the_server_is_from_an_unknown_authority(pair):
    first = pair.connect(presume_full=False)

    assert first.outcome is ABORTED
    assert (first.alert.number, first.alert.sender) == (UNKNOWN_CA, Role.CLIENT)
    assert reasons(pair, first) == (Reason.CERTIFICATE_REJECTED,)
    assert "the client does not trust the authority that issued the certificate of the server" in titles(pair, first)[0]


@scenario(client={"verify": Verify.REQUIRED}, needs={"client": [Capability.OPENSSL_CHOICES]})
def test_certificate_of_the_server_is_from_a_trusted_authority(pair):
    first = pair.connect()
    pair.new_server(server_certificate="stranger")
    second = pair.connect(presume_full=False)

    assert first.outcome is FULL
    assert reasons(pair, first) == ()
    assert second.outcome is ABORTED
    assert (second.alert.number, second.alert.sender) == (UNKNOWN_CA, Role.CLIENT)


@scenario(client={"client_certificate": "stranger"}, server={"verify": Verify.REQUIRED})
@openssl_chooses(Role.SERVER, "unknown_ca, where RFC 8446, 6.2 leaves the alert open")
def test_certificate_of_the_client_is_from_an_unknown_authority(pair):
    first = pair.connect(presume_full=False)

    assert first.outcome is ABORTED
    assert (first.alert.number, first.alert.sender) == (UNKNOWN_CA, Role.SERVER)
    assert reasons(pair, first) == (Reason.CERTIFICATE_REJECTED,)


@scenario(server={"verify": Verify.REQUIRED})
@openssl_chooses(Role.SERVER, "the alert, which a server may choose (RFC 5246, 7.4.6)")
def test_client_has_no_certificate_where_one_is_required(pair):
    first = pair.connect(presume_full=False)

    assert first.outcome is ABORTED
    assert first.alert.number == {TLSv1_2: HANDSHAKE_FAILURE, TLSv1_3: CERTIFICATE_REQUIRED}[pair.tls]
    assert reasons(pair, first) == (Reason.CERTIFICATE_REJECTED,)
    assert "the server requires a client certificate and the client sent none" in titles(pair, first)[0]


@scenario(versions=[TLSv1_3], client={**EARLY, "alpn": ("h2",)}, server={**ALLOWS, "alpn": ("h2", "h3")}, needs=IMPORTS)
def test_early_data_without_the_sessions_alpn_protocol(pair):
    first = pair.connect()
    pair.new_client(alpn=("h3",))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert (second.alert.number, second.alert.sender) == (INTERNAL_ERROR, Role.CLIENT)
    assert reasons(pair, second) == (Reason.EARLY_DATA_ABORTED,)
    assert "early data needs the session's ALPN protocol" in titles(pair, second)[0]


@scenario(versions=[TLSv1_3], client={**EARLY, "alpn": ("h2",)}, server={**ALLOWS, "alpn": ("h2", "h3")}, needs=IMPORTS)
def test_early_data_with_the_sessions_alpn_protocol_among_others(pair):
    first = pair.connect()
    pair.new_client(alpn=("h3", "h2"))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.messages.client_hello.alpn == ("h3", "h2")
    assert second.client.alpn == "h2"
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert second.client.early_data == "accepted"


@scenario(versions=[TLSv1_3], client=EARLY | {"versions": EITHER}, server=ALLOWS)
def test_early_data_for_a_server_that_negotiates_tls12(pair):
    first = pair.connect()
    pair.new_server(versions=(TLSv1_2,))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert (second.alert.number, second.alert.sender) == (UNEXPECTED_MESSAGE, Role.SERVER)
    assert reasons(pair, second) == (Reason.EARLY_DATA_ABORTED,)


@scenario(versions=[TLSv1_2], server={"tickets": False, "session_id": b"always the same"})
def test_session_id_of_another_session_is_made_again(pair):
    first = pair.connect()
    second = pair.connect(presume_full=False)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert == ALERT.of(pair)
    assert reasons(pair, second) == (Reason.SESSION_REJECTED,)
    assert "made a session id that another session has" in titles(pair, second)[0]
