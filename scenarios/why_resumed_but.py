"""A resumption with a caveat says what differs from the full handshake or was not checked again; a plain one has none.

A resumption takes the peer's certificate and its verification result from the session (RFC 8446, 2.2; RFC 5246, 7.4.2;
SSL_get_verify_result(3)), but negotiates ALPN again (RFC 7301, 3.1). In TLS 1.2 a server must not resume under another
server name (RFC 6066, 3); OpenSSL's does (tls_parse_ctos_server_name). In TLS 1.3 a client should not offer it (RFC
8446, 4.6.1).
"""

from datetime import date

from harness import (
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
    Verify,
    broken_by,
    openssl_chooses,
    reasons,
    scenario,
    titles,
)

MINUTE = 60
NAMED = {"server_name": "server.example"}
PROTOCOLS = {"alpn": ("h2", "http/1.1")}
PORTABLE = {"client": [Capability.SESSION_IMPORT]}
SHARED = {"ticket_keys": "shared"}
VERIFIED = {"verify": Verify.REQUIRED}
ASKS = {"verify": Verify.OPTIONAL}

SEEN = date(2026, 11, 29)
NAME_NOT_COMPARED = "a server looks up a session by its ticket or id, and by no name (ssl_get_prev_session)"
NAME_NOT_MATCHED = (
    "CHServerNameConsumer of JSSE compares with a session the name that SNIMatchers chose, which is none where the "
    "program sets none; seen with 17.0.15"
)
NAME_NOT_ASKED = "checkForResumption of crypto/tls compares version, suite, certificates and no name; seen with 1.27.3"
NAME_NOT_KEPT = "a ticket of wolfSSL 5.5.4 (InternalTicket) holds no server name that DoClientTicket could compare"
NAME_NOT_CHECKED = (
    "tls_construct_ctos_psk looks at hash and age, and at no name: SSL_set_session is the application's choice"
)
OTHER_NAME = {
    "other_name_not_resumed": (
        broken_by(Role.SERVER, "*", SEEN, NAME_NOT_COMPARED, tls=TLSv1_2),
        broken_by(Role.SERVER, "node", SEEN, NAME_NOT_COMPARED, tls=TLSv1_2),
        broken_by(Role.SERVER, "java:*", SEEN, NAME_NOT_MATCHED, tls=TLSv1_2),
        broken_by(Role.SERVER, "go", date(2026, 11, 30), NAME_NOT_ASKED, tls=TLSv1_2),
        broken_by(Role.SERVER, "wolfssl@<=5.5.4", date(2026, 11, 30), NAME_NOT_KEPT, tls=TLSv1_2),
    ),
    "name_in_certificate": [
        broken_by(Role.CLIENT, builds, SEEN, NAME_NOT_CHECKED, tls=TLSv1_3) for builds in ("*", "node")
    ],
}

NAME_COMPARED = "GnuTLS 3.7.9 compares server names as RFC 6066, 3 asks (_gnutls_server_name_matches_resumed)"


def under_another_name(*why):
    """The outcome, whether the cache had the session, and the reasons; a server of GnuTLS resumes none in TLS 1.2."""
    declined = (DECLINED, None, (Reason.DECLINED_UNKNOWN,))
    differs = Differs(declined, Role.SERVER, "gnutls", date(2026, 11, 30), NAME_COMPARED, tls=TLSv1_2)
    return Expectation((RESUMED, False, why), differs)


ANOTHER_NAME = under_another_name(Reason.OTHER_SERVER_NAME)
BOTH_DIFFER = under_another_name(Reason.OTHER_SERVER_NAME, Reason.OTHER_ALPN)
BACK_AGAIN = under_another_name()


def resumption(pair, connection):
    """What under_another_name expects of a connection."""
    return connection.outcome, connection.from_cache, reasons(pair, connection)


OF_SSLV23_METHOD = "ssl23_default_timeout of 1.0.2 (ssl/s23_lib.c) gives 300 s, so that its tickets have that lifetime"


def past_300_seconds(why, old):
    """Expect reasons, and others of a server before 1.1.0."""
    return Expectation(why, Differs(old, Role.SERVER, "*@<1.1.0", SEEN, OF_SSLV23_METHOD))


WITHIN_THE_DEFAULT = past_300_seconds((), (Reason.PAST_LIFETIME,))
EXPIRED_CERTIFICATE = past_300_seconds(
    (Reason.PEER_NOT_VERIFIED_AGAIN,), (Reason.PEER_NOT_VERIFIED_AGAIN, Reason.PAST_LIFETIME)
)

