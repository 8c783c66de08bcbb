"""A session expires at a certain second at each end, by clocks that run.

A server declines a session that is older than its timeout: before 3.2 in whole seconds, since then to a fraction of a
second, of which a ticket holds none (ssl_get_prev_session, sess_timedout; i2d_SSL_SESSION). A TLS 1.3 client must not
offer a ticket that is older than its lifetime (RFC 8446, 4.2.11.1): OpenSSL's takes one second off the age, and so
offers it one second longer (tls_construct_ctos_psk). A TLS 1.2 client offers a session of any age (RFC 5077, 3.3).
"""

from datetime import date

from harness import (
    BOTH,
    DECLINED,
    FULL,
    RESUMED,
    Capability,
    Differs,
    Expectation,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    broken_by,
    cases,
    openssl_chooses,
    reasons,
    scenario,
)

NOW = 1_800_000_000
"""Where a clock begins; any moment will do."""
PACE = 0.05
"""Of a clock that runs: a connection of five seconds takes a quarter of one."""
EARLY, LATE = 0.1, 0.6
"""Fractions of a second; not 0, for a clock may be read a moment before it begins."""

SEEN = date(2026, 11, 29)
OF_SSLV23_METHOD = "ssl23_default_timeout of 1.0.2 (ssl/s23_lib.c) gives 300 s, tls1_default_timeout of 1.1.0 7200 s"
IN_FRACTIONS = (
    "since 3.2 sess_timedout compares OSSL_TIME, which has nanoseconds, where `t > ss->calc_timeout` compared time_t"
)
IN_A_TICKET = f"{IN_FRACTIONS}; i2d_SSL_SESSION writes seconds, so that the session in a ticket seems older"


def declined_by(*differing):
    """Expect RESUMED, but of servers that decline it already."""
    return Expectation(RESUMED, *(Differs(DECLINED, Role.SERVER, spec, SEEN, why) for spec, why in differing))


OLD = ("*@<1.1.0", OF_SSLV23_METHOD)
ALWAYS = Expectation(RESUMED)
NEVER = Expectation(DECLINED)


def run_both(pair, at):
    """Let both clocks run on from a time."""
    pair.server.run_clock(at, pace=PACE)
    pair.client.run_clock(at, pace=PACE)


def ages_sent(first, second):
    """Return how old the client says that the ticket is which it offers, in milliseconds; TLS 1.2 has no such field."""
    return [(age - first.messages.tickets[-1].age_add) % 2**32 for age in second.messages.client_hello.psk_ages]


def reason_of(outcome):
    """Return the reasons that go with an outcome of an offer."""
    return () if outcome is RESUMED else (Reason.EXPIRED_AT_SERVER,)


@cases(
    "age, expected",
    (299, ALWAYS),
    (301, declined_by(OLD)),
    (7199, declined_by(OLD)),
    (7200, declined_by(OLD, ("*@>=3.2", IN_FRACTIONS))),
    (7201, NEVER),
    (7202, NEVER),
)
@scenario(server={"clock": 0, "tickets": BOTH}, same_stack=True)
def test_server_declines_what_is_older_than_its_default(pair, age, expected):
    pair.server.run_clock(NOW + EARLY, pace=PACE)
    first = pair.connect()
    pair.server.run_clock(NOW + age + LATE, pace=PACE)
    second = pair.connect(offer=first.session)
    outcome = expected.of(pair)

    assert first.outcome is FULL
    assert second.outcome is outcome
    assert reasons(pair, second) == reason_of(outcome)


@cases(
    "age, expected",
    (299, ALWAYS),
    (300, declined_by(("*@>=3.2", IN_A_TICKET))),
    (301, NEVER),
    (302, NEVER),
)
@scenario(server={"clock": 0, "timeout": 300}, same_stack=True)
def test_ticket_loses_the_fraction_of_its_second(pair, age, expected):
    pair.server.run_clock(NOW + LATE, pace=PACE)
    first = pair.connect()
    pair.server.run_clock(NOW + age + EARLY, pace=PACE)
    second = pair.connect(offer=first.session)
    outcome = expected.of(pair)

    assert first.outcome is FULL
    assert second.outcome is outcome
    assert reasons(pair, second) == reason_of(outcome)


@cases("age, outcome", (299, RESUMED), (300, RESUMED), (301, DECLINED), (302, DECLINED))
@scenario(server={"clock": 0, "timeout": 300, "tickets": False}, same_stack=True)
def test_cached_session_keeps_the_fraction_of_its_second(pair, age, outcome):
    pair.server.run_clock(NOW + LATE, pace=PACE)
    first = pair.connect()
    pair.server.run_clock(NOW + age + EARLY, pace=PACE)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is outcome
    assert reasons(pair, second) == reason_of(outcome)


