"""Why an intact ticket with a known key does not resume after a roll-back: the older OpenSSL cannot parse it.

RFC 5077, 4: the server defines the contents of its tickets. In OpenSSL they are the DER of an SSL_SESSION
(d2i_SSL_SESSION(3)); a ticket that cannot be parsed counts as none (tls_decrypt_ticket).
"""

from datetime import date

from harness import DECLINED, FULL, RESUMED, Differs, Expectation, Outcome, Reason, Role, reasons, scenario

UNKNOWN_FIELD = (
    "https://github.com/openssl/openssl/pull/14750: 3.0 writes [19] kex_group, which is UINT32 and not ZUINT32, into "
    "each SSL_SESSION; d2i_SSL_SESSION before 3.0 refuses it, and tls_decrypt_ticket (1.1.1w, ssl/t1_lib.c: For "
    "session parse failure, indicate that we need to send a new ticket) goes on without the session"
)
READS: Expectation[tuple[Outcome, tuple[Reason, ...]]] = Expectation(
    (RESUMED, ()),
    Differs(
        (DECLINED, (Reason.TICKET_UNREADABLE,)),
        Role.SERVER,
        "*@<3.0",
        date(2026, 11, 21),
        UNKNOWN_FIELD,
        left="*@>=3.0",
    ),
)


@scenario(server={"ticket_keys": "fleet"}, second_server=True)
def test_older_openssl_cannot_read_a_whole_ticket_of_a_known_key(pair):
    first = pair.connect()
    pair.use_second_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert (second.outcome, reasons(pair, second)) == READS.of(pair)


@scenario(second_server=True)
def test_key_is_unknown_to_another_openssl_whatever_it_could_read(pair):
    first = pair.connect()
    pair.use_second_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_KEY_UNKNOWN,)
