"""Why an intact ticket with a known key does not resume after a roll-back: the older OpenSSL cannot parse it.

RFC 5077, 4: the server defines the contents of its tickets. In OpenSSL they are the DER of an SSL_SESSION
(d2i_SSL_SESSION(3)); a ticket that cannot be parsed counts as none (tls_decrypt_ticket).
"""

from datetime import date

from harness import DECLINED, FULL, RESUMED, Differs, Expectation, Outcome, Reason, Role, TLSv1_2, reasons, scenario

UNKNOWN_FIELD = (
    "https://github.com/openssl/openssl/pull/14750: 3.0 writes [19] kex_group, which is UINT32 and not ZUINT32, into "
    "each SSL_SESSION; d2i_SSL_SESSION before 3.0 refuses it, and tls_decrypt_ticket (1.1.1w, ssl/t1_lib.c: For "
    "session parse failure, indicate that we need to send a new ticket) goes on without the session"
)
OTHER_KEYS = (
    "ssl3_ctx_ctrl of 1.0.2r takes 48 bytes for SSL_CTRL_SET_TLSEXT_TICKET_KEYS (a name, an HMAC and an AES key of 16 "
    "bytes each), SSL_CTX_ctrl of 1.1.0l 80 (keys of 32 bytes), so that keys with one name are others"
)
NO_EMS = (
    "1.0.2 has no extended master secret: its sessions have none, and both ends since 1.1.0 use it, so that "
    "the server must not resume them (RFC 7627, 5.3)"
)
UNREADABLE = (DECLINED, (Reason.TICKET_UNREADABLE,))
KEY_UNKNOWN = (DECLINED, (Reason.TICKET_KEY_UNKNOWN,))
KEY_UNKNOWN_OR_EMS = (DECLINED, (Reason.TICKET_KEY_UNKNOWN, Reason.EXTENDED_MASTER_SECRET_ADDED))
NOTED = date(2026, 11, 29)
READS: Expectation[tuple[Outcome, tuple[Reason, ...]]] = Expectation(
    (RESUMED, ()),
    Differs(UNREADABLE, Role.SERVER, "*@>=1.1,<3.0", date(2026, 11, 21), UNKNOWN_FIELD, left="*@>=3.0"),
    Differs(KEY_UNKNOWN, Role.SERVER, "*@<1.1", NOTED, OTHER_KEYS, left="*@>=1.1"),
    Differs(KEY_UNKNOWN, Role.SERVER, "*@>=1.1", NOTED, OTHER_KEYS, left="*@<1.1", peer="*@<1.1"),
    Differs(
        KEY_UNKNOWN_OR_EMS, Role.SERVER, "*@>=1.1", NOTED, f"{OTHER_KEYS}; {NO_EMS}", left="*@<1.1", peer="*@>=1.1"
    ),
)
UNKNOWN_KEY: Expectation[tuple[Reason, ...]] = Expectation(
    (Reason.TICKET_KEY_UNKNOWN,),
    Differs(
        (Reason.TICKET_KEY_UNKNOWN, Reason.EXTENDED_MASTER_SECRET_ADDED),
        Role.SERVER,
        "*@>=1.1",
        NOTED,
        NO_EMS,
        TLSv1_2,
        left="*@<1.1",
        peer="*@>=1.1",
    ),
)


@scenario(server={"ticket_keys": "fleet"}, second_server=True)
def test_older_openssl_cannot_read_a_whole_ticket_of_a_known_key(pair):
    first = pair.connect()
    pair.use_second_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.setup.server_context != first.setup.server_context
    assert (second.outcome, reasons(pair, second)) == READS.of(pair)
    assert second.from_cache is not True


@scenario(second_server=True)
def test_key_is_unknown_to_another_openssl_whatever_it_could_read(pair):
    first = pair.connect()
    pair.use_second_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == UNKNOWN_KEY.of(pair)
