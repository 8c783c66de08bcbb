"""A TLS 1.2 ticket resumes, and the server stores nothing (RFC 5077, 3.1 to 3.4)."""

from datetime import date

from harness import (
    DECLINED,
    FULL,
    RESUMED,
    CacheMode,
    Capability,
    Differs,
    Expectation,
    Mechanism,
    Reason,
    Role,
    TLSv1_2,
    openssl_chooses,
    reasons,
    scenario,
)

OF_SSLV23_METHOD = (
    "ssl23_default_timeout of 1.0.2 (ssl/s23_lib.c) gives 300; TLS_method of 1.1.0 has tls1_default_timeout"
)
LIFETIME = Expectation(7200, Differs(300, Role.SERVER, "*@<1.1.0", date(2026, 11, 21), OF_SSLV23_METHOD))

SEEN = date(2026, 11, 29)
OF_GNUTLS = "gnutls-serv 3.7.9 and s_client -tls1_2: Session-ID of 32 bytes beside a ticket"
OF_JSSE = "a server of JSSE 17.0.15 and s_client -tls1_2: Session-ID of 32 bytes beside a ticket"
NO_ID_BESIDE_A_TICKET = Expectation(
    True,  # noqa: FBT003 - what is expected
    Differs(False, Role.SERVER, "gnutls:*", SEEN, OF_GNUTLS),  # noqa: FBT003 - what is seen
    Differs(False, Role.SERVER, "java:*", SEEN, OF_JSSE),  # noqa: FBT003 - what is seen
)
"""RFC 5077, 3.4: a server that is going to issue a ticket SHOULD send an empty session id."""

pytestmark = scenario(versions=[TLSv1_2])


def test_ticket_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.tickets == 1
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.SESSION_TICKET


@scenario(versions=[TLSv1_2], needs={"client": [Capability.SESSION_DATA]})
@openssl_chooses(Role.SERVER, "a lifetime of 7200 seconds")
def test_session_holds_the_ticket_as_it_was_sent(pair):
    first = pair.connect()

    sent = first.messages.tickets[0]
    assert first.outcome is FULL
    assert first.session.has_ticket is True
    assert first.session.ticket == sent.ticket
    assert first.session.ticket_length == len(sent.ticket)
    assert first.session.lifetime_hint == sent.lifetime == LIFETIME.of(pair)
    assert first.session.master_key_length == 48


def test_server_gives_no_id_and_echoes_the_one_that_comes_with_the_ticket(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    invented = second.messages.client_hello.session_id
    assert (first.messages.server_hello.session_id == b"") == NO_ID_BESIDE_A_TICKET.of(pair)
    assert len(invented) == 32
    assert second.messages.server_hello.session_id == invented


@scenario(versions=[TLSv1_2], needs={"client": [Capability.OPENSSL_CHOICES], "server": [Capability.RUNNING_COUNTERS]})
def test_server_keeps_no_entry_and_counts_the_hit(pair):
    first = pair.connect()
    before = pair.last_counters()
    second = pair.connect(offer=first.session)
    after = pair.last_counters()

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert (before.items, before.hits, before.misses) == (0, 0, 0)
    assert (after.items, after.hits, after.misses) == (0, 1, 0)


@scenario(versions=[TLSv1_2], server={"cache_mode": {CacheMode.OFF}}, needs={"client": [Capability.SESSION_IMPORT]})
def test_server_without_a_cache_issues_tickets_all_the_same(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.new_client(tickets=False)
    third = pair.connect()

    assert first.tickets == 1
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.SESSION_TICKET
    assert third.messages.server_hello.session_id == b""
    assert third.tickets == 0


def test_ticket_resumes_twice(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert third.outcome is RESUMED
    assert third.from_cache is False


@openssl_chooses(Role.SERVER, "a new ticket where it declines one (RFC 5077, 3.3)")
def test_ticket_of_other_keys_is_declined_and_replaced(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_KEY_UNKNOWN,)
    assert second.mechanism is None
    assert second.messages.client_hello.session_ticket == first.messages.tickets[0].ticket
    assert second.tickets == 1


@scenario(versions=[TLSv1_2], server={"ticket_keys": "shared"})
def test_ticket_of_the_same_keys_resumes_at_another_server(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.setup.server_context != first.setup.server_context
    assert second.outcome is RESUMED
    assert second.from_cache is False


@scenario(versions=[TLSv1_2], server={"ticket_keys": "shared"})
def test_server_that_takes_no_tickets_declines_one_of_its_own_keys(pair):
    first = pair.connect()
    pair.new_server(tickets=False)
    second = pair.connect(offer=first.session)
    pair.new_server(tickets=True)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)
    assert second.tickets == 0
    assert third.mechanism is Mechanism.SESSION_TICKET
