"""A TLS 1.2 client that holds a session id and now wants a ticket gets one while it resumes by its id.

RFC 5077, 3.1 and 3.4: an empty session_ticket extension beside a session id asks for a ticket; the server resumes by
the id, and sends a NewSessionTicket in the abbreviated handshake. OpenSSL: ssl_get_prev_session looks into the cache
for a ticket of no length, tls_decrypt_ticket gives SSL_TICKET_EMPTY and with it ticket_expected.
"""

from harness import (
    BOTH,
    DECLINED,
    FULL,
    CacheMode,
    Capability,
    Mechanism,
    Reason,
    Role,
    TLSv1_2,
    openssl_chooses,
    reasons,
    scenario,
)

NO_TICKETS = {"tickets": False}
IMPORTS = {"client": [Capability.SESSION_IMPORT]}
NEEDED = {"client": [Capability.SESSION_FIELDS, Capability.SESSION_IMPORT]}

pytestmark = scenario(versions=[TLSv1_2], client=NO_TICKETS, needs=IMPORTS)


@openssl_chooses(Role.SERVER, "it takes a session id of before it issued tickets")
def test_session_id_resumes_and_brings_a_ticket(pair):
    first = pair.connect()
    pair.new_client(tickets=True)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.tickets == 0
    assert first.messages.client_hello.session_ticket is None
    assert second.mechanism is Mechanism.SESSION_ID
    assert second.messages.client_hello.session_ticket == b""
    assert second.messages.client_hello.session_id == first.messages.server_hello.session_id
    assert second.messages.server_hello.session_ticket == b""
    assert second.tickets == 1


@scenario(versions=[TLSv1_2], client=NO_TICKETS, needs={"client": [Capability.SESSION_FIELDS]})
def test_client_that_wants_none_gets_none(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.session.has_ticket is False
    assert second.mechanism is Mechanism.SESSION_ID
    assert second.messages.client_hello.session_ticket is None
    assert second.messages.server_hello.session_ticket is None
    assert second.tickets == 0
    assert second.session.has_ticket is False


@scenario(versions=[TLSv1_2], client=NO_TICKETS, server=NO_TICKETS, needs=NEEDED)
def test_server_that_issues_none_resumes_without_one(pair):
    first = pair.connect()
    pair.new_client(tickets=True)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.messages.client_hello.session_ticket is None
    assert second.mechanism is Mechanism.SESSION_ID
    assert second.messages.client_hello.session_ticket == b""
    assert second.messages.server_hello.session_ticket is None
    assert second.tickets == 0


@scenario(
    versions=[TLSv1_2],
    client=NO_TICKETS,
    server={"ticket_keys": "shared"},
    needs={"client": [Capability.SESSION_BEFORE_TICKET, Capability.SESSION_DATA]},
)
def test_ticket_that_came_so_resumes_at_a_server_that_has_forgotten_the_id(pair):
    """s_client writes no session for a TLS 1.2 resumption, and so no ticket."""
    first = pair.connect()
    pair.new_client(tickets=True)
    second = pair.connect(offer=first.session)
    pair.new_server()
    third = pair.connect(offer=second.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.SESSION_ID
    assert second.session.has_ticket is True
    assert second.session.ticket == second.messages.tickets[0].ticket
    assert third.setup.server_context != second.setup.server_context
    assert third.mechanism is Mechanism.SESSION_TICKET
    assert third.messages.client_hello.session_ticket == second.messages.tickets[0].ticket
    assert third.tickets == 0


@scenario(versions=[TLSv1_2], client=NO_TICKETS, needs=IMPORTS)
def test_server_without_the_id_declines_and_issues_a_ticket(pair):
    first = pair.connect()
    pair.new_server()
    pair.new_client(tickets=True)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert second.messages.client_hello.session_id == first.messages.server_hello.session_id
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)
    assert second.tickets == 1


@scenario(
    versions=[TLSv1_2],
    client=NO_TICKETS,
    server={"cache_mode": frozenset({CacheMode.SERVER, CacheMode.NO_INTERNAL_LOOKUP}), "tickets": BOTH},
    needs=IMPORTS,
)
def test_server_that_does_not_look_it_up_declines(pair):
    first = pair.connect()
    pair.new_client(tickets=True)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.LOOKUP_OFF,)
    assert second.tickets == int(pair.server_config.tickets)
