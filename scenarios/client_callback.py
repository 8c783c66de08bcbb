"""Which sessions a client's new-session callback sees, by the client's cache mode (SSL_CTX_sess_set_new_cb(3)).

ssl_update_cache calls it for a client only with SSL_SESS_CACHE_CLIENT, whatever NO_INTERNAL_STORE says of the cache.
TLS 1.3 has a session for each ticket, also after a resumption; TLS 1.2 one for each full handshake, and none after a
resumption (tls_process_new_session_ticket, tls_finish_handshake).
"""

from harness import BOTH, DECLINED, FULL, CacheMode, Capability, Mechanism, Reason, TLSv1_2, TLSv1_3, reasons, scenario

OFF, CLIENT, SERVER, BOTH_ENDS = CacheMode.OFF, CacheMode.CLIENT, CacheMode.SERVER, CacheMode.BOTH
NO_INTERNAL, NO_LOOKUP, NO_STORE = CacheMode.NO_INTERNAL, CacheMode.NO_INTERNAL_LOOKUP, CacheMode.NO_INTERNAL_STORE

STORING = [{CLIENT}, {BOTH_ENDS}, {CLIENT, NO_LOOKUP}]
"""Modes in which a client also holds what its callback sees."""
CALLING = [*STORING, {CLIENT, NO_STORE}, {CLIENT, NO_INTERNAL}, {BOTH_ENDS, NO_INTERNAL}]
SILENT = [{OFF}, {SERVER}, {NO_INTERNAL}, {SERVER, NO_STORE}]
CALLED = {"client": [Capability.NEW_SESSION_CALLBACK]}
COUNTS = {"client": [Capability.NEW_SESSION_CALLBACK, Capability.COUNTERS]}
KEPT = {"tickets": BOTH}


@scenario(versions=[TLSv1_3], client={"cache_mode": CALLING}, server=KEPT, needs=CALLED)
def test_callback_sees_each_tls13_ticket(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.client.new_sessions == first.tickets == pair.server_default("tickets")
    assert [s.ticket for s in first.sessions] == [t.ticket for t in first.messages.tickets]
    assert second.mechanism is Mechanism.PSK
    assert second.client.new_sessions == second.tickets == pair.server_default("tickets_after_resumption")


@scenario(versions=[TLSv1_2], client={"cache_mode": CALLING}, server=KEPT, needs=CALLED)
def test_callback_sees_a_tls12_session_once(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.client.new_sessions == 1
    assert second.mechanism in {Mechanism.SESSION_ID, Mechanism.SESSION_TICKET}
    assert second.client.new_sessions == 0


@scenario(client={"cache_mode": SILENT}, server=KEPT, needs=CALLED)
def test_callback_sees_nothing_without_a_client_cache(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.client.new_sessions == 0
    assert len(first.sessions) == 1
    assert second.mechanism is not None
    assert second.client.new_sessions == 0


@scenario(client={"cache_mode": CALLING}, server={"tickets": False}, needs=CALLED)
def test_callback_sees_the_sessions_of_a_declined_offer_too(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)
    assert second.client.new_sessions == first.client.new_sessions > 0


@scenario(versions=[TLSv1_3], client={"cache_mode": CALLING}, server={"num_tickets": 0}, needs=CALLED)
def test_callback_sees_nothing_without_a_ticket(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.tickets == 0
    assert first.client.new_sessions == 0


@scenario(client={"cache_mode": STORING}, needs=COUNTS)
def test_client_also_holds_what_its_callback_saw(pair):
    first = pair.connect()
    items = pair.client.counters().items

    assert first.outcome is FULL
    assert items == first.client.new_sessions > 0


@scenario(client={"cache_mode": [{CLIENT, NO_STORE}, {CLIENT, NO_INTERNAL}]}, needs=COUNTS)
def test_callback_sees_what_the_client_does_not_hold(pair):
    first = pair.connect()
    items = pair.client.counters().items

    assert first.outcome is FULL
    assert first.client.new_sessions > 0
    assert items == 0
