"""An end sends its certificate compressed where its peer asks for that, and a resumption sends none at all.

RFC 8879, 3 and 4: a client asks in its ClientHello, a server in its CertificateRequest, and CompressedCertificate takes
the place of Certificate. It is of TLS 1.3 alone. SSL_CTX_compress_certs(3), SSL_CTX_set1_cert_comp_preference(3). A
resumption has neither message (RFC 8446, 2.2), and its session keeps the certificate as it was before.
"""

from harness import BOTH, FULL, Mechanism, Role, TLSv1_2, TLSv1_3, Verify, scenario

COMPRESS_CERTIFICATE = 27
"""The extension (RFC 8879, 3)."""
PLAIN, COMPRESSED = "Certificate", "CompressedCertificate"
ASKS, COMPRESSES = {"cert_decompression": True}, {"cert_compression": True}


def sent(connection, role):
    """Return the messages with which an end showed its certificate."""
    return [kind for kind in connection.messages.types(role) if kind in {PLAIN, COMPRESSED}]


def algorithms(connection, role):
    """Return the algorithms of an end's CompressedCertificates, as IANA names them."""
    compressed = [message for message in connection.messages.messages if message.type == COMPRESSED]
    return [message.fields["algorithm"] for message in compressed if message.sender is role]


@scenario(versions=[TLSv1_3], client=ASKS, server=COMPRESSES)
def test_server_compresses_its_certificate_and_a_resumption_has_none(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.new_server(cert_compression=None)
    third = pair.connect()

    assert first.outcome is third.outcome is FULL
    assert sent(first, Role.SERVER) == [COMPRESSED]
    assert sent(third, Role.SERVER) == [PLAIN]
    assert second.mechanism is Mechanism.PSK
    assert COMPRESS_CERTIFICATE in second.messages.client_hello.extensions
    assert sent(second, Role.SERVER) == []


@scenario(versions=[TLSv1_3], client={"cert_decompression": False}, server=COMPRESSES)
def test_certificate_is_plain_for_a_client_that_does_not_ask(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.new_client(cert_decompression=True)
    third = pair.connect()

    assert first.outcome is third.outcome is FULL
    assert COMPRESS_CERTIFICATE not in first.messages.client_hello.extensions
    assert sent(first, Role.SERVER) == [PLAIN]
    assert sent(third, Role.SERVER) == [COMPRESSED]
    assert second.mechanism is Mechanism.PSK


@scenario(versions=[TLSv1_3], client=ASKS, server={"cert_compression": [None, False]})
def test_certificate_is_plain_from_a_server_that_does_not_compress(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert COMPRESS_CERTIFICATE in first.messages.client_hello.extensions
    assert sent(first, Role.SERVER) == [PLAIN]
    assert second.mechanism is Mechanism.PSK


@scenario(versions=[TLSv1_2], client=ASKS, server=COMPRESSES)
def test_tls12_has_no_compressed_certificate(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.new_client(versions=(TLSv1_3,))
    pair.new_server(versions=(TLSv1_3,))
    third = pair.connect()

    assert first.outcome is third.outcome is FULL
    assert COMPRESS_CERTIFICATE not in first.messages.client_hello.extensions
    assert sent(first, Role.SERVER) == [PLAIN]
    assert sent(third, Role.SERVER) == [COMPRESSED]
    assert second.mechanism is Mechanism.SESSION_TICKET


@scenario(versions=[TLSv1_3], client={"cert_compressions": "zlib"}, server=COMPRESSES)
def test_session_holds_the_certificate_as_it_was_before(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    (certificate, *_others) = first.messages.certificates[Role.SERVER]
    assert first.outcome is FULL
    assert sent(first, Role.SERVER) == [COMPRESSED]
    assert algorithms(first, Role.SERVER) == ["zlib"]
    assert first.session.peer_certificate == certificate
    assert second.mechanism is Mechanism.PSK
    assert second.session.peer_certificate == certificate


@scenario(versions=[TLSv1_3], client={"cert_compressions": "zlib"}, server=COMPRESSES | {"cert_compressions": "zstd"})
def test_certificate_is_plain_without_a_common_algorithm(pair):
    first = pair.connect()
    pair.new_server(cert_compressions=("zstd", "zlib"))
    second = pair.connect()
    pair.new_client(cert_compressions=("zstd", "zlib"))
    third = pair.connect()

    assert [connection.outcome for connection in (first, second, third)] == [FULL] * 3
    assert sent(first, Role.SERVER) == [PLAIN]
    assert algorithms(second, Role.SERVER) == ["zlib"]
    assert algorithms(third, Role.SERVER) == ["zstd"]


@scenario(
    versions=[TLSv1_3],
    client={"client_certificate": "client", "cert_compression": BOTH},
    server={"verify": Verify.REQUIRED, "cert_decompression": True},
)
def test_client_compresses_its_certificate_and_a_resumption_has_none(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    plain = pair.client_config.cert_compression is False
    assert first.outcome is FULL
    assert sent(first, Role.CLIENT) == [PLAIN if plain else COMPRESSED]
    assert second.mechanism is Mechanism.PSK
    assert sent(second, Role.CLIENT) == []


@scenario(
    versions=[TLSv1_3],
    client={"client_certificate": "client", "cert_compression": True},
    server={"verify": Verify.REQUIRED, "cert_decompression": False},
)
def test_client_certificate_is_plain_for_a_server_that_does_not_ask(pair):
    first = pair.connect()
    pair.new_server(cert_decompression=True)
    second = pair.connect()

    assert first.outcome is second.outcome is FULL
    assert sent(first, Role.CLIENT) == [PLAIN]
    assert sent(second, Role.CLIENT) == [COMPRESSED]
