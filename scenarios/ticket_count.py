"""How many tickets a server sends: SSL_CTX_set_num_tickets(3) for TLS 1.3, one in TLS 1.2 (RFC 5077, 3.3).

RFC 8446, 4.6.1 allows any number. OpenSSL: two after a full handshake, one after a resumption, whatever is set.
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

pytestmark = scenario(versions=[TLSv1_3])

COUNTS = {"num_tickets": [0, 1, 3]}
SENDS = {"num_tickets": [1, 3]}


def test_two_tickets_by_default(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.tickets == pair.server_default("tickets")


@scenario(versions=[TLSv1_3], needs={"client": [Capability.EVERY_TICKET]})
@openssl_chooses(Role.SERVER, "two tickets")
def test_each_ticket_is_a_session(pair):
    first = pair.connect()

    assert first.tickets == pair.server_default("tickets")
    assert len(first.sessions) == 2
    assert first.session.ticket == first.sessions[-1].ticket


@scenario(versions=[TLSv1_3], server=COUNTS)
def test_as_many_tickets_as_were_set(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.tickets == pair.server_config.num_tickets


def test_exactly_one_ticket_after_a_resumption(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=second.session)

    assert first.tickets == pair.server_default("tickets")
    assert second.outcome is RESUMED
    assert second.tickets == pair.server_default("tickets_after_resumption")
    assert third.outcome is RESUMED
    assert third.tickets == pair.server_default("tickets_after_resumption")


@scenario(versions=[TLSv1_3], server=SENDS)
def test_exactly_one_ticket_after_a_resumption_whatever_was_set(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.tickets == pair.server_config.num_tickets
    assert second.outcome is RESUMED
    assert second.tickets == pair.server_default("tickets_after_resumption")


@scenario(versions=[TLSv1_3], server=SENDS)
def test_as_many_tickets_as_were_set_after_a_decline(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_KEY_UNKNOWN,)
    assert second.tickets == pair.server_config.num_tickets


@scenario(versions=[TLSv1_3], server={"ticket_keys": "shared"})
def test_no_ticket_after_a_resumption_at_a_server_that_sends_none(pair):
    first = pair.connect()
    pair.new_server(num_tickets=0)
    second = pair.connect(offer=first.session)

    assert first.tickets == pair.server_default("tickets")
    assert second.outcome is RESUMED
    assert second.tickets == 0


@scenario(
    versions=[TLSv1_3],
    server={"num_tickets": 0},
    needs={"client": [Capability.SESSION_BEFORE_TICKET, Capability.SESSION_FIELDS]},
)
def test_session_without_a_ticket_is_not_offered(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.tickets == 0
    assert second.offered is not None
    assert first.session.has_ticket is False
    assert second.outcome is FULL
    assert second.was_offered is False
    assert second.messages.client_hello.psk_identities == ()


@scenario(versions=[TLSv1_2])
@openssl_chooses(Role.SERVER, "no new ticket after a TLS 1.2 resumption")
def test_one_ticket_in_tls12_and_none_after_a_resumption(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.tickets == 1
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert second.tickets == 0


@scenario(versions=[TLSv1_2], server=COUNTS)
def test_number_that_was_set_is_not_for_tls12(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.tickets == 1
