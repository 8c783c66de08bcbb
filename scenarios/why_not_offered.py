"""Why a client offered no session: exactly one reason is given (SSL_set_session(3), SSL_get_session(3)).

The client's own rules are RFC 8446, 4.2.11 and 4.6.1, RFC 5077, 3.2, and in OpenSSL tls_construct_client_hello.
session_before_ticket, session_timeout and version_change cover whether a given session is offered.
"""

from datetime import date

from harness import (
    BOTH,
    DECLINED,
    FULL,
    RESUMED,
    CacheMode,
    Capability,
    Differs,
    Expectation,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    aged,
    broken_by,
    openssl_chooses,
    reasons,
    scenario,
)

HOUR = 3600
NOW = 1_800_000_000
"""Where a stopped clock begins; any moment will do."""
EITHER = (TLSv1_2, TLSv1_3)
SHA384 = 0x1302
"""TLS_AES_256_GCM_SHA384, which OpenSSL prefers by default."""
NO_STATE = {"tickets": False, "cache_mode": frozenset({CacheMode.OFF})}
"""A TLS 1.2 server that can resume nothing."""
EARLY = {"client": [Capability.SESSION_BEFORE_TICKET]}
PORTABLE = {"client": [Capability.SESSION_IMPORT]}
NEEDS_DATA = {"client": [Capability.SESSION_DATA, Capability.SESSION_IMPORT]}


def since_tickets_follow(value, otherwise):
    """Expect `value` from servers that also send tickets after they declined a TLS 1.3 ticket for its hash."""
    ranges = ("*@>=3.0.21,<3.1", "*@>=3.5.7,<3.6", "*@>=3.6.3,<4.0", "*@>=4.0.1")
    return Expectation(value, *(Differs(otherwise, Role.SERVER, builds, SEEN, TICKETS_FOLLOW) for builds in ranges))


SEEN = date(2026, 11, 21)
TICKETS_FOLLOW = (
    "tls_parse_ctos_psk sets ticket_expected to 0 for a PSK of another hash: "
    "https://github.com/openssl/openssl/issues/18549, mended by https://github.com/openssl/openssl/pull/30626 (CHANGES "
    "of 3.0.21, 3.5.7, 3.6.3 and 4.0.1: Fixed TLS 1.3 server not sending NewSessionTicket message after ciphersuite "
    "mismatch)"
)
TICKETS_AFTER_ANOTHER_HASH = since_tickets_follow(0, 2)
AFTER_ANOTHER_HASH = since_tickets_follow(FULL, RESUMED)
REASONS_AFTER_ANOTHER_HASH: Expectation[tuple[Reason, ...]] = since_tickets_follow((Reason.NO_TICKET_SENT,), ())
SIGNED_AGE = (
    "tls_construct_ctos_psk: agesec = (uint32_t)(time(NULL) - s->session->time), longer than any lifetime, until 3.2; "
    "then ossl_time_subtract (include/internal/time.h), which gives 0 instead"
)
OF_THE_FUTURE = Expectation(FULL, Differs(RESUMED, Role.CLIENT, "*@>=3.2", SEEN, SIGNED_AGE))
REASONS_OF_THE_FUTURE: Expectation[tuple[Reason, ...]] = Expectation(
    (Reason.EXPIRED_AT_CLIENT,), Differs((), Role.CLIENT, "*@>=3.2", SEEN, SIGNED_AGE)
)

HASH_NOT_ENABLED = "tls_construct_ctos_psk checks that the session's hash is known, not that a suite with it is enabled"
ONE_SECOND_LESS = (
    "tls_construct_ctos_psk takes one second off the age (agesec--) before it compares it with the lifetime"
)
RULED = date(2026, 11, 29)
OTHER_HASH = {"suite_for_psk_offered": broken_by(Role.CLIENT, "*@>=1.1.1", RULED, HASH_NOT_ENABLED)}
ONE_SECOND_LATE = {"ticket_not_too_old": broken_by(Role.CLIENT, "*@>=1.1.1", RULED, ONE_SECOND_LESS)}
UNMARKED = "wolfSSL 5.5.4 marks the random of a full handshake only, and not where it resumes (SendServerHello)"


pytestmark = scenario()


