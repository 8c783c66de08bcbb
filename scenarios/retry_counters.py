"""One resumption after a HelloRetryRequest counts as two hits (RFC 8446, 4.1.4; SSL_CTX_sess_number(3)).

ssl_get_prev_session counts a hit whenever it finds the session, and a TLS 1.3 server looks for it in each ClientHello
(tls_early_post_process_client_hello).
"""

from datetime import date

from harness import FULL, RESUMED, Capability, Differs, Expectation, Mechanism, Role, TLSv1_3, openssl_chooses, scenario

SEEN = date(2026, 11, 29)
EACH_HELLO = "ssl_get_prev_session (ssl/ssl_sess.c) adds to sess_hit for the first and for the second ClientHello"
HITS_AFTER_RETRY = Expectation(1, Differs(2, Role.SERVER, "*@>=1.1.1", SEEN, EACH_HELLO))
COUNTS = {"server": [Capability.COUNTERS]}

RETRIES = {"groups": "P-384"}
"""A server that cannot use the key shares that clients send by default."""

pytestmark = scenario(versions=[TLSv1_3], server=RETRIES, needs=COUNTS)


@openssl_chooses(Role.CLIENT, "the same key share where it offers a session")
def test_resumption_after_a_retry_counts_as_two_hits(pair):
    first = pair.connect()
    before = pair.server.counters()
    second = pair.connect(offer=first.session)
    after = pair.server.counters()

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert second.messages.server_hellos[0].hello_retry_request is True
    assert (before.hits, after.hits) == (0, HITS_AFTER_RETRY.of(pair))
    assert (before.accept_good, after.accept_good) == (1, 2)


def test_full_handshake_after_a_retry_counts_as_no_hit(pair):
    first = pair.connect()
    after = pair.server.counters()

    assert first.outcome is FULL
    assert first.messages.server_hellos[0].hello_retry_request is True
    assert (after.hits, after.misses, after.accept_good) == (0, 0, 1)


@scenario(versions=[TLSv1_3], needs=COUNTS)
def test_resumption_without_a_retry_counts_as_one_hit(pair):
    first = pair.connect()
    before = pair.server.counters()
    second = pair.connect(offer=first.session)
    after = pair.server.counters()

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.messages.server_hellos[0].hello_retry_request is False
    assert (before.hits, after.hits) == (0, 1)
