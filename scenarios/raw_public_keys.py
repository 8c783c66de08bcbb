"""An end with a raw public key in place of a certificate resumes as any other, and the session holds the key.

RFC 7250, 3 and 4; SSL_CTX_set1_server_cert_type(3), SSL_add_expected_rpk(3), SSL_SESSION_get0_peer_rpk(3). A resumption
shows neither certificate nor key (RFC 8446, 2.2; RFC 5246, 7.3): the key is verified in the full handshake alone.
"""

from datetime import date

from harness import (
    ABORTED,
    FULL,
    Alert,
    Capability,
    Differs,
    Expectation,
    Mechanism,
    Role,
    TLSv1_3,
    Verify,
    reasons,
    scenario,
)

SERVER_CERTIFICATE_TYPE = 20
"""The extension (RFC 7250, 3)."""
RAW = {"server_rpk": True}
VERIFIED = {"verify": Verify.REQUIRED, "expected_rpk": "server"}
FIELDS = {"client": [Capability.SESSION_FIELDS]}
BAD_CERTIFICATE, CERTIFICATE_UNKNOWN = 42, 46
NOT_ABORTED = "CVE-2024-12797: handshakes of RFC 7250 with unauthenticated servers do not abort as they should"
REFUSED = Expectation(
    ABORTED,
    *(
        Differs(FULL, Role.CLIENT, builds, date(2026, 11, 30), NOT_ABORTED)
        for builds in ("*@>=3.2.0,<3.2.4", "*@>=3.3.0,<3.3.3", "*@>=3.4.0,<3.4.1")
    ),
)
COMPRESS_CERTIFICATE = 27
"""The extension (RFC 8879, 3)."""
COMPRESS_CERTIFICATE_IS_ASKED = Expectation(
    False,  # noqa: FBT003 - a value
    Differs(
        True,  # noqa: FBT003 - a value
        Role.CLIENT,
        "*@>=4.0",
        date(2026, 12, 1),
        "tls_construct_compress_certificate (ssl/statem/extensions.c): a client that has already sent "
        "client_certificate_type asks for none; measured: 3.6.5 sends client_certificate_type before the place of "
        "compress_certificate, 4.0.3 after it",
    ),
)


@scenario(client=RAW, server=RAW, needs=FIELDS)
def test_session_holds_the_raw_public_key_of_its_server(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    key = first.messages.raw_public_keys[Role.SERVER]
    assert first.outcome is FULL
    assert first.session.peer_rpk == key
    assert first.session.peer_certificate == b""
    assert second.mechanism is not None
    assert Role.SERVER not in second.messages.raw_public_keys
    assert second.session.peer_rpk == key


@scenario(client=RAW, server={"server_rpk": [None, False]}, needs=FIELDS, same_stack=True)
def test_server_without_it_sends_its_certificate(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert SERVER_CERTIFICATE_TYPE in first.messages.client_hello.extensions
    assert Role.SERVER not in first.messages.raw_public_keys
    assert first.session.peer_rpk == b""
    assert first.session.peer_certificate
    assert second.mechanism is not None


@scenario(client=RAW | VERIFIED, server=RAW, same_stack=True)
def test_expected_key_is_verified_and_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    pair.new_client(expected_rpk="other-server")
    third = pair.connect(presume_full=False)

    assert first.outcome is FULL
    assert Role.SERVER in first.messages.raw_public_keys
    assert second.mechanism is not None
    assert reasons(pair, second) == ()
    assert third.outcome == REFUSED.of(pair)
    assert third.alert == (Alert(BAD_CERTIFICATE, Role.CLIENT) if third.outcome is ABORTED else None)


@scenario(client=RAW | {"verify": Verify.REQUIRED, "expected_rpk": [None, "other-server"]}, server=RAW, same_stack=True)
def test_key_that_is_not_expected_is_refused(pair):
    first = pair.connect(presume_full=False)

    number = CERTIFICATE_UNKNOWN if pair.client_config.expected_rpk is None else BAD_CERTIFICATE
    assert first.outcome == REFUSED.of(pair)
    assert first.alert == (Alert(number, Role.CLIENT) if first.outcome is ABORTED else None)


@scenario(
    client={"client_rpk": True, "client_certificate": "client"},
    server={"client_rpk": True, "verify": Verify.REQUIRED, "expected_rpk": "client"},
    same_stack=True,
)
def test_client_with_a_raw_public_key_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.messages.raw_public_keys[Role.CLIENT]
    assert second.mechanism is not None
    assert Role.CLIENT not in second.messages.raw_public_keys


@scenario(
    versions=[TLSv1_3],
    client={"client_certificate": "client", "cert_decompression": True},
    server={"client_rpk": True, "verify": Verify.REQUIRED, "expected_rpk": "client"},
    same_stack=True,
)
def test_raw_public_key_of_a_client_asks_for_no_compressed_certificate(pair):
    first = pair.connect()
    pair.new_client(client_rpk=True, cert_decompression=None)
    second = pair.connect()
    third = pair.connect(offer=second.session)
    asked = [COMPRESS_CERTIFICATE in one.messages.client_hello.extensions for one in (first, second, third)]

    assert first.outcome is second.outcome is FULL
    assert Role.CLIENT not in first.messages.raw_public_keys
    assert second.messages.raw_public_keys[Role.CLIENT]
    assert third.mechanism is Mechanism.PSK
    assert asked == [True, *[COMPRESS_CERTIFICATE_IS_ASKED.of(pair)] * 2]
