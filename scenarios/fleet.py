"""Two servers with different OpenSSLs share their ticket keys: a client goes from one to the other and back.

RFC 5077, 4 and RFC 8446, 4.6.1: a ticket is opaque to the client. It resumes at any server that can decrypt it and
parse its contents. In OpenSSL these are the DER of an SSL_SESSION (d2i_SSL_SESSION(3)), whose known fields depend on
the version. An upgrade keeps every session; a roll-back from 3.0 or later to 1.1.1 or earlier loses each ticket issued
since the upgrade.
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
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    reasons,
    scenario,
)

pytestmark = scenario(server={"ticket_keys": "fleet"}, second_server=True)

SEEN, RULED = date(2026, 11, 21), date(2026, 11, 29)
UNKNOWN_FIELD = (
    "https://github.com/openssl/openssl/pull/14750: 3.0 writes [19] kex_group, which is UINT32 and not ZUINT32, into "
    "each SSL_SESSION; d2i_SSL_SESSION before 3.0 refuses it, and tls_decrypt_ticket (1.1.1w, ssl/t1_lib.c: For "
    "session parse failure, indicate that we need to send a new ticket) goes on without the session"
)
LONGER_KEYS = (
    "https://github.com/openssl/openssl/pull/515: since 1.1.0 tickets are encrypted with AES-256, and both keys are of "
    "32 bytes (SSL_CTX_set_tlsext_ticket_keys takes 80); before, they were of 16 (48), so that no keys are the same"
)
KEYS_DIFFER = (
    Differs(DECLINED, Role.SERVER, "*@<1.1.0", SEEN, LONGER_KEYS, left="*@>=1.1.0"),
    Differs(DECLINED, Role.SERVER, "*@>=1.1.0", SEEN, LONGER_KEYS, left="*@<1.1.0"),
)
READS = Expectation(
    RESUMED, Differs(DECLINED, Role.SERVER, "*@<3.0", SEEN, UNKNOWN_FIELD, left="*@>=3.0"), *KEYS_DIFFER
)
UNREADABLE, KEY_UNKNOWN = (Reason.TICKET_UNREADABLE,), (Reason.TICKET_KEY_UNKNOWN,)
EMS_ADDED = (
    "OpenSSL 1.0.2 knows no extended master secret, so that its session cannot be resumed where both ends have it "
    "(ssl_get_prev_session: SSL_SESS_FLAG_EXTMS)"
)


def added(*reasons: Reason) -> Differs[tuple[Reason, ...]]:
    """These reasons, and that a later server and client add the extended master secret to a session of 1.0.2."""
    why = (*reasons, Reason.EXTENDED_MASTER_SECRET_ADDED)
    return Differs(why, Role.SERVER, "*@>=1.1.0", RULED, EMS_ADDED, TLSv1_2, left="*@<1.1.0", peer="*@>=1.1.0")


WHY_KEYS_DIFFER = (
    Differs(KEY_UNKNOWN, Role.SERVER, "*@<1.1.0", SEEN, LONGER_KEYS, left="*@>=1.1.0"),
    Differs(KEY_UNKNOWN, Role.SERVER, "*@>=1.1.0", SEEN, LONGER_KEYS, left="*@<1.1.0", peer="*@<1.1.0"),
    added(*KEY_UNKNOWN),
)
OWN_KEYS: Expectation[tuple[Reason, ...]] = Expectation(KEY_UNKNOWN, added(*KEY_UNKNOWN))
OWN_CACHE: Expectation[tuple[Reason, ...]] = Expectation((Reason.NOT_IN_CACHE,), added(Reason.NOT_IN_CACHE))
WHY: Expectation[tuple[Reason, ...]] = Expectation(
    (),
    Differs(UNREADABLE, Role.SERVER, "*@>=1.1.0,<3.0", SEEN, UNKNOWN_FIELD, left="*@>=3.0"),
    *WHY_KEYS_DIFFER,
)
WHY_LATEST: Expectation[tuple[Reason, ...]] = Expectation(
    (),
    Differs(UNREADABLE, Role.SERVER, "*@>=1.1.0,<3.0", SEEN, UNKNOWN_FIELD, TLSv1_3, left="*@>=3.0"),
    *WHY_KEYS_DIFFER,
)
READS_LATEST = Expectation(
    RESUMED, Differs(DECLINED, Role.SERVER, "*@<3.0", SEEN, UNKNOWN_FIELD, TLSv1_3, left="*@>=3.0"), *KEYS_DIFFER
)
"""In TLS 1.2 a server that resumes renews no ticket, so that the client comes back with that of the first server."""
MECHANISM = {TLSv1_2: Mechanism.SESSION_TICKET, TLSv1_3: Mechanism.PSK}


def test_ticket_of_one_server_resumes_at_the_other(pair):
    first = pair.connect()
    pair.use_second_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.setup.server_context != first.setup.server_context
    assert second.outcome is READS.of(pair)
    assert reasons(pair, second) == WHY.of(pair)
    assert second.from_cache is not True
    assert second.offered.taken_from == first.server.view.name


def test_client_that_comes_back_with_its_latest_session_resumes(pair):
    first = pair.connect()
    pair.use_second_server()
    second = pair.connect(offer=first.session)
    there = READS.of(pair)
    pair.use_first_server()
    third = pair.connect(offer=second.session)

    assert first.outcome is FULL
    assert second.setup.server_context != first.setup.server_context
    assert second.outcome is there
    assert third.outcome is READS_LATEST.of(pair)
    assert reasons(pair, third) == WHY_LATEST.of(pair)
    assert third.from_cache is not True


def test_first_servers_ticket_still_resumes_there_after_the_second_server(pair):
    first = pair.connect()
    pair.use_second_server()
    second = pair.connect(offer=first.session)
    there = READS.of(pair)
    pair.use_first_server()
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.setup.server_context != first.setup.server_context
    assert second.outcome is there
    assert third.outcome is RESUMED
    assert third.mechanism is MECHANISM[pair.tls]


@scenario(versions=[TLSv1_2], server={"ticket_keys": "fleet"}, second_server=True)
def test_tls12_server_sends_a_ticket_only_if_it_cannot_read_the_others(pair):
    first = pair.connect()
    pair.use_second_server()
    second = pair.connect(offer=first.session)
    outcome = READS.of(pair)

    assert first.tickets == 1
    assert second.setup.server_context != first.setup.server_context
    assert second.outcome is outcome
    assert reasons(pair, second) == WHY.of(pair)
    assert second.from_cache is not True
    assert second.tickets == {RESUMED: 0, DECLINED: 1}[outcome]


@scenario(versions=[TLSv1_3], server={"ticket_keys": "fleet"}, second_server=True)
def test_tls13_server_sends_one_ticket_if_it_resumes_and_two_if_it_cannot(pair):
    first = pair.connect()
    pair.use_second_server()
    second = pair.connect(offer=first.session)
    outcome = READS.of(pair)
    tickets = {RESUMED: pair.server_default("tickets_after_resumption"), DECLINED: pair.server_default("tickets")}

    assert first.tickets == pair.server_default("tickets")
    assert second.setup.server_context != first.setup.server_context
    assert second.outcome is outcome
    assert reasons(pair, second) == WHY.of(pair)
    assert second.tickets == tickets[outcome]


@scenario(second_server=True)
def test_without_shared_keys_each_server_resumes_only_its_own_ticket(pair):
    first = pair.connect()
    pair.use_second_server()
    second = pair.connect(offer=first.session)
    there = OWN_KEYS.of(pair)
    pair.use_first_server()
    third = pair.connect(offer=second.session)
    fourth = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == there
    assert third.outcome is DECLINED
    assert reasons(pair, third) == OWN_KEYS.of(pair)
    assert fourth.outcome is RESUMED
    assert fourth.from_cache is False


@scenario(server={"ticket_keys": "fleet", "tickets": False}, second_server=True)
def test_cached_session_is_known_only_to_the_server_that_cached_it(pair):
    first = pair.connect()
    pair.use_second_server()
    second = pair.connect(offer=first.session)
    there = OWN_CACHE.of(pair)
    pair.use_first_server()
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == there
    assert third.outcome is RESUMED
    assert third.from_cache is True


@scenario(server={"ticket_keys": "fleet"}, second_server=True, needs={"server": [Capability.COUNTERS]})
def test_server_counts_a_hit_and_no_miss_for_a_ticket_of_another_server(pair):
    first = pair.connect()
    pair.use_second_server()
    second = pair.connect(offer=first.session)
    outcome = READS.of(pair)
    counters = pair.last_counters()

    assert first.outcome is FULL
    assert second.setup.server_context != first.setup.server_context
    assert second.outcome is outcome
    assert reasons(pair, second) == WHY.of(pair)
    assert second.from_cache is not True
    assert (counters.hits, counters.misses) == {RESUMED: (1, 0), DECLINED: (0, 0)}[outcome]
