"""A TLS 1.3 client that closes before it has read its tickets has nothing to resume with.

RFC 8446, 4.6.1: tickets come after the handshake, with or without application data. SSL_SESSION_is_resumable(3)
is false before one was read; the application of a client must read once (SSL_get_session(3), NOTES). The server's part
is done: it counts its tickets, and its cache holds the stateful ones.
"""

from harness import (
    FULL,
    Capability,
    Close,
    Ending,
    Mechanism,
    Reason,
    Role,
    TLSv1_3,
    openssl_chooses,
    reasons,
    scenario,
)

EARLY = {"client": [Capability.SESSION_BEFORE_TICKET]}
COUNTS = {"client": [Capability.SESSION_BEFORE_TICKET], "server": [Capability.COUNTERS]}
CLEAN = [Close.BOTH, Close.SERVER_ONLY]
"""Ways to close in which the server has sent close_notify, and keeps its entries."""


def closed_early(pair):
    """A connection that is closed after its handshake, with no application data; and the session that it had."""
    live = pair.open()
    session = live.session()
    return live.close(pair.close_how), session


@scenario(versions=[TLSv1_3], close=[Close.BOTH, Close.CLIENT_ONLY, Close.SERVER_ONLY, Close.RST], needs=EARLY)
@openssl_chooses(Role.SERVER, "two tickets")
def test_session_of_a_connection_with_unread_tickets_is_not_offered(pair):
    first, session = closed_early(pair)
    second = pair.connect(offer=session)

    assert first.outcome is FULL
    assert first.messages.types().count("NewSessionTicket") == 2
    assert second.offered is not None
    assert second.outcome is FULL
    assert second.messages.client_hello.psk_identities == ()
    assert reasons(pair, second) == (Reason.NO_TICKET_YET,)


@scenario(versions=[TLSv1_3], needs=EARLY)
@openssl_chooses(Role.SERVER, "two tickets")
def test_session_of_a_connection_that_read_its_tickets_resumes(pair):
    live = pair.open()
    live.exchange()
    session = live.session()
    first = live.close()
    second = pair.connect(offer=session)

    assert first.outcome is FULL
    assert first.messages.types().count("NewSessionTicket") == 2
    assert second.mechanism is Mechanism.PSK


@scenario(versions=[TLSv1_3], server={"num_tickets": 0}, close=CLEAN, needs=EARLY)
def test_server_that_sends_no_ticket_leaves_none_unread(pair):
    first, session = closed_early(pair)
    second = pair.connect(offer=session)

    assert first.outcome is FULL
    assert first.messages.types().count("NewSessionTicket") == 0
    assert second.offered is not None
    assert second.outcome is FULL
    assert reasons(pair, second) == (Reason.NO_TICKET_SENT,)


@scenario(versions=[TLSv1_3], needs=EARLY)
def test_close_with_unread_tickets_is_clean_at_both_ends(pair):
    first, _ = closed_early(pair)

    assert first.outcome is FULL
    assert first.client.ending is Ending.CLOSE_NOTIFY
    assert first.server.ending is Ending.CLOSE_NOTIFY


@scenario(versions=[TLSv1_3], server={"tickets": False}, close=CLEAN, needs=COUNTS)
def test_stateful_tickets_that_nobody_read_stay_in_the_cache(pair):
    first, _ = closed_early(pair)

    assert first.outcome is FULL
    assert pair.server.counters().items == 2


@scenario(versions=[TLSv1_3], server={"tickets": False}, close=Close.CLIENT_ONLY, needs=COUNTS)
def test_last_stateful_ticket_is_lost_without_the_servers_close_notify(pair):
    first, _ = closed_early(pair)

    assert first.outcome is FULL
    assert pair.server.counters().items == 1
