"""The session id in ClientHello: where it comes from, and what its echo proves (nothing, in TLS 1.3).

RFC 8446, 4.1.2 and D.4: 32 unpredictable bytes in compatibility mode, otherwise empty. RFC 5246, 7.4.1.2: the session's
own id, or empty. RFC 5077, 3.4: with a ticket the client picks any id, and its echo shows that the ticket was accepted;
OpenSSL uses the SHA-256 of the ticket (tls_process_new_session_ticket).
"""

from hashlib import sha256

from harness import (
    DECLINED,
    FULL,
    RESUMED,
    Capability,
    Mechanism,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    openssl_chooses,
    reasons,
    scenario,
)

EITHER = (TLSv1_2, TLSv1_3)

pytestmark = scenario(versions=[TLSv1_3])


@openssl_chooses(Role.CLIENT, "compatibility mode without a setting")
def test_tls13_client_sends_32_random_bytes_in_each_connection(pair):
    first = pair.connect()
    second = pair.connect()
    third = pair.connect(offer=first.session)
    fourth = pair.connect(offer=first.session)
    sent = [c.messages.client_hello.session_id for c in (first, second, third, fourth)]

    assert [len(session_id) for session_id in sent] == [32] * 4
    assert len(set(sent)) == 4
    assert third.outcome is RESUMED
    assert fourth.outcome is RESUMED


def test_tls13_server_echoes_the_random_session_id_in_a_full_handshake_too(pair):
    first = pair.connect()

    assert first.messages.server_hello.session_id == first.messages.client_hello.session_id
    assert first.outcome is FULL


@scenario(versions=[TLSv1_3], client={"middlebox_compat": False})
def test_tls13_client_without_compatibility_mode_sends_an_empty_session_id(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.messages.client_hello.session_id == b""
    assert second.messages.client_hello.session_id == b""
    assert second.outcome is RESUMED


@scenario(versions=[TLSv1_2], needs={"client": [Capability.OPENSSL_CHOICES]})
def test_tls12_client_with_nothing_to_offer_sends_an_empty_session_id(pair):
    first = pair.connect()

    assert first.messages.client_hello.session_id == b""
    assert first.outcome is FULL


@scenario(versions=[TLSv1_2], server={"tickets": False})
def test_tls12_session_is_offered_by_the_id_that_the_server_gave_it(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert len(first.messages.server_hello.session_id) == 32
    assert second.messages.client_hello.session_id == first.messages.server_hello.session_id
    assert second.mechanism is Mechanism.SESSION_ID


@scenario(versions=[TLSv1_2], server={"tickets": False})
def test_tls12_server_that_declines_an_id_answers_with_a_new_one(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.NOT_IN_CACHE,)
    assert second.messages.client_hello.session_id == first.messages.server_hello.session_id
    assert second.messages.server_hello.session_id != second.messages.client_hello.session_id


@scenario(versions=[TLSv1_2], needs={"client": [Capability.OPENSSL_CHOICES]})
@openssl_chooses(Role.SERVER, "no session id beside a ticket, which RFC 5077, 3.4 only advises")
def test_tls12_ticket_is_offered_with_its_sha256_as_session_id(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    ticket = first.messages.tickets[0].ticket

    assert first.messages.server_hello.session_id == b""
    assert second.messages.client_hello.session_ticket == ticket
    assert second.messages.client_hello.session_id == sha256(ticket).digest()
    assert second.messages.server_hello.session_id == sha256(ticket).digest()
    assert second.mechanism is Mechanism.SESSION_TICKET


@scenario(versions=[TLSv1_2])
@openssl_chooses(Role.SERVER, "no session id beside a ticket, which RFC 5077, 3.4 only advises")
def test_tls12_server_that_declines_a_ticket_does_not_echo_its_session_id(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert second.messages.client_hello.session_ticket == first.messages.tickets[0].ticket
    assert second.messages.server_hello.session_id == b""
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_KEY_UNKNOWN,)


@scenario(versions=[TLSv1_2], client={"versions": EITHER}, server={"tickets": [True, False]})
def test_tls12_server_does_not_echo_the_random_id_of_a_tls13_client(pair):
    first = pair.connect()
    second = pair.connect()
    sent = [c.messages.client_hello.session_id for c in (first, second)]

    assert [len(session_id) for session_id in sent] == [32, 32]
    assert sent[0] != sent[1]
    assert first.messages.server_hello.session_id != sent[0]
    assert first.outcome is FULL


@scenario(
    versions=[TLSv1_2],
    client={"versions": EITHER, "middlebox_compat": False},
)
def test_tls12_server_gets_an_empty_id_without_compatibility_mode(pair):
    first = pair.connect()

    assert first.messages.client_hello.session_id == b""
    assert first.outcome is FULL
    assert TLSv1_3.wire in first.messages.client_hello.supported_versions


@scenario(versions=[TLSv1_2], client={"versions": EITHER}, server={"tickets": False})
def test_tls13_client_offers_a_tls12_session_by_the_sessions_own_id(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert second.messages.client_hello.session_id == first.messages.server_hello.session_id
    assert second.mechanism is Mechanism.SESSION_ID
    assert TLSv1_3.wire in second.messages.client_hello.supported_versions


@scenario(
    versions=[TLSv1_2],
    client={"versions": [EITHER, (TLSv1_2,)]},
    needs={"client": [Capability.OPENSSL_CHOICES], "server": [Capability.RUNNING_COUNTERS]},
)
def test_random_session_id_counts_as_a_miss_and_an_empty_one_does_not(pair):
    first = pair.connect()
    misses = len(first.messages.client_hello.session_id) // 32

    assert first.outcome is FULL
    assert pair.last_counters().misses == misses
    assert misses == len(pair.client_config.versions) - 1