@cases("age", 7199, 7200)
@scenario(versions=[TLSv1_3], client={"clock": 0}, server={"tickets": BOTH})
@openssl_chooses(Role.SERVER, "a lifetime of 7200 seconds")
@openssl_chooses(Role.CLIENT, "it offers a ticket also in the last second of its lifetime")
def test_tls13_client_offers_a_ticket_to_the_end_of_its_lifetime(pair, age):
    pair.client.run_clock(NOW + EARLY, pace=PACE)
    first = pair.connect()
    pair.client.run_clock(NOW + age + LATE, pace=PACE)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert ages_sent(first, second)[0] >= (age - 1) * 1000
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets
    assert reasons(pair, second) == ()


ONE_SECOND_LESS = (
    "tls_construct_ctos_psk takes one second off the age (agesec--) before it compares it with the lifetime"
)
ONE_SECOND_LATE = broken_by(Role.CLIENT, "*@>=1.1.1", date(2026, 11, 29), ONE_SECOND_LESS, tls=TLSv1_3)


@scenario(
    versions=[TLSv1_3],
    client={"clock": 0},
    server={"tickets": BOTH},
    breaks={"ticket_not_too_old": ONE_SECOND_LATE},
    needs={"client": [Capability.OPENSSL_CHOICES]},
)
@openssl_chooses(Role.SERVER, "a lifetime of 7200 seconds")
def test_tls13_client_offers_a_ticket_one_second_too_long(pair):
    pair.client.run_clock(NOW + EARLY, pace=PACE)
    first = pair.connect()
    pair.client.run_clock(NOW + 7201 + LATE, pace=PACE)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets
    assert reasons(pair, second) == (Reason.PAST_LIFETIME,)


@scenario(versions=[TLSv1_3], client={"clock": 0}, server={"tickets": BOTH})
@openssl_chooses(Role.SERVER, "a lifetime of 7200 seconds")
def test_tls13_client_withholds_a_ticket_after_that_second(pair):
    pair.client.run_clock(NOW + EARLY, pace=PACE)
    first = pair.connect()
    pair.client.run_clock(NOW + 7202 + LATE, pace=PACE)
    second = pair.connect(offer=first.session)
    pair.client.run_clock(NOW + 7199 + LATE, pace=PACE)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is FULL
    assert second.messages.client_hello.psk_identities == ()
    assert reasons(pair, second) == (Reason.EXPIRED_AT_CLIENT,)
    assert third.outcome is RESUMED
    assert third.from_cache is not pair.server_config.tickets


@cases("age", 7199, 7202, 1_000_000)
@scenario(
    versions=[TLSv1_2],
    client={"clock": 0},
    server={"tickets": BOTH},
    needs={"client": [Capability.SESSION_FIELDS]},
)
def test_tls12_client_offers_a_session_of_any_age(pair, age):
    pair.client.run_clock(NOW + EARLY, pace=PACE)
    first = pair.connect()
    pair.client.run_clock(NOW + age + LATE, pace=PACE)
    second = pair.connect(offer=first.session)
    third = pair.connect()

    assert first.outcome is third.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets
    assert (first.session.time, third.session.time) == (NOW, NOW + age)


@cases(
    "age, expected",
    (299, ALWAYS),
    (300, declined_by(("*@>=3.2", IN_FRACTIONS))),
)
@scenario(client={"clock": 0}, server={"clock": 0, "timeout": 300, "tickets": BOTH}, same_stack=True)
def test_server_is_the_first_to_refuse_where_both_clocks_run(pair, age, expected):
    run_both(pair, NOW + EARLY)
    first = pair.connect()
    run_both(pair, NOW + age + LATE)
    second = pair.connect(offer=first.session)
    outcome = expected.of(pair)

    assert first.outcome is FULL
    assert second.outcome is outcome
    assert all(sent >= (age - 1) * 1000 for sent in ages_sent(first, second))
    assert reasons(pair, second) == reason_of(outcome)


@scenario(
    client={"clock": 0},
    server={"clock": 0, "timeout": 300, "tickets": BOTH},
    same_stack=True,
    breaks={"ticket_not_too_old": ONE_SECOND_LATE},
)
def test_server_refuses_while_the_client_still_offers(pair):
    run_both(pair, NOW + EARLY)
    first = pair.connect()
    run_both(pair, NOW + 301 + LATE)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == reason_of(DECLINED)


@scenario(
    client={"clock": 0},
    server={"clock": 0, "timeout": 300, "tickets": BOTH},
    same_stack=True,
    breaks={"ticket_not_too_old": ONE_SECOND_LATE},
)
def test_age_of_a_session_is_exact_where_both_clocks_stand_still(pair):
    pair.stop_clocks(NOW)
    first = pair.connect()
    pair.age(300)
    second = pair.connect(offer=first.session)
    pair.age(1)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets
    assert reasons(pair, second) == ()
    assert third.outcome is DECLINED
    assert reasons(pair, third) == reason_of(DECLINED)
