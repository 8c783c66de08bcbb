"""A server whose clock has gone back resumes a session that it made later than now (RFC 8446, 4.6.1; RFC 5077, 5.6).

OpenSSL compares only whether the session's end has passed: a signed difference until 3.0, then its calculated end
(sess_timedout), so that such a session is not expired. BoringSSL declines it (ssl_session_is_time_valid). With early
data it is of age 0 since 3.2, and before of an age that is too large (tls_parse_ctos_psk).
"""

from datetime import date

from harness import (
    BOTH,
    DECLINED,
    FULL,
    RESUMED,
    Differs,
    Expectation,
    Mechanism,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    cases,
    reasons,
    scenario,
)

NOW = 1_800_000_000
"""Where the server's clock is stopped; any moment will do."""
LIFETIME = 60
SENDS = {"max_early_data": 100}
ALLOWS = {"max_early_data": 1024, "anti_replay": BOTH, "clock": 0}

SEEN = date(2026, 11, 29)
SIGNED_AGE = (
    "tls_parse_ctos_psk: agesec = (uint32_t)(time(NULL) - s->session->time), and an overflow of its milliseconds, "
    "until 3.2; then ossl_time_subtract (include/internal/time.h), which gives 0 instead"
)
STATUS = Expectation("accepted", Differs("rejected", Role.SERVER, "*@<3.2", SEEN, SIGNED_AGE))
WHY: Expectation[tuple[Reason, ...]] = Expectation(
    (), Differs((Reason.EARLY_DATA_REFUSED,), Role.SERVER, "*@<3.2", SEEN, SIGNED_AGE)
)


@scenario(versions=[TLSv1_2], server={"clock": 0, "timeout": LIFETIME})
@cases("ago", 1, LIFETIME + 1, 100 * LIFETIME)
def test_tls12_ticket_resumes_before_it_was_made(pair, ago):
    pair.server.stop_clock(NOW)
    first = pair.connect()
    pair.server.stop_clock(NOW - ago)
    second = pair.connect(offer=first.session)
    third = pair.connect()
    pair.server.stop_clock(NOW - ago + LIFETIME + 1)
    fourth = pair.connect(offer=third.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.SESSION_TICKET
    assert reasons(pair, second) == ()
    assert third.outcome is FULL
    assert fourth.outcome is DECLINED
    assert reasons(pair, fourth) == (Reason.EXPIRED_AT_SERVER,)


@scenario(versions=[TLSv1_2], server={"clock": 0, "timeout": LIFETIME, "tickets": False})
@cases("ago", 1, LIFETIME + 1, 100 * LIFETIME)
def test_tls12_session_resumes_from_the_cache_before_it_was_made(pair, ago):
    pair.server.stop_clock(NOW)
    first = pair.connect()
    pair.server.stop_clock(NOW - ago)
    second = pair.connect(offer=first.session)
    third = pair.connect()
    pair.server.stop_clock(NOW - ago + LIFETIME + 1)
    fourth = pair.connect(offer=third.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.SESSION_ID
    assert reasons(pair, second) == ()
    assert third.outcome is FULL
    assert fourth.outcome is DECLINED
    assert reasons(pair, fourth) == (Reason.EXPIRED_AT_SERVER,)


@scenario(versions=[TLSv1_3], server={"clock": 0, "timeout": LIFETIME, "tickets": BOTH})
@cases("ago", 1, LIFETIME + 1, 100 * LIFETIME)
def test_tls13_ticket_resumes_before_it_was_made(pair, ago):
    pair.server.stop_clock(NOW)
    first = pair.connect()
    pair.server.stop_clock(NOW - ago)
    second = pair.connect(offer=first.session)
    third = pair.connect()
    pair.server.stop_clock(NOW - ago + LIFETIME + 1)
    fourth = pair.connect(offer=third.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert reasons(pair, second) == ()
    assert third.outcome is FULL
    assert fourth.outcome is DECLINED
    assert reasons(pair, fourth) == (Reason.EXPIRED_AT_SERVER,)


@scenario(server={"clock": 0, "timeout": LIFETIME, "tickets": BOTH})
def test_ticket_expires_where_the_clock_goes_on(pair):
    pair.server.stop_clock(NOW)
    first = pair.connect()
    pair.server.stop_clock(NOW - LIFETIME - 1)
    second = pair.connect(offer=first.session)
    pair.server.stop_clock(NOW + LIFETIME + 1)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets
    assert third.outcome is DECLINED
    assert reasons(pair, third) == (Reason.EXPIRED_AT_SERVER,)


@scenario(versions=[TLSv1_3], client=SENDS, server=ALLOWS)
def test_early_data_before_the_ticket_was_made(pair):
    pair.server.stop_clock(NOW)
    first = pair.connect()
    pair.server.stop_clock(NOW - LIFETIME)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert second.messages.client_hello.early_data is True
    assert second.client.early_data == STATUS.of(pair)
    assert reasons(pair, second) == WHY.of(pair)


@scenario(versions=[TLSv1_3], client=SENDS, server=ALLOWS)
def test_early_data_in_the_second_in_which_the_ticket_was_made(pair):
    pair.server.stop_clock(NOW)
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert second.client.early_data == "accepted"
