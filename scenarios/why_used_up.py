"""Why a session that was offered before is gone: it was single-use, or a fatal alert removed it. Exactly one reason.

RFC 8446, 8.1 (single-use tickets; OpenSSL calls it anti-replay, SSL_CTX_set_options(3)); RFC 5246, 7.2.2 (a fatal alert
invalidates the session). OpenSSL's tls_parse_ctos_psk removes a session before it checks the binder.
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
    openssl_chooses,
    reasons,
    scenario,
    with_other_secret,
)

CACHED = {"tickets": False}
ONCE = {"max_early_data": 1024}
"""A server that allows early data keeps its sessions, and each is good for one ClientHello."""
IMPORTS = {"client": [Capability.SESSION_IMPORT]}
BAD_RECORD_MAC = Alert(20, Role.CLIENT)
ALERT_OF_BINDER = Expectation(
    Alert(51, Role.SERVER),
    Differs(
        Alert(47, Role.SERVER),
        Role.SERVER,
        "*@<3.4",
        date(2026, 11, 29),
        "https://github.com/openssl/openssl/pull/25176: SSL_AD_DECRYPT_ERROR alert on PSK binder validation failure",
    ),
)
EDITS = {"client": [Capability.SESSION_DATA, Capability.SESSION_IMPORT]}


@scenario(versions=[TLSv1_3], server=ONCE | {"anti_replay": [None, True]})
def test_session_that_allows_early_data_is_consumed_by_its_first_use(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert third.outcome is DECLINED
    assert reasons(pair, third) == (Reason.CONSUMED,)


@scenario(versions=[TLSv1_3], server=ONCE | {"anti_replay": False, "tickets": BOTH})
def test_session_is_not_consumed_where_anti_replay_is_off(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.messages.tickets[-1].max_early_data == ONCE["max_early_data"]
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets
    assert third.outcome is RESUMED
    assert third.from_cache is not pair.server_config.tickets


@scenario(versions=[TLSv1_3], server={"groups": "X25519", "max_early_data": 1024}, needs=IMPORTS)
def test_retry_consumes_a_single_use_session(pair):
    first = pair.connect()
    pair.new_client(groups="P-521:X25519")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.CONSUMED,)


@scenario(versions=[TLSv1_3], server=ONCE, needs=EDITS)
def test_single_use_session_is_consumed_by_an_offer_with_a_wrong_binder(pair):
    first = pair.connect()
    second = pair.connect(offer=with_other_secret(first.session))
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert == ALERT_OF_BINDER.of(pair)
    assert third.outcome is DECLINED
    assert reasons(pair, third) == (Reason.CONSUMED,)


@scenario(versions=[TLSv1_3], server=CACHED, needs=EDITS)
@openssl_chooses(Role.SERVER, "a session in the cache can be used again")
def test_reusable_session_resumes_after_an_offer_with_a_wrong_binder(pair):
    first = pair.connect()
    second = pair.connect(offer=with_other_secret(first.session))
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert == ALERT_OF_BINDER.of(pair)
    assert third.outcome is RESUMED
    assert third.from_cache is True


@scenario(versions=[TLSv1_2], server=CACHED, needs=EDITS)
def test_session_is_not_in_the_cache_after_a_fatal_alert(pair):
    first = pair.connect()
    second = pair.connect(offer=with_other_secret(first.session))
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert == BAD_RECORD_MAC
    assert third.outcome is DECLINED
    assert reasons(pair, third) == (Reason.NOT_IN_CACHE,)