pytestmark = scenario(needs=PORTABLE)


@scenario(client=NAMED | {"alpn": ("h2",)}, server=PROTOCOLS)
def test_resumption_for_the_same_name_and_protocol_has_no_caveat(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=second.session)

    assert first.outcome is FULL
    assert second.messages.client_hello.server_name == "server.example"
    assert second.client.alpn == "h2"
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert reasons(pair, second) == ()
    assert third.outcome is RESUMED
    assert third.from_cache is False
    assert reasons(pair, third) == ()


@scenario(client=NAMED, needs=PORTABLE, breaks=OTHER_NAME)
def test_resumption_for_another_server_name(pair):
    first = pair.connect()
    pair.new_client(server_name="other.example")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.messages.client_hello.server_name == "server.example"
    assert resumption(pair, second) == ANOTHER_NAME.of(pair)


def test_resumption_for_a_server_name_where_there_was_none(pair):
    first = pair.connect()
    pair.new_client(server_name="server.example")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert resumption(pair, second) == ANOTHER_NAME.of(pair)


@scenario(client=NAMED, needs=PORTABLE, breaks=OTHER_NAME)
def test_resumption_under_the_name_of_the_full_handshake_has_no_caveat(pair):
    first = pair.connect()
    pair.new_client(server_name="other.example")
    second = pair.connect(offer=first.session)
    pair.new_client(server_name="server.example")
    third = pair.connect(offer=second.session)

    assert first.outcome is FULL
    assert second.messages.client_hello.server_name == "other.example"
    assert resumption(pair, second) == ANOTHER_NAME.of(pair)
    assert resumption(pair, third) == BACK_AGAIN.of(pair)


@scenario(client=PROTOCOLS, server=PROTOCOLS, needs=PORTABLE)
def test_resumption_with_another_alpn_protocol(pair):
    first = pair.connect()
    pair.new_client(alpn=("http/1.1",))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.client.alpn == "h2"
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert second.client.alpn == "http/1.1"
    assert reasons(pair, second) == (Reason.OTHER_ALPN,)


@scenario(server=PROTOCOLS, needs=PORTABLE)
def test_resumption_with_an_alpn_protocol_where_there_was_none(pair):
    first = pair.connect()
    pair.new_client(alpn=("h2",))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert reasons(pair, second) == (Reason.OTHER_ALPN,)


@scenario(client=PROTOCOLS, server=PROTOCOLS, needs=PORTABLE)
def test_resumption_that_negotiates_the_same_protocol_has_no_caveat(pair):
    first = pair.connect()
    pair.new_client(alpn=("h2",))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.client.alpn == "h2"
    assert second.messages.client_hello.alpn == ("h2",)
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert reasons(pair, second) == ()


@scenario(client=NAMED | PROTOCOLS, server=PROTOCOLS, needs=PORTABLE, breaks=OTHER_NAME)
def test_resumption_with_two_caveats_has_both_reasons(pair):
    first = pair.connect()
    pair.new_client(server_name="other.example", alpn=("http/1.1",))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.messages.client_hello.server_name == "server.example"
    assert first.client.alpn == "h2"
    assert resumption(pair, second) == BOTH_DIFFER.of(pair)


