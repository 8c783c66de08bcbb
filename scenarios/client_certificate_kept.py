"""A client's certificate is shown once, and a server knows it in every resumption, with extended master secret or not.

RFC 8446, 2.2 and 4.3.2 and RFC 5246, 7.3: a resumption has neither CertificateRequest nor Certificate, and takes the
peer from the session (SSL_get0_peer_certificate(3)). RFC 7627, 5.3: a session keeps its extended master secret. OpenSSL
resumes a session with a client certificate also without it; the RFC's warning of such resumptions (5.4) is for servers
that rely on the certificate.
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
    Mechanism,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    Verify,
    openssl_chooses,
    reasons,
    scenario,
)

CLIENT = {"client_certificate": "client"}
ASKS = {"verify": Verify.OPTIONAL}
REQUIRES = {"verify": Verify.REQUIRED}
EITHER_WAY = {"tickets": BOTH}
EMS = {"extended_master_secret": BOTH}
IMPORTS = {"client": [Capability.SESSION_IMPORT]}
DATA = {"client": [Capability.SESSION_DATA]}
SHOWN = {"Certificate", "CompressedCertificate"}


NOT_KEPT = (
    Role.SERVER,
    "wolfssl@<=5.5.4",
    date(2026, 11, 30),
    "a ticket of wolfSSL 5.5.4 (InternalTicket) holds no certificate, so that wolfSSL_get_peer_certificate gives none",
)
KNOWN: Expectation[list[bool | None]] = Expectation(
    [True, True, True], Differs([True, None, None], *NOT_KEPT, tls=TLSv1_2)
)
NEVER_KNOWN: Expectation[list[bool | None]] = Expectation([False, False], Differs([False, None], *NOT_KEPT))
STILL_KNOWN: Expectation[bool | None] = Expectation(True, Differs(None, *NOT_KEPT, tls=TLSv1_2))  # noqa: FBT003 - what is expected


def shown(connection):
    """Whether the server asked for a certificate, and whether the client sent a message for one."""
    types = connection.messages.types()
    return "CertificateRequest" in types, not SHOWN.isdisjoint(connection.messages.types(Role.CLIENT))


@scenario(client=CLIENT, server=REQUIRES | EITHER_WAY)
def test_certificate_is_shown_once_and_known_in_each_resumption(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=second.session)

    assert first.outcome is FULL
    assert shown(first) == (True, True)
    assert second.mechanism is not None
    assert third.mechanism is second.mechanism
    assert shown(second) == shown(third) == (False, False)
    assert [c.server.peer_certificate for c in (first, second, third)] == KNOWN.of(pair)
    assert reasons(pair, third) == ()


@scenario(server=ASKS | EITHER_WAY)
def test_client_without_a_certificate_has_none_in_the_resumption_either(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert shown(first) == (True, True)
    assert second.mechanism is not None
    assert shown(second) == (False, False)
    assert [c.server.peer_certificate for c in (first, second)] == NEVER_KNOWN.of(pair)


@scenario(client=CLIENT, server=ASKS | EITHER_WAY, needs=IMPORTS)
def test_client_that_has_lost_its_certificate_is_still_known(pair):
    first = pair.connect()
    pair.new_client(client_certificate=None)
    second = pair.connect(offer=first.session)
    third = pair.connect()

    assert first.outcome is FULL
    assert second.mechanism is not None
    assert second.server.peer_certificate is STILL_KNOWN.of(pair)
    assert third.outcome is FULL
    assert third.server.peer_certificate is False


@scenario(client=CLIENT, server=REQUIRES)
def test_certificate_is_shown_again_where_the_session_is_declined(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_KEY_UNKNOWN,)
    assert shown(second) == (True, True)
    assert second.server.peer_certificate is True


@scenario(versions=[TLSv1_2], client=CLIENT | EMS, server=REQUIRES | EITHER_WAY, needs=DATA)
@openssl_chooses(Role.SERVER, "it resumes a session without an extended master secret")
def test_tls12_session_keeps_certificate_and_extended_master_secret(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    wanted = pair.client_config.extended_master_secret

    assert first.outcome is FULL
    assert first.messages.client_hello.extended_master_secret is wanted
    assert second.mechanism in {Mechanism.SESSION_ID, Mechanism.SESSION_TICKET}
    assert second.server.peer_certificate is True
    assert second.messages.server_hello.extended_master_secret is first.messages.server_hello.extended_master_secret
    assert second.session.extended_master_secret is first.session.extended_master_secret


IGNORED = "1.0.2 knows no extended_master_secret: ssl_scan_clienthello_tlsext ignores it, and the session is resumed"
BEFORE_EMS = (Role.SERVER, "*@<1.1.0", date(2026, 11, 29), IGNORED)
WITH_ADDED = Expectation(DECLINED, Differs(RESUMED, *BEFORE_EMS))
BY_WITH_ADDED: Expectation[Mechanism | None] = Expectation(None, Differs(Mechanism.SESSION_TICKET, *BEFORE_EMS))
WHY_WITH_ADDED: Expectation[tuple[Reason, ...]] = Expectation(
    (Reason.EXTENDED_MASTER_SECRET_ADDED,), Differs((), *BEFORE_EMS)
)
SHOWN_AGAIN = Expectation((True, True), Differs((False, False), *BEFORE_EMS))


@scenario(versions=[TLSv1_2], client=CLIENT | {"extended_master_secret": False}, server=REQUIRES, needs=IMPORTS)
def test_added_extended_master_secret_shows_the_certificate_again(pair):
    first = pair.connect()
    pair.new_client(extended_master_secret=True)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.messages.client_hello.extended_master_secret is False
    assert second.outcome is WITH_ADDED.of(pair)
    assert second.mechanism is BY_WITH_ADDED.of(pair)
    assert reasons(pair, second) == WHY_WITH_ADDED.of(pair)
    assert shown(second) == SHOWN_AGAIN.of(pair)


@scenario(versions=[TLSv1_3], client=CLIENT | EMS, server=REQUIRES, needs=DATA)
def test_tls13_session_needs_no_extended_master_secret(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.session.extended_master_secret is False
    assert second.mechanism is Mechanism.PSK
    assert second.server.peer_certificate is True
