"""What the groups of each end cost a TLS 1.3 resumption (RFC 8446, 4.1.4 and 4.2.8; SSL_CTX_set1_groups_list(3)).

OpenSSL 3.5 has its groups in tuples. A server then prefers a group of an earlier tuple to that of the client's key
share, and asks for it by a HelloRetryRequest. The second ClientHello has no early data (4.1.2), and the first one uses
up a ticket that may be used once. A client sends key shares of some of its groups, and of none if its security level
allows none of these.
"""

from datetime import date

from harness import (
    ABORTED,
    DECLINED,
    FULL,
    RESUMED,
    Capability,
    Differs,
    Expectation,
    Mechanism,
    Outcome,
    Reason,
    Role,
    TLSv1_3,
    openssl_chooses,
    reasons,
    scenario,
)

SEEN = date(2026, 11, 30)
P384, P521 = 24, 25
INTERNAL_ERROR = 80
TUPLES = "SSL_CTX_set1_groups_list(3) of 3.5: a server asks for a group of an earlier tuple than that of the key share"
RETRY_REQUESTS = Expectation([False], Differs([True, False], Role.SERVER, "*@>=3.5", SEEN, TUPLES))
"""Whether each answer of the server to a ClientHello is a HelloRetryRequest."""
USED_UP: Expectation[tuple[Outcome, bool | None, tuple[Reason, ...]]] = Expectation(
    (RESUMED, True, ()), Differs((DECLINED, None, (Reason.CONSUMED,)), Role.SERVER, "*@>=3.5", SEEN, TUPLES)
)
"""The outcome, whether the session came from the server's cache, and the reasons."""
HITS_AFTER_QUESTION = Expectation(
    1,
    Differs(
        2,
        Role.SERVER,
        "*@>=3.5",
        date(2026, 12, 1),
        f"{TUPLES}, and ssl_get_prev_session adds to sess_hit for the first and for the second ClientHello",
    ),
)
EARLY_DATA = Expectation("accepted", Differs("rejected", Role.SERVER, "*@>=3.5", SEEN, TUPLES))
PREFERS_ANOTHER = {"groups": "P-384:X25519"}
"""The key share is of the first."""

NO_SHARE = (
    "SSL_CTX_set1_groups_list(3) of 3.5: only groups with a star have a key share, by default X25519MLKEM768 and "
    "X25519, which level 5 does not allow"
)
FAILS_AT_ONCE = "https://github.com/openssl/openssl/pull/28283: tls_construct_ctos_key_share fails if there is no share"
AT_LEVEL_5: Expectation[tuple[Outcome, int | None, list[tuple[int, ...]]]] = Expectation(
    (RESUMED, None, [(P521,)]),
    Differs(
        (ABORTED, INTERNAL_ERROR, [()]), Role.CLIENT, "*@>=3.5,<3.5.3", SEEN, f"{NO_SHARE}; it then sends an empty list"
    ),
    Differs((ABORTED, INTERNAL_ERROR, []), Role.CLIENT, "*@>=3.5.3", SEEN, FAILS_AT_ONCE),
)
"""The outcome, the client's alert, and the groups of the key shares of each ClientHello."""


@scenario(versions=[TLSv1_3], client=PREFERS_ANOTHER)
@openssl_chooses(Role.CLIENT, "one key share, of the first of its groups")
@openssl_chooses(Role.SERVER, "whether it asks for a group that it prefers")
def test_session_resumes_in_the_group_that_the_server_prefers(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert second.messages.client_hellos[0].key_share_groups == (P384,)
    assert [hello.hello_retry_request for hello in second.messages.server_hellos] == RETRY_REQUESTS.of(pair)


@scenario(versions=[TLSv1_3], client=PREFERS_ANOTHER, server={"max_early_data": 1024})
@openssl_chooses(Role.CLIENT, "one key share, of the first of its groups")
@openssl_chooses(Role.SERVER, "whether it asks for a group that it prefers")
def test_question_for_a_group_uses_up_a_ticket_that_may_be_used_once(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert [hello.hello_retry_request for hello in second.messages.server_hellos] == RETRY_REQUESTS.of(pair)
    assert (second.outcome, second.from_cache, reasons(pair, second)) == USED_UP.of(pair)


@scenario(versions=[TLSv1_3], client=PREFERS_ANOTHER, server={"max_early_data": 1024, "anti_replay": False})
@openssl_chooses(Role.CLIENT, "one key share, of the first of its groups")
@openssl_chooses(Role.SERVER, "whether it asks for a group that it prefers")
def test_question_for_a_group_leaves_a_ticket_that_may_be_used_again(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert [hello.hello_retry_request for hello in second.messages.server_hellos] == RETRY_REQUESTS.of(pair)
    assert second.mechanism is Mechanism.PSK
    assert second.from_cache is False


@scenario(versions=[TLSv1_3], client=PREFERS_ANOTHER, needs={"server": [Capability.COUNTERS]})
@openssl_chooses(Role.CLIENT, "one key share, of the first of its groups")
@openssl_chooses(Role.SERVER, "whether it asks for a group that it prefers")
def test_question_for_a_group_counts_the_resumption_twice(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert [hello.hello_retry_request for hello in second.messages.server_hellos] == RETRY_REQUESTS.of(pair)
    assert pair.server.counters().hits == HITS_AFTER_QUESTION.of(pair)


@scenario(
    versions=[TLSv1_3],
    client=PREFERS_ANOTHER | {"max_early_data": 100},
    server={"max_early_data": 1024, "anti_replay": False},
)
@openssl_chooses(Role.CLIENT, "one key share, of the first of its groups")
@openssl_chooses(Role.SERVER, "whether it asks for a group that it prefers")
def test_early_data_is_rejected_by_the_question_for_a_group(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert second.from_cache is False
    assert second.client.early_data == EARLY_DATA.of(pair)


@scenario(versions=[TLSv1_3], needs={"client": [Capability.SESSION_IMPORT]})
@openssl_chooses(Role.CLIENT, "of which of its groups it sends a key share")
def test_client_whose_security_level_allows_none_of_its_key_shares(pair):
    first = pair.connect()
    pair.new_client(security_level=5)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    alert = second.alert and second.alert.number
    assert (second.outcome, alert, [h.key_share_groups for h in second.messages.client_hellos]) == AT_LEVEL_5.of(pair)


@scenario(versions=[TLSv1_3], needs={"client": [Capability.SESSION_IMPORT]})
@openssl_chooses(Role.CLIENT, "of which of its groups it sends a key share")
def test_client_with_a_group_that_its_security_level_allows_resumes(pair):
    first = pair.connect()
    pair.new_client(security_level=5, groups="P-521")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert second.messages.client_hello.key_share_groups == (P521,)
