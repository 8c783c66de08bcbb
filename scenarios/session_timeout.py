"""How long a session lasts, by default 7200 seconds (SSL_CTX_set_timeout(3), RFC 8446, 4.6.1).

Each endpoint gives its own sessions its own timeout. The server sends its timeout to the client as the ticket's
lifetime and declines an older session. A TLS 1.3 client must not offer a ticket that is older than its lifetime (RFC
8446, 4.2.11.1). In TLS 1.2 the lifetime is a hint (RFC 5077, 3.3), which OpenSSL's client ignores. The default is that
of tls1_default_timeout; SSL_get_default_timeout(3) says 300 seconds.
"""

from datetime import date

from harness import (
    ABORTED,
    BOTH,
    DECLINED,
    FULL,
    RESUMED,
    Alert,
    Capability,
    Differs,
    Expectation,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    aged,
    broken_by,
    edited,
    openssl_chooses,
    reasons,
    scenario,
)

HOUR = 3600
WEEK = 7 * 24 * HOUR
NOW = 1_600_000_000
"""Where a stopped clock begins: so long ago that a session of today is none of the time around it."""
LATER = 2_000_000_000
"""Where one begins if a session of today would be an expired one."""

NEEDS_DATA = {"client": [Capability.SESSION_DATA, Capability.SESSION_IMPORT]}
"""Of a client whose session is made older, or is given another timeout."""

SEEN, TODAY = date(2026, 11, 21), date(2026, 11, 30)
OF_SSLV23_METHOD = (
    "ssl23_default_timeout of 1.0.2 (ssl/s23_lib.c) gives 300; TLS_method of 1.1.0 has tls1_default_timeout"
)
AT_CLIENT = Expectation(2 * HOUR, Differs(300, Role.CLIENT, "*@<1.1.0", SEEN, OF_SSLV23_METHOD))
AT_SERVER = Expectation(2 * HOUR, Differs(300, Role.SERVER, "*@<1.1.0", SEEN, OF_SSLV23_METHOD))
"""The default in seconds."""

NEEDED = {"client": [Capability.SESSION_FIELDS]}

RULED = date(2026, 11, 29)
ONE_SECOND_LESS = (
    "tls_construct_ctos_psk takes one second off the age (agesec--) before it compares it with the lifetime"
)
ONE_SECOND_LATE = {"ticket_not_too_old": broken_by(Role.CLIENT, "*@>=1.1.1", RULED, ONE_SECOND_LESS)}
WEEK_LATE = {"ticket_within_seven_days": broken_by(Role.CLIENT, "*@>=1.1.1", date(2026, 12, 1), ONE_SECOND_LESS)}

UNBOUNDED = (
    "*@<1.1.1o",
    TODAY,
    "create_ticket_prequel (ssl/statem/statem_srvr.c) compares the timeout with no bound up to 1.1.1n",
)
A_WEEK_AT_MOST: Expectation[int] = Expectation(
    WEEK, Differs(WEEK + 1, Role.SERVER, *UNBOUNDED, server={"timeout": WEEK + 1})
)
"""The lifetime of a ticket of a server whose sessions last a week, or a second more."""
CUT_BY_NONE = "neither end cuts it: the client does since https://github.com/openssl/openssl/pull/32240"
HINT_OF_A_WEEK: Expectation[int] = Expectation(
    WEEK,
    *(
        Differs(WEEK + 1, Role.SERVER, "*@<1.1.1o", TODAY, CUT_BY_NONE, peer=client, server={"timeout": WEEK + 1})
        for client in ("*@<3.5.9", "*@>=3.6,<3.6.5", "*@>=4.0,<4.0.3")
    ),
)

pytestmark = scenario(needs=NEEDED)