def test_first_connection_of_a_pair_needs_no_reason(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert reasons(pair, first) == ()


def test_client_that_is_given_no_session_although_there_was_one(pair):
    first = pair.connect()
    second = pair.connect()

    assert first.outcome is FULL
    assert second.outcome is FULL
    assert reasons(pair, second) == (Reason.NO_SESSION,)


def test_client_that_is_given_the_session_has_no_reason(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert reasons(pair, second) == ()


def test_client_that_forgets_a_session_once_it_was_resumed(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    third = pair.connect()

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert third.outcome is FULL
    assert reasons(pair, third) == (Reason.NO_SESSION,)


@scenario(versions=[TLSv1_3], server={"num_tickets": 0})
def test_tls13_server_that_sends_no_tickets(pair):
    first = pair.connect()
    second = pair.connect(offer=first.last_session)

    assert first.tickets == 0
    assert second.offered is first.last_session
    assert second.outcome is FULL
    assert reasons(pair, second) == (Reason.NO_TICKET_SENT,)


@scenario(versions=[TLSv1_3], server={"num_tickets": 1})
def test_tls13_server_that_sends_one_ticket_is_no_reason(pair):
    first = pair.connect()
    second = pair.connect(offer=first.last_session)

    assert first.tickets == 1
    assert second.outcome is RESUMED
    assert reasons(pair, second) == ()


@scenario(versions=[TLSv1_2], server=NO_STATE)
def test_tls12_server_that_gives_neither_ticket_nor_session_id(pair):
    first = pair.connect()
    second = pair.connect(offer=first.last_session)

    assert first.messages.server_hello.session_id == b""
    assert second.offered is first.last_session
    assert second.outcome is FULL
    assert reasons(pair, second) == (Reason.NO_TICKET_SENT,)


@scenario(versions=[TLSv1_2], client={"tickets": False}, server={"cache_mode": frozenset({CacheMode.OFF})})
def test_tls12_server_without_a_cache_whose_client_wants_no_ticket(pair):
    first = pair.connect()
    second = pair.connect(offer=first.last_session)

    assert first.messages.server_hello.session_id == b""
    assert second.offered is first.last_session
    assert second.outcome is FULL
    assert reasons(pair, second) == (Reason.NO_TICKET_SENT,)


@scenario(versions=[TLSv1_2], server={"tickets": False})
def test_tls12_server_with_a_cache_is_no_reason(pair):
    first = pair.connect()
    second = pair.connect(offer=first.last_session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert reasons(pair, second) == ()


@scenario(versions=[TLSv1_3], needs=PORTABLE, breaks=OTHER_HASH)
@openssl_chooses(Role.SERVER, "no ticket after it declined one for its hash")
def test_tls13_server_sends_no_ticket_after_it_declined_one_for_its_hash(pair):
    first = pair.connect()
    pair.new_client(ciphersuites="TLS_AES_128_GCM_SHA256")
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=second.last_session)

    assert first.outcome is FULL
    assert first.messages.server_hello.cipher_suite == SHA384
    assert second.tickets == TICKETS_AFTER_ANOTHER_HASH.of(pair)
    assert third.offered is second.last_session
    assert third.outcome is AFTER_ANOTHER_HASH.of(pair)
    assert reasons(pair, third) == REASONS_AFTER_ANOTHER_HASH.of(pair)


@scenario(
    versions=[TLSv1_3],
    client={"psk_key": "its own"},
    server={"psk_key": "another"},
    needs={"client": [Capability.SESSION_BEFORE_TICKET]},
)
@openssl_chooses(
    Role.SERVER, "a TLS 1.3 suite with SHA-384 if the client has one, and no ticket after a PSK with another"
)
def test_tls13_server_sends_no_ticket_after_a_psk_of_another_hash(pair):
    first = pair.connect()
    second = pair.connect(offer=first.last_session)

    assert first.outcome is FULL
    assert first.messages.server_hello.cipher_suite == SHA384
    assert reasons(pair, first) == (Reason.PSK_HASH_DIFFERS,)
    assert first.tickets == TICKETS_AFTER_ANOTHER_HASH.of(pair)
    assert second.outcome is AFTER_ANOTHER_HASH.of(pair)
    assert reasons(pair, second) == REASONS_AFTER_ANOTHER_HASH.of(pair)


@scenario(versions=[TLSv1_3], needs=PORTABLE, breaks=OTHER_HASH)
@openssl_chooses(Role.SERVER, "a TLS 1.3 suite with SHA-384 if the client has one")
def test_openssl_client_offers_a_session_without_enabling_its_hash(pair):
    """RFC 8446, 4.2.11; tls_construct_ctos_psk checks that the hash is known, not that a suite with it is enabled."""
    first = pair.connect()
    pair.new_client(ciphersuites="TLS_AES_128_GCM_SHA256")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.messages.server_hello.cipher_suite == SHA384
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.CIPHER_DIFFERS,)


@scenario(versions=[TLSv1_3], needs=EARLY)
@openssl_chooses(Role.SERVER, "two tickets")
def test_session_that_was_taken_before_a_ticket_was_read(pair):
    live = pair.open()
    early = live.session()
    live.exchange()
    first = live.close()
    second = pair.connect(offer=early)

    assert first.tickets == 2
    assert second.outcome is FULL
    assert reasons(pair, second) == (Reason.NO_TICKET_YET,)


@scenario(versions=[TLSv1_3], needs={"client": [Capability.SESSION_BEFORE_TICKET, Capability.SESSION_IN_MEMORY]})
@openssl_chooses(Role.SERVER, "two tickets")
def test_session_object_that_was_kept_before_a_ticket_was_read(pair):
    live = pair.open()
    early = live.keep_session()
    live.exchange()
    first = live.close()
    second = pair.connect(offer=early)

    assert first.tickets == 2
    assert second.outcome is FULL
    assert reasons(pair, second) == (Reason.NO_TICKET_YET,)


@scenario(versions=[TLSv1_3], server={"num_tickets": 0}, needs=EARLY)
def test_session_taken_early_from_a_server_that_sends_no_ticket(pair):
    live = pair.open()
    early = live.session()
    live.exchange()
    first = live.close()
    second = pair.connect(offer=early)

    assert first.outcome is FULL
    assert second.offered is not None
    assert second.outcome is FULL
    assert reasons(pair, second) == (Reason.NO_TICKET_SENT,)


@scenario(needs=EARLY)
def test_session_that_was_taken_after_the_tickets_has_no_reason(pair):
    live = pair.open()
    live.exchange()
    late = live.session()
    first = live.close()
    second = pair.connect(offer=late)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert reasons(pair, second) == ()


@scenario(
    server={"versions": EITHER},
    needs=PORTABLE,
    breaks={"downgrade_marked": broken_by(Role.SERVER, "wolfssl@<=5.5.4", date(2026, 11, 30), UNMARKED, tls=TLSv1_2)},
)
def test_client_that_does_not_enable_the_sessions_version(pair):
    first = pair.connect()
    pair.new_client(versions=tuple({*EITHER} - {pair.tls}))
    second = pair.connect(offer=first.session)
    pair.new_client(versions=(pair.tls,))
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is FULL
    assert reasons(pair, second) == (Reason.VERSION_NOT_ENABLED,)
    assert third.outcome is RESUMED
    assert third.from_cache is False
    assert reasons(pair, third) == ()


@scenario(versions=[TLSv1_3], client={"clock": 0})
@openssl_chooses(Role.SERVER, "a lifetime of 7200 seconds")
def test_ticket_that_is_too_old_by_the_clients_clock(pair):
    first = pair.connect()
    pair.client.move_clock(3 * HOUR)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is FULL
    assert reasons(pair, second) == (Reason.EXPIRED_AT_CLIENT,)


@scenario(versions=[TLSv1_3], client={"clock": 0}, breaks=ONE_SECOND_LATE)
@openssl_chooses(Role.SERVER, "a lifetime of 7200 seconds")
@openssl_chooses(Role.CLIENT, "it takes one second off the age of a ticket")
def test_ticket_in_the_second_in_which_it_expires(pair):
    pair.client.stop_clock(NOW)
    first = pair.connect()
    pair.client.stop_clock(NOW + 2 * HOUR + 1)
    second = pair.connect(offer=first.session)
    pair.client.stop_clock(NOW + 2 * HOUR + 2)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert reasons(pair, second) == (Reason.PAST_LIFETIME,)
    assert third.outcome is FULL
    assert reasons(pair, third) == (Reason.EXPIRED_AT_CLIENT,)


@scenario(versions=[TLSv1_3], server={"timeout": 60}, needs=NEEDS_DATA)
def test_ticket_whose_session_says_that_it_is_too_old(pair):
    first = pair.connect()
    second = pair.connect(offer=aged(first.session, 120))

    assert first.outcome is FULL
    assert second.outcome is FULL
    assert reasons(pair, second) == (Reason.EXPIRED_AT_CLIENT,)


@scenario(versions=[TLSv1_3], needs=NEEDS_DATA)
@openssl_chooses(Role.SERVER, "a ticket that holds for two hours")
def test_ticket_whose_session_is_older_but_not_too_old_has_no_reason(pair):
    first = pair.connect()
    second = pair.connect(offer=aged(first.session, HOUR))

    assert first.outcome is FULL
    assert second.offered.time == first.session.time - HOUR
    assert second.outcome is RESUMED
    assert reasons(pair, second) == ()


@scenario(versions=[TLSv1_3], client={"tickets": BOTH})
def test_option_of_a_tls13_client_to_use_no_tickets_is_no_reason(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert reasons(pair, second) == ()


@scenario(versions=[TLSv1_3], needs=NEEDS_DATA)
@openssl_chooses(Role.CLIENT, "what it makes of a session that is of the future by its clock")
def test_session_of_the_clients_future(pair):
    first = pair.connect()
    second = pair.connect(offer=aged(first.session, -60))

    assert first.outcome is FULL
    assert second.outcome is OF_THE_FUTURE.of(pair)
    assert reasons(pair, second) == REASONS_OF_THE_FUTURE.of(pair)


@scenario(versions=[TLSv1_3], client={"clock": 0})
@openssl_chooses(Role.CLIENT, "what it makes of a session that is of the future by its clock")
def test_client_whose_clock_has_gone_back(pair):
    first = pair.connect()
    pair.client.move_clock(-60)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is OF_THE_FUTURE.of(pair)
    assert reasons(pair, second) == REASONS_OF_THE_FUTURE.of(pair)


@scenario(versions=[TLSv1_2], client={"clock": 0}, needs={"client": [Capability.SESSION_FIELDS]})
def test_tls12_client_whose_clock_has_gone_back_has_no_reason(pair):
    first = pair.connect()
    pair.client.move_clock(-60)
    second = pair.connect(offer=first.session)
    third = pair.connect()

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert reasons(pair, second) == ()
    assert third.session.time < first.session.time
    assert third.outcome is FULL
