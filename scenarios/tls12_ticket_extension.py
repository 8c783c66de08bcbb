"""The session_ticket extension of a ClientHello: empty, with the ticket, or absent (RFC 5077, 3.2 and 3.4).

SSL_CTX_set_options(3): SSL_OP_NO_TICKET at a client removes the extension. It never contains the ticket of a TLS 1.3
session, but OpenSSL sends it, empty, even if only TLS 1.3 is enabled (tls_construct_ctos_session_ticket).
"""

from harness import (
    DECLINED,
    FULL,
    RESUMED,
    Capability,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    openssl_chooses,
    reasons,
    scenario,
)

pytestmark = scenario(versions=[TLSv1_2])

IMPORTS = {"client": [Capability.SESSION_IMPORT]}


def test_extension_is_empty_when_no_ticket_is_held(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.messages.client_hello.session_ticket == b""
    assert first.messages.server_hello.session_ticket == b""


@openssl_chooses(Role.SERVER, "no new ticket after a TLS 1.2 resumption")
def test_extension_is_the_ticket_when_one_is_held(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert second.messages.client_hello.session_ticket == first.messages.tickets[0].ticket
    assert second.messages.server_hello.session_ticket is None


@scenario(versions=[TLSv1_2], server={"tickets": False})
def test_extension_is_empty_when_the_offered_session_has_only_an_id(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.messages.server_hello.session_ticket is None
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert second.messages.client_hello.session_ticket == b""
    assert second.messages.server_hello.session_ticket is None


@scenario(versions=[TLSv1_2], client={"tickets": False})
def test_extension_is_absent_when_the_client_wants_no_ticket(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.messages.client_hello.session_ticket is None
    assert first.messages.server_hello.session_ticket is None
    assert first.tickets == 0
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert second.messages.client_hello.session_ticket is None


@scenario(versions=[TLSv1_2], needs=IMPORTS)
def test_held_ticket_is_not_sent_by_a_client_that_wants_none(pair):
    first = pair.connect()
    pair.new_client(tickets=False)
    second = pair.connect(offer=first.session)

    assert first.tickets == 1
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)
    assert second.messages.client_hello.session_ticket is None
    assert len(second.messages.client_hello.session_id) == 32


@scenario(versions=[TLSv1_3], client={"versions": (TLSv1_2, TLSv1_3)})
def test_ticket_of_tls13_is_never_in_it(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.messages.client_hello.session_ticket == b""
    assert second.outcome is RESUMED
    assert TLSv1_2.wire in second.messages.client_hello.supported_versions
    assert second.messages.client_hello.session_ticket == b""
    assert len(second.messages.client_hello.psk_identities) == 1


@scenario(versions=[TLSv1_3], client={"versions": (TLSv1_2, TLSv1_3), "tickets": False})
def test_extension_is_absent_if_a_client_of_both_versions_wants_no_ticket(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.messages.client_hello.session_ticket is None
    assert second.outcome is RESUMED
    assert TLSv1_2.wire in second.messages.client_hello.supported_versions
    assert second.messages.client_hello.session_ticket is None
    assert len(second.messages.client_hello.psk_identities) == 1


@scenario(versions=[TLSv1_3], needs={"client": [Capability.OPENSSL_CHOICES]})
def test_client_of_tls13_alone_sends_it_empty_all_the_same(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.messages.client_hello.session_ticket == b""
    assert second.outcome is RESUMED
    assert second.messages.client_hello.session_ticket == b""
