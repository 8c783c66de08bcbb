"""A TLS 1.3 ticket resumes as a PSK, and only where its keys are known (RFC 8446, 2.2, 4.2.11 and 4.6.1).

SSL_CTX_set_options(3): SSL_OP_NO_TICKET at a TLS 1.3 client changes nothing.
"""

from harness import (
    DECLINED,
    FULL,
    RESUMED,
    CacheMode,
    Capability,
    Mechanism,
    Reason,
    Role,
    TLSv1_3,
    cases,
    openssl_chooses,
    reasons,
    scenario,
)

pytestmark = scenario(versions=[TLSv1_3])

HASH_OF_SUITE = {"TLS_AES_256_GCM_SHA384": 48, "TLS_CHACHA20_POLY1305_SHA256": 32, "TLS_AES_128_GCM_SHA256": 32}
"""Bytes of the resumption PSK: the length of the cipher suite's hash (RFC 8446, 4.6.1 and 7.1)."""


def test_ticket_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.PSK


def test_first_client_hello_offers_nothing(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.was_offered is False
    assert first.messages.client_hello.psk_identities == ()
    assert first.messages.server_hello.selected_psk is None


def test_identity_that_is_offered_is_the_last_ticket(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert second.messages.client_hello.psk_identities == (first.messages.tickets[-1].ticket,)
    assert second.messages.server_hello.selected_psk == 0


def test_age_that_is_sent_is_that_of_the_ticket_obfuscated(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    age = (second.messages.client_hello.psk_ages[0] - first.messages.tickets[-1].age_add) % 2**32
    assert second.outcome is RESUMED
    assert age < 60_000


@scenario(versions=[TLSv1_3], needs={"client": [Capability.SESSION_FIELDS]})
@openssl_chooses(Role.SERVER, "a lifetime of 7200 seconds")
def test_session_has_a_ticket_and_the_lifetime_that_the_server_gave(pair):
    first = pair.connect()

    assert first.messages.tickets[-1].lifetime == 7200
    assert first.session.has_ticket is True
    assert first.session.lifetime_hint == 7200


@scenario(versions=[TLSv1_3], needs={"client": [Capability.SESSION_DATA]})
def test_session_holds_the_last_ticket_as_it_was_sent(pair):
    first = pair.connect()

    sent = first.messages.tickets[-1]
    assert first.session.ticket == sent.ticket
    assert first.session.ticket_length == len(sent.ticket)
    assert first.session.age_add == sent.age_add
    assert first.session.max_early_data == 0


@scenario(versions=[TLSv1_3], client={"ciphersuites": list(HASH_OF_SUITE)}, needs={"client": [Capability.SESSION_DATA]})
def test_secret_is_as_long_as_the_hash_of_the_suite(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.session.master_key_length == HASH_OF_SUITE[pair.client_config.ciphersuites]


@scenario(versions=[TLSv1_3], needs={"client": [Capability.EVERY_TICKET]})
@cases("index", 0, 1)
@openssl_chooses(Role.SERVER, "two tickets")
def test_each_ticket_of_a_connection_resumes(pair, index):
    first = pair.connect()
    second = pair.connect(offer=first.sessions[index])

    assert second.outcome is RESUMED
    assert second.messages.client_hello.psk_identities == (first.messages.tickets[index].ticket,)
    assert len(first.sessions) == 2


def test_ticket_resumes_twice(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert third.outcome is RESUMED


@scenario(versions=[TLSv1_3], client={"tickets": False})
@openssl_chooses(Role.SERVER, "two tickets")
def test_client_that_wants_no_tickets_still_gets_and_offers_them(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.tickets == 2
    assert second.outcome is RESUMED
    assert second.messages.client_hello.session_ticket is None


@scenario(versions=[TLSv1_3], server={"cache_mode": {CacheMode.OFF}})
def test_server_without_a_cache_issues_tickets_that_resume(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.tickets == 2
    assert second.outcome is RESUMED


@scenario(versions=[TLSv1_3], needs={"server": [Capability.RUNNING_COUNTERS]})
def test_server_keeps_no_entry_and_counts_the_hit(pair):
    first = pair.connect()
    before = pair.last_counters()
    second = pair.connect(offer=first.session)
    after = pair.last_counters()

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert (before.items, before.hits, before.misses) == (0, 0, 0)
    assert (after.items, after.hits, after.misses) == (0, 1, 0)


@openssl_chooses(Role.SERVER, "two tickets")
def test_ticket_of_another_server_is_declined_and_replaced(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_KEY_UNKNOWN,)
    assert second.mechanism is None
    assert second.messages.client_hello.psk_identities == (first.messages.tickets[-1].ticket,)
    assert second.messages.server_hello.selected_psk is None
    assert second.tickets == 2


@scenario(versions=[TLSv1_3], server={"ticket_keys": "shared"})
def test_ticket_of_the_same_keys_resumes_at_another_server(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.setup.server_context != first.setup.server_context
