"""A server generates its session ids, or calls the application's generator (SSL_CTX_set_generate_session_id(3)).

An id names a session in the server's cache. A TLS 1.2 server that is about to send a ticket answers with an empty id
(RFC 5077, 3.4); a TLS 1.3 server sends the id only as a stateful ticket. If a generator returns an id that is in use,
OpenSSL does not try again: ssl_generate_session_id ends the handshake.
"""

from datetime import date

from harness import (
    ABORTED,
    FULL,
    RESUMED,
    Alert,
    CacheMode,
    Capability,
    Expectation,
    Mechanism,
    Role,
    TLSv1_2,
    TLSv1_3,
    openssl_chooses,
    scenario,
    without_alert,
)

PREFIX = b"server-1."
PREFIXED = {"tickets": False, "session_id_prefix": PREFIX}
FIXED = {"tickets": False, "session_id": b"always the same"}

INTERNAL_ERROR = Alert(80, Role.SERVER)
ALERT: Expectation[Alert | None] = Expectation(
    INTERNAL_ERROR, *without_alert(date(2026, 11, 21), "ssl_get_new_session")
)
CONFLICT = "lib=20 reason=302 "
"""SSL_R_SSL_SESSION_ID_CONFLICT."""

pytestmark = scenario(versions=[TLSv1_2], server={"tickets": False})


def id_of(connection):
    return connection.messages.server_hello.session_id


def ticket_of(connection):
    return connection.messages.tickets[-1].ticket


def test_every_session_has_32_bytes_of_its_own(pair):
    connections = [pair.connect() for _ in range(5)]

    assert [c.outcome for c in connections] == [FULL] * 5
    assert [len(id_of(c)) for c in connections] == [32] * 5
    assert len({id_of(c) for c in connections}) == 5


@scenario(versions=[TLSv1_2])
@openssl_chooses(Role.SERVER, "no session id beside a ticket, which RFC 5077, 3.4 only advises")
def test_session_of_a_ticket_has_none(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.tickets == 1
    assert id_of(first) == b""


@scenario(versions=[TLSv1_2], server=PREFIXED)
def test_id_is_what_the_generator_made(pair):
    first = pair.connect()
    second = pair.connect()
    third = pair.connect(offer=first.session)

    assert id_of(first).startswith(PREFIX)
    assert id_of(second).startswith(PREFIX)
    assert id_of(first) != id_of(second)
    assert third.outcome is RESUMED
    assert third.mechanism is Mechanism.SESSION_ID
    assert id_of(third) == id_of(first)


@scenario(versions=[TLSv1_3], server=PREFIXED)
def test_stateful_ticket_is_what_the_generator_made(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert ticket_of(first).startswith(PREFIX)
    assert len(ticket_of(first)) == 32
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert second.messages.client_hello.psk_identities == (ticket_of(first),)


@scenario(versions=[TLSv1_2], server=FIXED)
def test_id_may_be_shorter_than_32_bytes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert id_of(first) == FIXED["session_id"]
    assert second.outcome is RESUMED
    assert second.from_cache is True


@scenario(versions=[TLSv1_2], server=FIXED)
def test_id_that_is_taken_ends_the_handshake(pair):
    first = pair.connect()
    second = pair.connect(presume_full=False)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert == ALERT.of(pair)
    assert any(CONFLICT in error for error in second.server.errors)


@scenario(versions=[TLSv1_2], server=FIXED)
def test_session_whose_id_is_wanted_again_still_resumes(pair):
    first = pair.connect()
    second = pair.connect(presume_full=False)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert == ALERT.of(pair)
    assert third.outcome is RESUMED
    assert third.from_cache is True


@scenario(versions=[TLSv1_2], server=FIXED, needs={"server": [Capability.REMOVE_SESSION]})
def test_id_is_free_again_when_its_session_is_removed(pair):
    first = pair.connect()
    removed = pair.server.remove(id_of(first))
    second = pair.connect()

    assert removed is True
    assert second.outcome is FULL
    assert id_of(second) == id_of(first)


@scenario(
    versions=[TLSv1_2], server={**FIXED, "cache_mode": [{CacheMode.OFF}, {CacheMode.SERVER, CacheMode.NO_INTERNAL}]}
)
def test_id_is_never_taken_where_nothing_is_cached(pair):
    first = pair.connect()
    second = pair.connect()
    sent = FIXED["session_id"] if CacheMode.SERVER in pair.server_config.cache_mode else b""

    assert first.outcome is FULL
    assert second.outcome is FULL
    assert first.tickets == 0
    assert [id_of(first), id_of(second)] == [sent, sent]


@scenario(versions=[TLSv1_3], server={**FIXED, "num_tickets": 1})
def test_stateful_ticket_that_is_taken_ends_the_connection(pair):
    first = pair.connect()
    second = pair.connect(presume_full=False)

    assert first.outcome is FULL
    assert ticket_of(first) == FIXED["session_id"]
    assert second.outcome is ABORTED
    assert second.alert == ALERT.of(pair)
    assert any(CONFLICT in error for error in second.server.errors)


@scenario(versions=[TLSv1_3], server={**FIXED, "num_tickets": 1})
def test_stateful_ticket_that_is_shorter_than_32_bytes_is_never_looked_up(pair):
    """tls_get_stateful_ticket accepts ids of exactly 32 bytes, whatever the generator returns."""
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert == ALERT.of(pair)
    assert second.messages.client_hello.psk_identities == (FIXED["session_id"],)
    assert second.messages.server_hello.selected_psk is None
    assert pair.last_counters().misses == 0


@scenario(versions=[TLSv1_3], server={**FIXED, "num_tickets": 2})
def test_second_stateful_ticket_with_the_id_of_the_first_is_fatal(pair):
    only = pair.connect(presume_full=False)

    assert only.outcome is ABORTED
    assert only.alert == ALERT.of(pair)
    assert any(CONFLICT in error for error in only.server.errors)


@scenario(versions=[TLSv1_3], server={"session_id": FIXED["session_id"]})
def test_stateless_tickets_never_conflict(pair):
    first = pair.connect()
    second = pair.connect()
    third = pair.connect(offer=second.session)
    pair.new_server(tickets=False)
    fourth = pair.connect(presume_full=False)

    assert first.outcome is FULL
    assert second.outcome is FULL
    assert ticket_of(first) != ticket_of(second)
    assert third.outcome is RESUMED
    assert third.from_cache is False
    assert fourth.outcome is ABORTED
    assert fourth.alert == ALERT.of(pair)


HAS_SESSION = {"server": [Capability.MATCHING_SESSION_ID, Capability.REMOVE_SESSION]}


@scenario(versions=[TLSv1_2], server={"tickets": False}, needs=HAS_SESSION)
def test_server_reports_which_ids_are_taken(pair):
    first = pair.connect()
    before = pair.server.has_session(id_of(first))
    pair.server.remove(id_of(first))
    after = pair.server.has_session(id_of(first))

    assert first.outcome is FULL
    assert before is True
    assert after is False
    assert pair.server.has_session(id_of(first)[:-1]) is False
    assert pair.new_server().has_session(id_of(first)) is False


@scenario(versions=[TLSv1_3], server={"tickets": False}, needs=HAS_SESSION)
def test_server_reports_which_stateful_tickets_are_taken(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert pair.server.has_session(ticket_of(first)) is True
    assert pair.server.remove(ticket_of(first)) is True
    assert pair.server.has_session(ticket_of(first)) is False
