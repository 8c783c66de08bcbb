"""Early data is accepted only if the ticket is as old by the client as by the server: from 8 seconds less to 2 more.

RFC 8446, 4.2.11.1 and 8.3. OpenSSL's client takes a second off the age in whole seconds that it sends, and its server
adds one to its own, against rounding; TICKET_AGE_ALLOWANCE is 10 seconds (tls_construct_ctos_psk, tls_parse_ctos_psk).
Outside of the window the session still resumes, and only the early data is refused.
"""

from harness import FULL, Mechanism, Reason, TLSv1_3, cases, reasons, scenario

NOW = 1_800_000_000
"""Where both clocks are stopped; any moment will do."""
AGE = 100
SENDS = {"max_early_data": 100, "clock": 0}
ALLOWS = {"max_early_data": 1024, "anti_replay": False, "clock": 0}

pytestmark = scenario(versions=[TLSv1_3], client=SENDS, server=ALLOWS)


def age_sent(first, second):
    """The age that the client sent, in milliseconds."""
    return (second.messages.client_hello.psk_ages[0] - first.messages.tickets[-1].age_add) % 2**32


def stopped(pair, client, server):
    """Stop both clocks at these ages of the ticket, in seconds."""
    pair.client.stop_clock(NOW + client)
    pair.server.stop_clock(NOW + server)


@cases("later", -2, 0, 8)
def test_early_data_is_accepted_at_the_bounds_of_the_window(pair, later):
    stopped(pair, 0, 0)
    first = pair.connect()
    stopped(pair, AGE, AGE + later)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert second.from_cache is False
    assert age_sent(first, second) == 1000 * (AGE - 1)
    assert second.client.early_data == "accepted"
    assert second.server.early_bytes == second.client.early_bytes
    assert reasons(pair, second) == ()


@cases("later", -3, 9)
def test_early_data_is_refused_a_second_beyond_the_window(pair, later):
    stopped(pair, 0, 0)
    first = pair.connect()
    stopped(pair, AGE, AGE + later)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert second.from_cache is False
    assert age_sent(first, second) == 1000 * (AGE - 1)
    assert second.client.early_data == "rejected"
    assert second.server.early_bytes == b""
    assert reasons(pair, second) == (Reason.EARLY_DATA_REFUSED,)


@cases("client, server", (0, 9), (1, 9), (1, 0), (2, 0))
def test_early_data_is_accepted_at_the_bounds_of_a_new_ticket(pair, client, server):
    """An age of 0 and of 1 second are both sent as 0."""
    stopped(pair, 0, 0)
    first = pair.connect()
    stopped(pair, client, server)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert second.from_cache is False
    assert age_sent(first, second) == 1000 * max(client - 1, 0)
    assert second.client.early_data == "accepted"


@cases("client, server", (0, 10), (1, 10), (3, 0))
def test_early_data_is_refused_beyond_the_bounds_of_a_new_ticket(pair, client, server):
    stopped(pair, 0, 0)
    first = pair.connect()
    stopped(pair, client, server)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert second.from_cache is False
    assert age_sent(first, second) == 1000 * max(client - 1, 0)
    assert second.client.early_data == "rejected"
    assert reasons(pair, second) == (Reason.EARLY_DATA_REFUSED,)
