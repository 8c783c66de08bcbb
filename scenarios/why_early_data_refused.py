"""A server can refuse early data although it resumes the session, and the reason says why.

RFC 8446, 4.2.10 and 8.3; in OpenSSL tls_parse_ctos_psk (the ticket's age), tls_handle_alpn and final_early_data.
early_data covers what is accepted, and what declines the whole session.
"""

from harness import (
    FULL,
    RESUMED,
    Capability,
    Reason,
    TLSv1_3,
    aged,
    reasons,
    scenario,
    titles,
)

SENDS = {"max_early_data": 100}
ALLOWS = {"max_early_data": 1024}
REPLAYED = ALLOWS | {"anti_replay": False}
PROTOCOLS = ("h2", "http/1.1")
RETRIED = {"groups": "P-384"}
"""A server to which the client's first key share is of no use."""
DATA = {"client": [Capability.SESSION_DATA, Capability.SESSION_IMPORT]}
PORTABLE = {"client": [Capability.SESSION_IMPORT]}
REFUSED = (Reason.EARLY_DATA_REFUSED,)

pytestmark = scenario(versions=[TLSv1_3], client=SENDS, server=ALLOWS)


def test_accepted_early_data_has_no_reason(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert second.client.early_data == "accepted"
    assert reasons(pair, second) == ()


@scenario(versions=[TLSv1_3], server=ALLOWS)
def test_unsent_early_data_has_no_reason(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert reasons(pair, second) == ()


@scenario(versions=[TLSv1_3], client=SENDS, server=REPLAYED | RETRIED)
def test_early_data_before_a_hello_retry_request(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert second.client.early_data == "rejected"
    assert reasons(pair, second) == REFUSED
    assert "refused: the server answered with a HelloRetryRequest" in titles(pair, second)[-1]


@scenario(versions=[TLSv1_3], client=SENDS, server=REPLAYED | {"ticket_keys": "shared"})
def test_early_data_for_a_server_that_allows_none(pair):
    first = pair.connect()
    pair.new_server(max_early_data=0)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert second.client.early_data == "rejected"
    assert reasons(pair, second) == REFUSED
    assert "refused: the server allows none" in titles(pair, second)[-1]


@scenario(versions=[TLSv1_3], client=SENDS, server=REPLAYED | {"ticket_keys": "shared"})
def test_early_data_for_a_server_that_allows_fewer_but_enough_bytes(pair):
    first = pair.connect()
    pair.new_server(max_early_data=100)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.messages.tickets[0].max_early_data == 100
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert second.client.early_data == "accepted"
    assert reasons(pair, second) == ()


@scenario(versions=[TLSv1_3], client=SENDS, server=ALLOWS | {"alpn": PROTOCOLS}, needs=PORTABLE)
def test_early_data_under_an_alpn_protocol_the_session_does_not_have(pair):
    first = pair.connect()
    pair.new_client(alpn=("h2",))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert second.client.early_data == "rejected"
    assert reasons(pair, second) == (Reason.OTHER_ALPN, Reason.EARLY_DATA_REFUSED)
    assert "refused: the server chose h2, but the session has no ALPN protocol" in titles(pair, second)[-1]


@scenario(versions=[TLSv1_3], client=SENDS | {"alpn": PROTOCOLS}, server=ALLOWS | {"alpn": PROTOCOLS})
def test_early_data_under_the_sessions_alpn_protocol_has_no_reason(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.client.alpn == "h2"
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert second.client.early_data == "accepted"
    assert reasons(pair, second) == ()


@scenario(versions=[TLSv1_3], client=SENDS, server=ALLOWS, needs=DATA)
def test_early_data_with_a_ticket_older_at_the_client_than_at_the_server(pair):
    first = pair.connect()
    second = pair.connect(offer=aged(first.session, 60))

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert second.client.early_data == "rejected"
    assert reasons(pair, second) == REFUSED
    assert "seconds old by the client's clock" in titles(pair, second)[-1]


@scenario(versions=[TLSv1_3], client=SENDS, server=ALLOWS | {"clock": 0})
def test_early_data_with_a_ticket_older_at_the_server_than_at_the_client(pair):
    first = pair.connect()
    pair.server.move_clock(60)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert second.client.early_data == "rejected"
    assert reasons(pair, second) == REFUSED
    assert "seconds old by the client's clock" in titles(pair, second)[-1]


@scenario(versions=[TLSv1_3], client=SENDS | {"clock": 0}, server=ALLOWS | {"clock": 0})
def test_early_data_with_a_ticket_of_equal_age_at_both_has_no_reason(pair):
    first = pair.connect()
    pair.client.move_clock(60)
    pair.server.move_clock(60)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert second.client.early_data == "accepted"
    assert reasons(pair, second) == ()
