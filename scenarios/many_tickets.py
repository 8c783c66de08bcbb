"""A TLS 1.3 server sends as many tickets as it is set to, from none to 1512, and each is of its own kind.

SSL_CTX_set_num_tickets(3) names no maximum. RFC 8446, 4.6.1: the nonce is unique among the tickets of a connection.
ticket_count covers what a resumption sends.
"""

from harness import BOTH, DECLINED, FULL, Capability, Mechanism, Reason, TLSv1_3, cases, reasons, scenario

FEW = [0, 1, 3]
MANY = 1512
EVERY_TICKET = {"client": [Capability.EVERY_TICKET]}


def kinds(connection):
    """How many tickets the server sent, how many of them differ, and how many have a nonce of their own."""
    sent = connection.messages.tickets
    return len(sent), len({ticket.ticket for ticket in sent}), len({ticket.nonce for ticket in sent})


@scenario(versions=[TLSv1_3], server={"num_tickets": FEW})
def test_each_ticket_has_a_nonce_of_its_own(pair):
    first = pair.connect()
    number = pair.server_config.num_tickets

    assert first.outcome is FULL
    assert first.tickets == number
    assert kinds(first) == (number, number, number)


@scenario(versions=[TLSv1_3], server={"num_tickets": MANY}, same_stack=True)
def test_each_of_many_tickets_has_a_nonce_of_its_own(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.tickets == MANY
    assert kinds(first) == (MANY, MANY, MANY)


@scenario(versions=[TLSv1_3], server={"num_tickets": 0, "tickets": BOTH})
def test_no_ticket_is_the_reason_for_a_full_handshake(pair):
    first = pair.connect()
    second = pair.connect(offer=first.last_session)

    assert first.tickets == 0
    assert second.offered is first.last_session
    assert second.outcome is FULL
    assert reasons(pair, second) == (Reason.NO_TICKET_SENT,)


@scenario(versions=[TLSv1_3], server={"num_tickets": [1, 3], "tickets": BOTH})
def test_last_of_them_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.tickets == pair.server_config.num_tickets
    assert second.mechanism is Mechanism.PSK
    assert second.messages.client_hello.psk_identities == (first.messages.tickets[-1].ticket,)
    assert second.tickets == 1


def resumed_with(pair, index):
    """A full handshake, and a connection that offers its ticket of that index."""
    first = pair.connect()
    return first, pair.connect(offer=first.sessions[index])


@scenario(versions=[TLSv1_3], server={"num_tickets": MANY}, needs=EVERY_TICKET, same_stack=True)
@cases("index", 0, MANY // 2)
def test_earlier_ones_resume_too(pair, index):
    first, second = resumed_with(pair, index)

    assert first.tickets == MANY
    assert second.mechanism is Mechanism.PSK
    assert second.from_cache is False
    assert second.messages.client_hello.psk_identities == (first.messages.tickets[index].ticket,)


@scenario(
    versions=[TLSv1_3],
    server={"num_tickets": MANY, "tickets": False},
    needs=EVERY_TICKET,
    same_stack=True,
)
@cases("index", 0, MANY // 2)
def test_earlier_stateful_ones_resume_too_where_the_cache_holds_them(pair, index):
    first, second = resumed_with(pair, index)

    assert first.tickets == MANY
    assert second.mechanism is Mechanism.PSK
    assert second.from_cache is True
    assert second.messages.client_hello.psk_identities == (first.messages.tickets[index].ticket,)


@scenario(
    versions=[TLSv1_3],
    server={"num_tickets": MANY, "tickets": False, "cache_size": MANY // 2},
    needs=EVERY_TICKET,
    same_stack=True,
)
def test_earliest_stateful_one_is_declined_where_the_cache_is_smaller(pair):
    first = pair.connect()
    second = pair.connect(offer=first.sessions[0])

    assert first.tickets == MANY
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)


@scenario(
    versions=[TLSv1_3],
    server={"num_tickets": FEW, "tickets": False},
    needs={"server": [Capability.RUNNING_COUNTERS], "client": [Capability.SESSION_FIELDS]},
)
def test_each_stateful_ticket_is_an_entry_of_the_cache(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.tickets == pair.server_config.num_tickets
    assert pair.last_counters().items == pair.server_config.num_tickets


@scenario(versions=[TLSv1_3], server={"num_tickets": FEW}, needs={"server": [Capability.RUNNING_COUNTERS]})
def test_stateless_tickets_are_no_entries_of_the_cache(pair):
    first = pair.connect()

    assert first.tickets == pair.server_config.num_tickets
    assert pair.last_counters().items == 0
