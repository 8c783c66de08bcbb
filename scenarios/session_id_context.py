"""A session resumes only in the session id context in which it was made (SSL_CTX_set_session_id_context(3)).

The context is the server's alone: it is stored in the server's cache and tickets, and never sent in the clear. A
server that verifies its clients must set one; otherwise ssl_get_prev_session makes each resumption fatal, as the man
page warns.
"""

from datetime import date

from harness import (
    ABORTED,
    BOTH,
    DECLINED,
    FULL,
    RESUMED,
    UNSET,
    Alert,
    Differs,
    Expectation,
    Reason,
    Role,
    Verify,
    cases,
    reasons,
    scenario,
    without_alert,
)

INTERNAL_ERROR = Alert(80, Role.SERVER)
SEEN = date(2026, 11, 21)
ALERT: Expectation[Alert | None] = Expectation(INTERNAL_ERROR, *without_alert(SEEN, "ssl_get_prev_session"))
CACHED_WITHOUT_CONTEXT = "https://github.com/openssl/openssl/pull/5175: Do not cache sessions with zero sid_ctx_length"
WITHOUT_CONTEXT = Expectation(
    DECLINED,
    Differs(
        ABORTED,
        Role.SERVER,
        "*@<1.1.0",
        SEEN,
        CACHED_WITHOUT_CONTEXT,
    ),
)
WHY_WITHOUT_CONTEXT: Expectation[tuple[Reason, ...]] = Expectation(
    (Reason.NOT_IN_CACHE,),
    Differs((Reason.SESSION_ID_CONTEXT_UNSET,), Role.SERVER, "*@<1.1.0", SEEN, CACHED_WITHOUT_CONTEXT),
)
ALERT_WITHOUT_CONTEXT: Expectation[Alert | None] = Expectation(
    None, *without_alert(SEEN, "ssl_get_prev_session", "*@<1.1.0")
)
TOO_LONG = 273
"""SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG."""
UNINITIALIZED = "lib=20 reason=277 "
"""SSL_R_SESSION_ID_CONTEXT_UNINITIALIZED."""

CLIENT = {"client_certificate": "client"}

pytestmark = scenario()


@scenario(server={"session_id_context": [b"a", b"a" * 32], "tickets": BOTH})
def test_session_resumes_in_its_context(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets


@cases("other", b"two", b"one more", b"on", UNSET)
@scenario(server={"session_id_context": b"one", "ticket_keys": "shared"})
def test_session_resumes_at_another_server_only_if_its_context_is_equal(pair, other):
    first = pair.connect()
    pair.new_server(session_id_context=other)
    second = pair.connect(offer=first.session)
    hits = pair.last_counters().hits
    pair.new_server(session_id_context=b"one")
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.SESSION_ID_CONTEXT_DIFFERS,)
    assert hits == 0
    assert third.outcome is RESUMED
    assert third.from_cache is False


@scenario(server={"session_id_context": UNSET, "tickets": BOTH})
def test_session_resumes_without_a_context_if_the_server_does_not_verify(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets


@scenario(client=CLIENT, server={"verify": Verify.REQUIRED, "tickets": BOTH})
def test_verified_session_resumes_in_its_context(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.server.peer_certificate is True
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets


@scenario(client=CLIENT, server={"session_id_context": UNSET, "verify": [Verify.OPTIONAL, Verify.REQUIRED]})
def test_ticket_is_fatal_at_a_verifying_server_without_a_context(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert == ALERT.of(pair)
    assert any(UNINITIALIZED in error for error in second.server.errors)


@scenario(client=CLIENT, server={"session_id_context": UNSET, "verify": Verify.REQUIRED, "tickets": False})
def test_verifying_server_without_a_context_caches_nothing(pair):
    """ssl_update_cache does not store what could not be resumed: the offer is a miss and not fatal."""
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is WITHOUT_CONTEXT.of(pair)
    assert reasons(pair, second) == WHY_WITHOUT_CONTEXT.of(pair)
    assert second.alert == ALERT_WITHOUT_CONTEXT.of(pair)


@scenario(client=CLIENT, server={"session_id_context": UNSET, "ticket_keys": "shared"})
def test_tickets_become_fatal_when_a_server_without_a_context_verifies(pair):
    first = pair.connect()
    pair.new_server(verify=Verify.REQUIRED)
    second = pair.connect(offer=first.session)
    third = pair.connect()

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert == ALERT.of(pair)
    assert third.outcome is FULL


@scenario(server={"session_id_context": UNSET})
def test_context_of_33_bytes_is_refused(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert pair.refusal(session_id_context=b"a" * 33) == (TOO_LONG,)
