"""A server restarts, or a second one takes over: which sessions are lost, and which survive with shared ticket keys.

RFC 5077, 4 and RFC 8446, 4.6.1: a ticket resumes only where its keys are known. By default each SSL_CTX has random keys
(SSL_CTX_set_tlsext_ticket_key_cb(3)). A cached session is lost with its cache (RFC 5246, F.1.4).
"""

from datetime import date

from harness import (
    DECLINED,
    FULL,
    RESUMED,
    Capability,
    Differs,
    Expectation,
    Mechanism,
    Outcome,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    reasons,
    scenario,
)

pytestmark = scenario()

WITH_THE_NEW_ONE: Expectation[tuple[Outcome, bool | None]] = Expectation(
    (RESUMED, False),
    Differs(
        (DECLINED, None),
        Role.SERVER,
        "wolfssl@<=5.5.4",
        date(2026, 11, 30),
        "a server of wolfSSL 5.5.4 that declines a TLS 1.2 ticket issues no new one (RFC 5077, 3.3 lets it)",
        tls=TLSv1_2,
    ),
)


def test_restarted_server_with_new_keys_declines_old_tickets_only(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=second.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_KEY_UNKNOWN,)
    assert (third.outcome, third.from_cache) == WITH_THE_NEW_ONE.of(pair)


def test_ticket_is_declined_after_the_restart_however_often_it_is_offered(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.new_server()
    third = pair.connect(offer=first.session)
    fourth = pair.connect(offer=first.session)

    assert [c.outcome for c in (first, second, third, fourth)] == [FULL, RESUMED, DECLINED, DECLINED]
    assert second.from_cache is False
    assert reasons(pair, third) == (Reason.TICKET_KEY_UNKNOWN,)
    assert reasons(pair, fourth) == (Reason.TICKET_KEY_UNKNOWN,)


@scenario(server={"ticket_keys": "shared"})
def test_ticket_resumes_at_a_second_server_with_shared_keys(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)
    pair.new_server()
    third = pair.connect(offer=second.session)

    assert first.outcome is FULL
    assert second.setup.server_context != first.setup.server_context
    assert third.setup.server_context != second.setup.server_context
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert third.outcome is RESUMED
    assert third.from_cache is False


@scenario(server={"ticket_keys": "shared"})
def test_ticket_is_declined_by_a_server_with_keys_of_another_name(pair):
    first = pair.connect()
    pair.new_server(ticket_keys="other")
    second = pair.connect(offer=first.session)
    pair.new_server(ticket_keys="shared")
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_KEY_UNKNOWN,)
    assert third.outcome is RESUMED
    assert third.from_cache is False


@scenario(server={"ticket_keys": ["shared", None], "tickets": False})
def test_cached_session_is_lost_with_or_without_shared_ticket_keys(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.new_server()
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert third.outcome is DECLINED
    assert reasons(pair, third) == (Reason.NOT_IN_CACHE,)


@scenario(versions=[TLSv1_2], server={"tickets": False}, needs={"server": [Capability.RUNNING_COUNTERS]})
def test_lost_tls12_session_id_is_one_miss_in_the_empty_cache(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    before = pair.last_counters()
    pair.new_server()
    third = pair.connect(offer=first.session)
    after = pair.last_counters()

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.SESSION_ID
    assert third.outcome is DECLINED
    assert reasons(pair, third) == (Reason.NOT_IN_CACHE,)
    assert (before.hits, before.misses) == (1, 0)
    assert (after.hits, after.misses) == (0, 1)


@scenario(versions=[TLSv1_3], server={"tickets": False}, needs={"server": [Capability.RUNNING_COUNTERS]})
def test_lost_tls13_stateful_ticket_is_one_miss_in_the_empty_cache(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)
    assert pair.last_counters().misses == 1
