"""A TLS 1.3 server asks for the client's certificate after the handshake, and the sessions that follow have it.

RFC 8446, 4.6.2: only a client that sends the extension post_handshake_auth may be asked. OpenSSL sends further tickets
after the client's answer: their session has the certificate, that of the tickets before does not
(SSL_verify_client_post_handshake(3), tls_process_client_certificate).
"""

from datetime import date

from harness import FULL, RESUMED, Capability, Differs, Expectation, Role, TLSv1_3, Verify, scenario

POST_HANDSHAKE_AUTH = 49
"""The extension (RFC 8446, 4.2.6)."""
ASKS = [Capability.AUTHENTICATE]
LATER = {"verify": Verify.LATER}
ALLOWS = {"post_handshake_auth": True, "client_certificate": "client"}
NOT_PARSED = (
    "https://github.com/openssl/openssl/issues/10370: tls_parse_ctos_sig_algs ignores the extension of the request "
    "where the handshake resumed, so that the client finds no common scheme and sends an empty Certificate, until "
    "https://github.com/openssl/openssl/pull/24651; measured: 3.0.16, 3.3.3 and 3.4.1 do, 3.0.17 and 3.5.0 do not; the "
    "releases of 3.0.17's day, 3.2.5, 3.3.4 and 3.4.2, are taken for mended"
)
CERTIFICATE_AFTER_RESUMPTION = Expectation(
    True,  # noqa: FBT003 - the value that is expected
    *(
        Differs(False, Role.CLIENT, builds, date(2026, 11, 30), NOT_PARSED)  # noqa: FBT003 - a value
        for builds in ("*@>=1.1.1,<3.0.17", "*@>=3.1,<3.2.5", "*@>=3.3,<3.3.4", "*@>=3.4,<3.4.2")
    ),
)
IS_KNOWN_LATER: Expectation[bool | None] = Expectation(
    True,  # noqa: FBT003 - the value that is expected
    Differs(None, Role.SERVER, "openssl", date(2026, 11, 30), "s_server prints the certificates of handshakes alone"),
)
"""Whether the server reports the certificate that came after the handshake."""


def authenticated(pair, offer=None):
    """Make a connection whose server asks; the session before it, the connection, and whether it could ask."""
    live = pair.open(offer)
    live.exchange()
    before = live.session()
    asked = live.authenticate()
    connection = live.close()
    types = connection.messages.types()
    asks = types.index("CertificateRequest") if "CertificateRequest" in types else len(types)
    assert "ApplicationData" in types[:asks]  # the tickets before it have been read
    return before, connection, asked


@scenario(versions=[TLSv1_3], client=ALLOWS, server=LATER, needs={"server": ASKS})
def test_certificate_comes_after_the_handshake(pair):
    _, first, asked = authenticated(pair)
    types = first.messages.types()

    assert first.outcome is FULL
    assert asked
    assert POST_HANDSHAKE_AUTH in first.messages.client_hello.extensions
    assert types.index("CertificateRequest") > types.index("ApplicationData")
    assert len(first.messages.certificates[Role.CLIENT]) == 1
    assert first.server.peer_certificate is IS_KNOWN_LATER.of(pair)


@scenario(versions=[TLSv1_3], client={"client_certificate": "client"}, server=LATER, needs={"server": ASKS})
def test_client_that_does_not_allow_it_is_not_asked(pair):
    _, first, asked = authenticated(pair)
    pair.new_client(post_handshake_auth=True)
    _, second, asked_another = authenticated(pair)

    assert first.outcome is FULL
    assert not asked
    assert POST_HANDSHAKE_AUTH not in first.messages.client_hello.extensions
    assert "CertificateRequest" not in first.messages.types()
    assert second.outcome is FULL
    assert asked_another
    assert second.server.peer_certificate is IS_KNOWN_LATER.of(pair)


@scenario(versions=[TLSv1_3], client={"post_handshake_auth": True}, server=LATER, needs={"server": ASKS})
def test_client_without_a_certificate_answers_with_none(pair):
    _, first, asked = authenticated(pair)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert asked
    assert "CertificateRequest" in first.messages.types()
    assert "CertificateVerify" not in first.messages.types(Role.CLIENT)
    assert second.outcome is RESUMED
    assert not second.server.peer_certificate


@scenario(versions=[TLSv1_3], client=ALLOWS, server=LATER, needs={"server": ASKS})
def test_tickets_that_follow_keep_the_certificate(pair):
    _, first, asked = authenticated(pair)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert asked
    assert second.outcome is RESUMED
    assert second.server.peer_certificate


@scenario(versions=[TLSv1_3], client=ALLOWS, server=LATER, needs={"server": ASKS})
def test_tickets_before_it_have_no_certificate(pair):
    before, first, asked = authenticated(pair)
    second = pair.connect(offer=before)

    assert first.outcome is FULL
    assert asked
    assert first.server.peer_certificate is IS_KNOWN_LATER.of(pair)
    assert second.outcome is RESUMED
    assert not second.server.peer_certificate


@scenario(versions=[TLSv1_3], client=ALLOWS, server=LATER, needs={"server": ASKS})
def test_resumed_connection_can_be_asked_again(pair):
    first = pair.connect()
    _, second, asked = authenticated(pair, first.session)
    third = pair.connect(offer=second.session)

    assert first.outcome is FULL
    assert asked
    assert second.outcome is third.outcome is RESUMED
    assert "CertificateRequest" in second.messages.types()
    assert bool(second.messages.certificates[Role.CLIENT]) is CERTIFICATE_AFTER_RESUMPTION.of(pair)
    assert third.server.peer_certificate is CERTIFICATE_AFTER_RESUMPTION.of(pair)


@scenario(
    versions=[TLSv1_3],
    client=ALLOWS,
    server=LATER | {"num_tickets": 0},
    needs={"client": [Capability.EVERY_TICKET], "server": [*ASKS, Capability.NEW_TICKET]},
)
def test_ticket_has_the_certificate_if_the_client_was_asked_before_it(pair):
    """Without tickets of the handshake the only one is that of SSL_new_session_ticket."""
    live = pair.open()
    asked = live.authenticate()
    live.new_ticket()
    live.exchange()
    first = live.close()
    second = pair.connect(offer=first.session)
    live = pair.open()
    live.new_ticket()
    live.exchange()
    third = live.close()
    fourth = pair.connect(offer=third.session)

    assert asked
    assert first.outcome is third.outcome is FULL
    assert first.tickets == third.tickets == 1
    assert first.server.peer_certificate is True
    assert second.outcome is fourth.outcome is RESUMED
    assert second.server.peer_certificate is True
    assert not fourth.server.peer_certificate
