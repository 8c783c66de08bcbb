"""Server programs that people run resume as they are configured (SSL_CTX_set_session_cache_mode(3), RFC 5077, 3).

Two witnesses judge, the client and the wire: the programs report nothing. Each is started for its test, on loopback.
What is not installed, or what a program has no setting for, is UNSUPPORTED, with the reason.
"""

from datetime import date

from harness import (
    ABORTED,
    DECLINED,
    FULL,
    RESUMED,
    Mechanism,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    broken_by,
    cases,
    reasons,
    scenario,
)

HANDSHAKE_FAILURE, ACCESS_DENIED, CERTIFICATE_REQUIRED = 40, 49, 116
"""Alerts (RFC 8446, 6.2)."""
MISDIRECTED, OK, NOT_FOUND = 421, 200, 404
"""Statuses of HTTP (RFC 9110, 15); the sites of Apache have no page."""
BY_TICKET = {TLSv1_2: Mechanism.SESSION_TICKET, TLSv1_3: Mechanism.PSK}

OPENSSL = ["nginx", "haproxy", "apache", "stunnel"]
"""Products that use OpenSSL: without tickets, a TLS 1.3 ticket of theirs names a session in the cache."""
OTHERS = ["gnutls-serv", "selfserv"]
"""GnuTLS and NSS have no such tickets."""

pytestmark = scenario(programs=OPENSSL + OTHERS)


def full(server):
    """A full handshake."""
    first = server.connect()
    assert first.outcome is FULL
    return first


def twice(server):
    """A full handshake, and a connection that offers its session."""
    return server.connect(offer=full(server).session)


def test_tickets_resume(program):
    second = twice(program())

    assert second.mechanism is BY_TICKET[second.tls]


@scenario(programs=["nginx"], versions=[TLSv1_3], every_stack=True)
def test_tickets_resume_with_every_client(program):
    assert twice(program()).mechanism is Mechanism.PSK


@scenario(programs=OPENSSL, versions=[TLSv1_2])
def test_without_tickets_and_cache_nothing_is_issued(program):
    server = program(tickets=False, cache="none")
    first, second = server.connect(), server.connect()

    assert first.outcome is FULL
    assert second.outcome is FULL
    assert reasons(server, second) == (Reason.NO_TICKET_SENT,)


@scenario(programs=OPENSSL, versions=[TLSv1_3])
def test_without_tickets_and_cache_what_is_issued_is_declined(program):
    server = program(tickets=False, cache="none")
    second = twice(server)

    assert second.outcome is DECLINED
    assert reasons(server, second)[0] is Reason.NOT_IN_CACHE


@scenario(programs=OTHERS, versions=[TLSv1_3])
def test_without_tickets_gnutls_and_nss_issue_nothing(program):
    server = program(tickets=False)
    first, second = server.connect(), server.connect()

    assert first.outcome is FULL
    assert second.outcome is FULL
    assert reasons(server, second) == (Reason.NO_TICKET_SENT,)


@scenario(programs=OTHERS, versions=[TLSv1_2])
def test_without_cache_gnutls_and_nss_decline_their_session_ids(program):
    server = program(tickets=False, cache="none")
    second = twice(server)

    assert second.outcome is DECLINED
    assert reasons(server, second)[0] is Reason.NOT_IN_CACHE


@scenario(programs=OPENSSL + OTHERS, versions=[TLSv1_2])
@cases("cache", "builtin", "shared")
def test_a_cache_resumes_session_ids(program, cache):
    assert twice(program(tickets=False, cache=cache)).mechanism is Mechanism.SESSION_ID


@scenario(programs=OPENSSL, versions=[TLSv1_3])
@cases("cache", "builtin", "shared")
def test_a_cache_resumes_without_tickets(program, cache):
    second = twice(program(tickets=False, cache=cache))

    assert second.mechanism is Mechanism.PSK
    assert second.from_cache is True


@scenario(programs=OPENSSL + OTHERS, versions=[TLSv1_3])
def test_two_servers_with_a_key_each_decline_each_other_s_tickets(program):
    server = program(behind=2)
    first = full(server)
    other = server.connect(offer=first.session)
    same = server.connect(offer=first.session)

    assert other.outcome is DECLINED
    assert reasons(server, other)[0] is Reason.TICKET_KEY_UNKNOWN
    assert same.outcome is RESUMED
    assert same.mechanism is Mechanism.PSK


