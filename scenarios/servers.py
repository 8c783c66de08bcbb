"""Server programs that people run resume as they are configured (SSL_CTX_set_session_cache_mode(3), RFC 5077, 3).

Two witnesses judge, the client and the wire: the programs report nothing. Each is started for its test, on loopback.
What is not installed, or what a program has no setting for, is left out as UNSUPPORTED, with the reason.
"""

from harness import ABORTED, DECLINED, FULL, RESUMED, Mechanism, Reason, TLSv1_2, TLSv1_3, cases, reasons, scenario

pytestmark = scenario()

HANDSHAKE_FAILURE, ACCESS_DENIED, CERTIFICATE_REQUIRED = 40, 49, 116
"""Alerts (RFC 8446, 6.2)."""

each_product = cases("product", "nginx", "haproxy", "apache", "stunnel")


def twice(server, **knobs):
    """A full handshake, and a connection that offers its session."""
    first = server.connect(**knobs)
    assert first.outcome is FULL
    return server.connect(offer=first.session, **knobs)


@each_product
def test_tickets_resume(program, product):
    server = program(product)

    assert twice(server, versions=(TLSv1_2,)).mechanism is Mechanism.SESSION_TICKET
    assert twice(server, versions=(TLSv1_3,)).mechanism is Mechanism.PSK


@cases("client", "openssl", "pyopenssl", "ssl")
def test_tickets_resume_with_other_clients(program, client):
    server = program("nginx", client=client)

    assert twice(server, versions=(TLSv1_3,)).mechanism is Mechanism.PSK


@each_product
def test_nothing_resumes_without_tickets_and_cache(program, product):
    server = program(product, tickets=False, cache="none")
    older = [server.connect(versions=(TLSv1_2,)) for _ in range(2)][1]
    newer = twice(server, versions=(TLSv1_3,))

    assert older.outcome is FULL
    assert reasons(server, older) == (Reason.NO_TICKET_SENT,)
    assert newer.outcome is DECLINED
    assert reasons(server, newer)[0] is Reason.NOT_IN_CACHE


@each_product
@cases("cache", "builtin", "shared")
def test_a_cache_resumes_without_tickets(program, product, cache):
    server = program(product, tickets=False, cache=cache)

    assert twice(server, versions=(TLSv1_2,)).mechanism is Mechanism.SESSION_ID
    assert twice(server, versions=(TLSv1_3,)).mechanism is Mechanism.PSK


@each_product
def test_two_servers_with_a_key_each_decline_each_other_s_tickets(program, product):
    server = program(product, behind=2)
    first = server.connect(versions=(TLSv1_3,))
    other = server.connect(offer=first.session, versions=(TLSv1_3,))
    same = server.connect(offer=first.session, versions=(TLSv1_3,))

    assert other.outcome is DECLINED
    assert reasons(server, other)[0] is Reason.TICKET_KEY_UNKNOWN
    assert same.outcome is RESUMED
    assert same.mechanism is Mechanism.PSK


@each_product
def test_two_servers_with_one_key_resume_each_other_s_tickets(program, product):
    server = program(product, behind=2, shared_keys=True)

    assert twice(server, versions=(TLSv1_2,)).mechanism is Mechanism.SESSION_TICKET
    assert twice(server, versions=(TLSv1_3,)).mechanism is Mechanism.PSK


SITES = {"localhost": "server", "other.example": "other-server"}


def over_to_other_site(server):
    """A session of the open site, offered without a certificate to the site that demands one."""
    return server.connect(offer=server.connect().session, server_name="other.example")


@cases("product, tls", ("apache", TLSv1_2), ("apache", TLSv1_3), ("nginx", TLSv1_3))
def test_a_session_of_an_open_site_does_not_replace_a_certificate(program, product, tls):
    """Apache demands the certificate; nginx since CVE-2025-23419 sends access_denied in TLS 1.3."""
    server = program(product, sites=SITES, asking=("other.example",), versions=(tls,))
    other = over_to_other_site(server)
    allowed = server.connect(server_name="other.example", client_certificate="client")

    assert other.outcome is ABORTED
    assert other.alert.number in {HANDSHAKE_FAILURE, ACCESS_DENIED, CERTIFICATE_REQUIRED}
    assert allowed.outcome is FULL


@cases("product, tls", ("nginx", TLSv1_2), ("haproxy", TLSv1_2), ("haproxy", TLSv1_3))
def test_a_session_of_an_open_site_replaces_a_certificate(program, product, tls):
    """OpenSSL does not compare the name, although RFC 6066, 3 forbids to resume under another one.

    nginx then refuses the request by its Host, haproxy does not.
    """
    server = program(product, sites=SITES, asking=("other.example",), versions=(tls,))
    other = over_to_other_site(server)

    assert other.outcome is RESUMED
    assert other.mechanism is not None
    assert reasons(server, other) == (Reason.OTHER_SERVER_NAME,)


@each_product
def test_a_key_in_a_file_outlives_a_reload(program, product):
    server = program(product, shared_keys=True, versions=(TLSv1_3,))
    first = server.connect()
    server.reload()
    second = server.connect(offer=first.session)

    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.PSK


@each_product
def test_a_key_of_its_own_does_not_outlive_a_restart(program, product):
    first = program(product, versions=(TLSv1_3,)).connect()
    server = program(product, versions=(TLSv1_3,))
    second = server.connect(offer=first.session)

    assert second.outcome is DECLINED
    assert reasons(server, second)[0] is Reason.TICKET_KEY_UNKNOWN