@openssl_chooses(Role.CLIENT, "it does not look at the result that the session's verification had")
def test_client_that_verifies_resumes_a_session_of_one_that_did_not(pair):
    first = pair.connect()
    pair.new_client(verify=Verify.REQUIRED)
    second = pair.connect(offer=first.session)
    third = pair.connect()
    fourth = pair.connect(offer=third.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert reasons(pair, second) == (Reason.PEER_NOT_VERIFIED_AGAIN,)
    assert "verifies its server, but resumed a session whose server failed verification" in titles(pair, second)[-1]
    assert third.outcome is FULL
    assert fourth.outcome is RESUMED
    assert fourth.from_cache is False
    assert reasons(pair, fourth) == ()


@scenario(client=VERIFIED, needs=PORTABLE)
def test_client_that_no_longer_verifies_resumes_without_a_caveat(pair):
    first = pair.connect()
    pair.new_client(verify=Verify.NONE)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.setup.client_context != first.setup.client_context
    assert second.setup.client.verify is Verify.NONE
    assert first.setup.client.verify is Verify.REQUIRED
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert reasons(pair, second) == ()


@scenario(client=VERIFIED, server=SHARED)
def test_client_that_verifies_resumes_at_a_server_with_another_certificate(pair):
    first = pair.connect()
    pair.new_server(server_certificate="other-server")
    second = pair.connect(offer=first.session)
    pair.new_server(server_certificate=None)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert reasons(pair, second) == (Reason.PEER_NOT_VERIFIED_AGAIN,)
    assert "but the server now has 'other-server'" in titles(pair, second)[-1]
    assert third.outcome is RESUMED
    assert third.from_cache is False
    assert reasons(pair, third) == ()


@scenario(
    client=VERIFIED | {"clock": 0},
    server={"server_certificate": "brief-server"},
    needs={"client": [Capability.SESSION_DATA]},
)
@openssl_chooses(Role.SERVER, "a ticket that holds for two hours")
def test_verifying_client_resumes_a_session_with_an_expired_certificate(pair):
    first = pair.connect()
    pair.client.move_clock(30 * MINUTE)
    second = pair.connect(offer=first.session)
    pair.client.move_clock(90 * MINUTE)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert reasons(pair, second) == WITHIN_THE_DEFAULT.of(pair)
    assert third.outcome is RESUMED
    assert third.from_cache is False
    assert reasons(pair, third) == EXPIRED_CERTIFICATE.of(pair)
    assert "has a server certificate that expired" in titles(pair, third)[0]


@scenario(client={"client_certificate": "client"}, server=VERIFIED, needs=PORTABLE)
def test_verifying_server_takes_the_client_for_the_original_one(pair):
    first = pair.connect()
    pair.new_client(client_certificate="stranger")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert reasons(pair, second) == (Reason.PEER_NOT_VERIFIED_AGAIN,)
    assert (
        "identifies the client by 'client', but the client now has the certificate 'stranger'"
        in titles(pair, second)[-1]
    )


@scenario(client={"client_certificate": "client"}, server=VERIFIED)
def test_server_that_has_verified_its_client_resumes_without_a_caveat(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert "CertificateRequest" in first.messages.types()
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert reasons(pair, second) == ()


@scenario(client={"client_certificate": "client"}, server=SHARED)
@openssl_chooses(Role.SERVER, "it resumes a session without the client certificate that it requires")
def test_server_that_requires_a_certificate_resumes_a_session_without_one(pair):
    first = pair.connect()
    pair.new_server(verify=Verify.REQUIRED)
    second = pair.connect(offer=first.session)
    third = pair.connect()

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert "CertificateRequest" not in second.messages.types()
    assert reasons(pair, second) == (Reason.CLIENT_CERTIFICATE_NOT_ASKED,)
    assert "requires a client certificate, but resumed a session without one" in titles(pair, second)[-1]
    assert third.server.peer_certificate is True
    assert third.outcome is FULL


@scenario(server=ASKS | SHARED)
@openssl_chooses(Role.SERVER, "it resumes a session without the client certificate that it requires")
def test_server_resumes_a_client_that_ignored_its_certificate_request(pair):
    first = pair.connect()
    pair.new_server(verify=Verify.REQUIRED)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert "CertificateRequest" in first.messages.types()
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert reasons(pair, second) == (Reason.CLIENT_CERTIFICATE_NOT_ASKED,)


@scenario(server=ASKS, needs=PORTABLE)
def test_client_that_has_a_certificate_now_is_not_asked_for_it(pair):
    first = pair.connect()
    pair.new_client(client_certificate="client")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert reasons(pair, second) == (Reason.CLIENT_CERTIFICATE_NOT_ASKED,)
    assert "now has the certificate 'client', but the server did not request it" in titles(pair, second)[-1]


@scenario(server=ASKS)
def test_server_with_optional_verification_resumes_without_a_caveat(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert "CertificateRequest" in first.messages.types()
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert reasons(pair, second) == ()


@scenario(client={"client_certificate": "client"}, server=SHARED)
def test_server_that_asks_for_no_certificate_resumes_without_a_caveat(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)
    pair.new_server(verify=Verify.OPTIONAL)
    third = pair.connect()

    assert first.outcome is FULL
    assert second.setup.server_context != first.setup.server_context
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert reasons(pair, second) == ()
    assert third.server.peer_certificate is True
    assert third.outcome is FULL