def test_two_servers_with_one_key_resume_each_other_s_tickets(program):
    second = twice(program(behind=2, shared_keys=True))

    assert second.mechanism is BY_TICKET[second.tls]


SITES = {"localhost": "server", "other.example": "other-server"}
SEEN = date(2026, 11, 29)
NOT_COMPARED = "ssl_get_prev_session compares the session id context, which both sites have, and no name"
NOT_CHECKED = "tls_construct_ctos_psk compares neither the name of the session nor that of its certificate"
OTHER_NAME = {
    "other_name_not_resumed": [
        broken_by(Role.SERVER, name, SEEN, NOT_COMPARED, tls=TLSv1_2) for name in ("nginx", "haproxy")
    ],
    "name_in_certificate": broken_by(Role.CLIENT, "*", SEEN, NOT_CHECKED, tls=TLSv1_3),
}


def over_to_other_site(server):
    """A session of the open site, offered without a certificate to the site that demands one."""
    return server.connect(offer=full(server).session, server_name="other.example")


def other_site_demands_certificate(program):
    """The other site of a server with two refuses the session of the open one, and takes a certificate."""
    server = program(sites=SITES, asking=("other.example",))
    other = over_to_other_site(server)
    allowed = server.connect(server_name="other.example", client_certificate="client")

    assert other.outcome is ABORTED
    assert other.alert.number in {HANDSHAKE_FAILURE, ACCESS_DENIED, CERTIFICATE_REQUIRED}
    assert allowed.outcome is FULL
    assert "CertificateRequest" in allowed.messages.types()
    assert server.status(allowed) in {OK, NOT_FOUND}


@scenario(programs=["apache"], breaks=OTHER_NAME)
def test_a_session_of_apache_s_open_site_replaces_no_certificate(program):
    other_site_demands_certificate(program)


@scenario(programs=["nginx"], versions=[TLSv1_3], breaks=OTHER_NAME)
def test_a_session_of_nginx_s_open_site_replaces_no_certificate(program):
    """It sends access_denied since CVE-2025-23419."""
    other_site_demands_certificate(program)


def resumes_at_other_site(server):
    """OpenSSL does not compare the name, although RFC 6066, 3 forbids to resume under another one."""
    other = over_to_other_site(server)

    assert other.outcome is RESUMED
    assert other.mechanism is BY_TICKET[other.tls]
    assert reasons(server, other) == (Reason.OTHER_SERVER_NAME,)
    return server.status(other)


@scenario(programs=["nginx"], versions=[TLSv1_2], breaks=OTHER_NAME)
def test_nginx_refuses_by_its_host_what_it_resumes_at_another_site(program):
    assert resumes_at_other_site(program(sites=SITES, asking=("other.example",))) == MISDIRECTED


@scenario(programs=["haproxy"], breaks=OTHER_NAME)
def test_haproxy_answers_what_it_resumes_at_another_site(program):
    server = program(sites=SITES, asking=("other.example",))
    status = resumes_at_other_site(server)
    refused = server.connect(server_name="other.example")

    assert status == OK
    assert refused.outcome is ABORTED
    assert refused.alert.number in {HANDSHAKE_FAILURE, CERTIFICATE_REQUIRED}


@scenario(programs=OPENSSL, versions=[TLSv1_3])
def test_a_key_in_a_file_outlives_a_reload(program):
    server = program(shared_keys=True)
    first = full(server)
    server.reload()
    second = server.connect(offer=first.session)

    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.PSK


@scenario(programs=OPENSSL, versions=[TLSv1_3])
def test_a_key_of_its_own_does_not_outlive_a_reload(program):
    server = program()
    first = full(server)
    server.reload()
    second = server.connect(offer=first.session)

    assert second.outcome is DECLINED
    assert reasons(server, second)[0] is Reason.TICKET_KEY_UNKNOWN


@scenario(programs=OPENSSL + OTHERS, versions=[TLSv1_3])
def test_a_key_of_its_own_does_not_outlive_a_restart(program):
    server = program()
    first = full(server)
    server.restart()
    second = server.connect(offer=first.session)

    assert second.outcome is DECLINED
    assert reasons(server, second)[0] is Reason.TICKET_KEY_UNKNOWN