@openssl_chooses(Role.SERVER, "a lifetime of 7200 seconds")
@openssl_chooses(Role.CLIENT, "a timeout of 7200 seconds")
def test_default_is_two_hours_at_both_ends(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.session.timeout == AT_CLIENT.of(pair)
    assert first.session.lifetime_hint == AT_SERVER.of(pair)


@scenario(client={"timeout": [1, HOUR]}, needs=NEEDED)
@openssl_chooses(Role.SERVER, "a lifetime of 7200 seconds")
def test_timeout_of_the_clients_context_is_the_sessions(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.session.timeout == pair.client_config.timeout
    assert first.session.lifetime_hint == AT_SERVER.of(pair)


@scenario(server={"timeout": [1, HOUR]}, needs=NEEDED)
@openssl_chooses(Role.CLIENT, "a timeout of 7200 seconds")
def test_timeout_of_the_servers_context_is_the_lifetime_of_the_ticket(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.session.timeout == AT_CLIENT.of(pair)
    assert first.session.lifetime_hint == pair.server_config.timeout


@scenario(client={"timeout": 0}, server={"timeout": 0}, needs=NEEDED)
def test_timeout_of_zero_is_the_default(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.session.timeout == AT_CLIENT.of(pair)
    assert first.session.lifetime_hint == 2 * HOUR
    assert second.outcome is RESUMED
    assert second.from_cache is False


@scenario(
    versions=[TLSv1_3],
    server={"timeout": [WEEK, WEEK + 1]},
    needs=NEEDED,
    breaks={
        "ticket_lifetime_at_most_seven_days": broken_by(
            Role.SERVER, *UNBOUNDED, tls=TLSv1_3, server={"timeout": WEEK + 1}
        )
    },
)
@openssl_chooses(Role.SERVER, "it cuts the lifetime to a week, where another server issues no ticket")
def test_lifetime_of_a_tls13_ticket_is_a_week_at_most(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.messages.tickets[0].lifetime == A_WEEK_AT_MOST.of(pair)
    assert first.session.lifetime_hint == HINT_OF_A_WEEK.of(pair)


@scenario(versions=[TLSv1_2], server={"timeout": [WEEK + 1]}, needs=NEEDED)
@openssl_chooses(Role.SERVER, "a lifetime of more than a week")
def test_lifetime_of_a_tls12_ticket_has_no_bound(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.messages.tickets[0].lifetime == WEEK + 1
    assert first.session.lifetime_hint == WEEK + 1


def age_sent(first, second):
    """Return the age of the last ticket of the first connection that the second one sent, in milliseconds."""
    return (second.messages.client_hello.psk_ages[0] - first.messages.tickets[-1].age_add) % 2**32


@scenario(server={"clock": 0}, needs={"server": [Capability.RUNNING_COUNTERS]}, same_stack=True)
def test_server_counts_what_it_declines_for_its_age(pair):
    pair.server.stop_clock(NOW)
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.server.stop_clock(NOW + 2 * HOUR + 1)
    third = pair.connect(offer=second.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert third.outcome is DECLINED
    assert reasons(pair, third) == (Reason.EXPIRED_AT_SERVER,)
    assert pair.last_counters().timeouts == 1
    assert pair.last_counters().hits == 1


@scenario(versions=[TLSv1_3], server={"clock": 0, "timeout": 60}, same_stack=True)
def test_ticket_of_a_tls13_resumption_has_a_lifetime_of_its_own(pair):
    pair.server.stop_clock(NOW)
    first = pair.connect()
    pair.server.stop_clock(NOW + 60)
    second = pair.connect(offer=first.session)
    pair.server.stop_clock(NOW + 120)
    third = pair.connect(offer=second.session)
    fourth = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert third.outcome is RESUMED
    assert fourth.outcome is DECLINED
    assert reasons(pair, fourth) == (Reason.EXPIRED_AT_SERVER,)


@scenario(versions=[TLSv1_2], server={"clock": 0, "timeout": 60, "tickets": BOTH}, same_stack=True)
def test_tls12_resumption_does_not_prolong_the_session(pair):
    pair.server.stop_clock(NOW)
    first = pair.connect()
    pair.server.stop_clock(NOW + 60)
    second = pair.connect(offer=first.session)
    pair.server.stop_clock(NOW + 61)
    third = pair.connect(offer=second.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets
    assert third.outcome is DECLINED
    assert reasons(pair, third) == (Reason.EXPIRED_AT_SERVER,)


@scenario(server={"clock": 0, "timeout": 60, "ticket_keys": "shared"}, same_stack=True)
def test_ticket_keeps_the_timeout_of_the_server_that_made_it(pair):
    pair.server.stop_clock(NOW)
    first = pair.connect()
    pair.new_server(timeout=2 * HOUR).stop_clock(NOW + 61)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert second.messages.tickets[0].lifetime == 2 * HOUR
    assert reasons(pair, second) == (Reason.EXPIRED_AT_SERVER,)


@scenario(server={"clock": 0, "ticket_keys": "shared"}, same_stack=True)
def test_ticket_outlives_the_timeout_of_the_server_that_resumes_it(pair):
    pair.server.stop_clock(LATER)
    first = pair.connect()
    pair.new_server(timeout=60).stop_clock(LATER + 61)
    second = pair.connect(offer=first.session)
    third = pair.connect()

    assert first.outcome is FULL
    assert third.outcome is FULL
    assert third.messages.tickets[0].lifetime == 60
    assert second.outcome is RESUMED
    assert second.from_cache is False


@scenario(
    versions=[TLSv1_3], client={"clock": 0}, breaks=ONE_SECOND_LATE, needs={"client": [Capability.OPENSSL_CHOICES]}
)
@openssl_chooses(Role.SERVER, "a lifetime of 7200 seconds")
def test_tls13_client_offers_a_ticket_one_second_beyond_its_lifetime(pair):
    """RFC 8446, 4.2.11.1 forbids it: tls_construct_ctos_psk calculates an age that is one second too low."""
    pair.client.stop_clock(NOW)
    first = pair.connect()
    pair.client.stop_clock(NOW + 2 * HOUR + 1)
    second = pair.connect(offer=first.session)
    pair.client.stop_clock(NOW + 2 * HOUR + 2)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert age_sent(first, second) == 2 * HOUR * 1000
    assert third.outcome is FULL
    assert reasons(pair, third) == (Reason.EXPIRED_AT_CLIENT,)
    assert third.messages.client_hello.psk_identities == ()


@scenario(
    versions=[TLSv1_3],
    client={"clock": 0},
    server={"timeout": WEEK},
    breaks=ONE_SECOND_LATE | WEEK_LATE,
    needs={"client": [Capability.OPENSSL_CHOICES]},
)
def test_tls13_client_offers_a_ticket_one_second_beyond_a_week(pair):
    """RFC 8446, 4.6.1 forbids it for any lifetime; a week and two seconds is too old for the client as well."""
    pair.client.stop_clock(NOW)
    first = pair.connect()
    pair.client.stop_clock(NOW + WEEK + 1)
    second = pair.connect(offer=first.session)
    pair.client.stop_clock(NOW + WEEK + 2)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.messages.tickets[-1].lifetime == WEEK
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert age_sent(first, second) == WEEK * 1000
    assert reasons(pair, second) == (Reason.PAST_LIFETIME,)
    assert third.outcome is FULL
    assert reasons(pair, third) == (Reason.EXPIRED_AT_CLIENT,)
    assert third.messages.client_hello.psk_identities == ()


@scenario(versions=[TLSv1_3], needs=NEEDS_DATA)
@openssl_chooses(Role.SERVER, "a lifetime of 7200 seconds")
def test_tls13_client_goes_by_the_time_in_the_session(pair):
    first = pair.connect()
    second = pair.connect(offer=aged(first.session, 2 * HOUR - 60))
    third = pair.connect(offer=aged(first.session, 2 * HOUR + 60))

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.offered.time == first.session.time - (2 * HOUR - 60)
    assert third.outcome is FULL
    assert reasons(pair, third) == (Reason.EXPIRED_AT_CLIENT,)


@scenario(versions=[TLSv1_3], needs=NEEDS_DATA)
@openssl_chooses(Role.SERVER, "a ticket that holds for two hours")
def test_tls13_client_does_not_look_at_the_timeout_in_the_session(pair):
    first = pair.connect()
    second = pair.connect(offer=aged(edited(first.session, timeout=1), HOUR))

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert (second.offered.timeout, second.offered.time) == (1, first.session.time - HOUR)


@scenario(versions=[TLSv1_2], server={"tickets": BOTH}, needs=NEEDS_DATA)
def test_tls12_client_offers_what_has_expired_long_ago(pair):
    """tls_construct_client_hello asks SSL_SESSION_is_resumable, which ignores time: only the server expires it."""
    first = pair.connect()
    second = pair.connect(offer=aged(edited(first.session, timeout=1), WEEK))

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert (second.offered.timeout, second.offered.time) == (1, first.session.time - WEEK)
    assert second.from_cache is not pair.server_config.tickets


UNSIGNED_TIME = (
    "OSSL_TIME (include/internal/time.h) is unsigned: ossl_seconds2time(-1) is 2**64 - 10**9 ns, to which "
    "ssl_session_calculate_timeout adds up with saturation, so that the session never expires; "
    "https://github.com/ruby/openssl/issues/703"
)
FORCED_TO_ZERO = (
    "ssl_session_calculate_timeout sets a negative timeout to 0, until https://github.com/openssl/openssl/pull/25239. "
    "i2d_SSL_SESSION leaves a 0 out, for which d2i_SSL_SESSION puts 3 (ssl_asn1.c), so that the session is longer the "
    "second time: construct_stateless_ticket's `slen > slen_full` is an internal error, and there is no ticket"
)
CAPPED_BY_CLIENT = "https://github.com/openssl/openssl/pull/32240: the client caps the lifetime hint in the session"
"""CHANGES of 3.0.22 promises the cap, too, but has the change before it alone, which caps a number that nobody reads
afterwards (openssl/openssl#31174 and #32244): measured on Debian's 3.0.22.
"""


def differing(value, otherwise, since_3_2):
    """Expect by how servers treat a negative timeout: most, those that force it to 0, those with OSSL_TIME."""
    return Expectation(
        value,
        Differs(otherwise, Role.SERVER, "*@>=3.0,<3.0.15", SEEN, FORCED_TO_ZERO),
        Differs(otherwise, Role.SERVER, "*@>=3.1,<3.1.7", SEEN, FORCED_TO_ZERO),
        Differs(since_3_2, Role.SERVER, "*@>=3.2", SEEN, UNSIGNED_TIME),
    )


SIGNED_BOUND = "create_ticket_prequel compares the timeout with a week as signed, and sends it as unsigned"
ABOVE_A_WEEK = {
    "ticket_lifetime_at_most_seven_days": [
        broken_by(Role.SERVER, builds, RULED, SIGNED_BOUND, tls=TLSv1_3)
        for builds in ("*@>=1.1.1,<3.0", "*@>=3.0.15,<3.1", "*@>=3.1.7,<3.2")
    ]
}
"""OSSL_TIME is unsigned since 3.2, and before these versions of 3.0 and 3.1 there is no ticket."""
HUGE = {2**32 - 1}
NO_TICKET = Alert(80, Role.SERVER)
"""internal_error, of construct_stateless_ticket."""
ALERT: Expectation[Alert | None] = differing(None, NO_TICKET, None)
WHY_THEN: Expectation[tuple[Reason, ...]] = differing((Reason.EXPIRED_AT_SERVER,), (Reason.LIBRARY_FAILED,), ())
WHY_IN_THE_SAME_SECOND: Expectation[tuple[Reason, ...]] = differing((Reason.EXPIRED_AT_SERVER,), (), ())
WHY_IN_THE_NEXT_SECOND_OF_TLS12: Expectation[tuple[Reason, ...]] = differing(
    (Reason.NOT_IN_CACHE,), (Reason.EXPIRED_AT_SERVER,), ()
)
WHY_IN_THE_NEXT_SECOND_OF_TLS13: Expectation[tuple[Reason, ...]] = differing(
    (Reason.EXPIRED_AT_SERVER,), (Reason.EXPIRED_AT_SERVER,), ()
)
"""ssl_get_prev_session removes what has expired only if it looked for a session id (try_session_cache)."""
WHY_IN_THE_NEXT_SECOND = {TLSv1_2: WHY_IN_THE_NEXT_SECOND_OF_TLS12, TLSv1_3: WHY_IN_THE_NEXT_SECOND_OF_TLS13}
FIRST = differing(FULL, ABORTED, FULL)
THEN = differing(DECLINED, ABORTED, RESUMED)
IN_THE_SAME_SECOND = differing(DECLINED, RESUMED, RESUMED)
IN_THE_NEXT_SECOND = differing(DECLINED, DECLINED, RESUMED)
LIFETIME_IN_TLS12 = differing(HUGE, set(), {(2**64 - 10**9) // 10**9 % 2**32})
LIFETIME_IN_TLS13 = differing(HUGE, set(), {WEEK})
LONGEST_AT_CLIENT = Expectation(
    2**32 - 1,
    Differs(WEEK, Role.CLIENT, "*@>=3.5.9,<3.6", SEEN, f"{CAPPED_BY_CLIENT}; 3.5.8 does not"),
    Differs(WEEK, Role.CLIENT, "*@>=3.6.5,<4.0", SEEN, CAPPED_BY_CLIENT),
    Differs(WEEK, Role.CLIENT, "*@>=4.0.3", SEEN, CAPPED_BY_CLIENT),
)


def lifetimes(connection):
    """Return the lifetimes of the tickets on the wire; none if the handshake ended before them."""
    return {ticket.lifetime for ticket in connection.messages.tickets}


def hints(connection):
    """Return the lifetime hints of the client's sessions that have one."""
    return {session.lifetime_hint for session in connection.sessions} - {0}


@scenario(server={"timeout": -1}, breaks=ABOVE_A_WEEK, needs={"client": [Capability.OPENSSL_CHOICES]})
def test_negative_timeout_expires_at_once(pair):
    first = pair.connect(presume_full=False)
    second = pair.connect(offer=first.last_session, presume_full=False)

    assert first.outcome == FIRST.of(pair)
    assert first.alert == ALERT.of(pair)
    assert second.outcome == THEN.of(pair)
    assert second.alert == ALERT.of(pair)
    assert reasons(pair, second) == WHY_THEN.of(pair)
    assert second.from_cache is not True


@scenario(
    client={"clock": 0}, server={"timeout": -1, "tickets": False, "clock": 0}, same_stack=True, breaks=ABOVE_A_WEEK
)
def test_negative_timeout_expires_at_once_in_the_cache_too(pair):
    """The client's clock stands still, for it would not offer a ticket of no lifetime in a later second."""
    pair.stop_clocks(NOW)
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.server.stop_clock(NOW + 1)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome == IN_THE_SAME_SECOND.of(pair)
    assert reasons(pair, second) == WHY_IN_THE_SAME_SECOND.of(pair)
    assert second.from_cache is not False
    assert third.outcome == IN_THE_NEXT_SECOND.of(pair)
    assert reasons(pair, third) == WHY_IN_THE_NEXT_SECOND[pair.tls].of(pair)
    assert third.from_cache is not False


NEGATIVE_TIMEOUT_AT_CLIENT = Expectation(
    -1,
    *(Differs(0, Role.CLIENT, builds, TODAY, FORCED_TO_ZERO) for builds in ("*@>=3.0,<3.0.15", "*@>=3.1,<3.1.7")),
    Differs((2**64 - 10**9) // 10**9, Role.CLIENT, "*@>=3.2", TODAY, UNSIGNED_TIME),
)
"""The timeout in seconds that SSL_SESSION_get_timeout then gives."""


@scenario(client={"timeout": -1}, needs=NEEDED)
def test_negative_timeout_of_a_client_is_never_looked_at(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.session.timeout == NEGATIVE_TIMEOUT_AT_CLIENT.of(pair)
    assert second.outcome is RESUMED
    assert second.from_cache is False


@scenario(versions=[TLSv1_2], server={"timeout": -1}, needs=NEEDED)
def test_negative_timeout_is_a_huge_lifetime_of_a_tls12_ticket(pair):
    first = pair.connect(presume_full=False)

    assert first.outcome == FIRST.of(pair)
    assert first.alert == ALERT.of(pair)
    assert lifetimes(first) == LIFETIME_IN_TLS12.of(pair)
    assert hints(first) == LIFETIME_IN_TLS12.of(pair)


@scenario(versions=[TLSv1_3], server={"timeout": -1}, needs=NEEDED, breaks=ABOVE_A_WEEK)
def test_negative_timeout_escapes_the_bound_of_a_week(pair):
    """RFC 8446, 4.6.1: no value above 604800; create_ticket_prequel compares it as signed and sends it as unsigned."""
    first = pair.connect(presume_full=False)
    longest = LONGEST_AT_CLIENT.of(pair)

    assert first.outcome == FIRST.of(pair)
    assert first.alert == ALERT.of(pair)
    assert lifetimes(first) == LIFETIME_IN_TLS13.of(pair)
    assert hints(first) == {min(lifetime, longest) for lifetime in lifetimes(first)}


NANOSECONDS = (
    "OSSL_TIME of 3.2 has nanoseconds in 64 bits, at most 18446744072 s; create_ticket_prequel sends the lower 32 bits"
)
LONGEST_HINT = Expectation(2**32 - 1, Differs(1266874888, Role.SERVER, "*@>=3.2", date(2026, 11, 30), NANOSECONDS))


@scenario(versions=[TLSv1_2], server={"timeout": 2**63 - 1}, needs={"server": [Capability.OPENSSL_CHOICES]})
def test_longest_timeout_gives_what_32_bits_leave_of_it(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.messages.tickets[0].lifetime == LONGEST_HINT.of(pair)
