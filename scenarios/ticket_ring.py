"""A callback has a server's ticket keys: one encrypts, several decrypt (SSL_CTX_set_tlsext_ticket_key_evp_cb(3)).

So do nginx with several ssl_session_ticket_key, HAProxy with tls-ticket-keys, and every server that rotates its keys
without losing the sessions of its clients (RFC 5077, 5.5). The callback returns 1 for a ticket that it reads, 2 to
renew it, 0 for one whose key it does not have, and less than 0 to fail.
"""

from datetime import date

from harness import (
    ABORTED,
    DECLINED,
    FULL,
    RESUMED,
    Alert,
    Capability,
    Differs,
    Expectation,
    Outcome,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    openssl_chooses,
    reasons,
    scenario,
    without_alert,
)

GENERATIONS = {"ticket_callback": ["evp_mac", "hmac"]}
SEES_TICKETS = {"client": [Capability.EVERY_TICKET]}
ROTATES = SEES_TICKETS | {"server": [Capability.ROTATE_KEYS]}
KEY_NAME = 16
DECODE_ERROR, INTERNAL_ERROR = 50, 80
SEEN = date(2026, 11, 30)
FAILURE = Alert(INTERNAL_ERROR, Role.SERVER)
MAKES_ONE: Expectation[bool] = Expectation(
    False,  # noqa: FBT003 - a value
    Differs(
        True,  # noqa: FBT003 - a value
        Role.SERVER,
        "*@<1.0.2l",
        SEEN,
        "ssl3_send_newsession_ticket of 1.0.2k (Red Hat's 1.0.2k-fips) asks for a result below 0 alone, and so sends "
        "a ticket although the callback made none; 1.0.2o to 1.0.2r send an empty one",
    ),
)
"""Whether a server sends a ticket although its callback returned 0."""
FAILS_TO_DECRYPT: Expectation[Alert | None] = Expectation(FAILURE, *without_alert(SEEN, "ssl_get_prev_session"))
FAILS_TO_ENCRYPT: Expectation[Alert | None] = Expectation(FAILURE, *without_alert(SEEN, "ssl3_send_newsession_ticket"))
Ended = tuple[Outcome, Alert | None, tuple[Reason, ...]]
SHORT_KEYS = (
    "https://github.com/openssl/openssl/pull/515: ticket keys have 48 bytes before 1.1.0, a name and two secrets of 16 "
    "bytes each (ssl3_ctx_ctrl, SSL_CTRL_SET_TLSEXT_TICKET_KEYS), and 80 since"
)
READS_LONG: Expectation[Outcome] = Expectation(RESUMED, Differs(DECLINED, Role.SERVER, "*@<1.1.0", SEEN, SHORT_KEYS))
UNREAD: tuple[Reason, ...] = (Reason.TICKET_KEY_UNKNOWN,)
UNREAD_LONG: Expectation[tuple[Reason, ...]] = Expectation(
    (), Differs(UNREAD, Role.SERVER, "*@<1.1.0", SEEN, SHORT_KEYS)
)
UNREAD_SHORT: Expectation[tuple[Reason, ...]] = Expectation(
    UNREAD, Differs((), Role.SERVER, "*@<1.1.0", SEEN, SHORT_KEYS)
)
READS_SHORT: Expectation[Outcome] = Expectation(DECLINED, Differs(RESUMED, Role.SERVER, "*@<1.1.0", SEEN, SHORT_KEYS))
MALFORMED = (
    "tls_construct_new_session_ticket (1.1.1w, ssl/statem/statem_srvr.c) writes the empty ticket of TLS 1.2, a "
    "lifetime of 0 and no ticket, also in TLS 1.3, where it is cut short and the client aborts; 3.0 sends none"
)
SENDS_MALFORMED = (Role.SERVER, "*@<3.0", date(2026, 11, 29), MALFORMED)
WITHOUT_TICKET: Expectation[Outcome] = Expectation(FULL, Differs(ABORTED, *SENDS_MALFORMED))
REFUSAL: Expectation[Alert | None] = Expectation(None, Differs(Alert(DECODE_ERROR, Role.CLIENT), *SENDS_MALFORMED))


def called(connection):
    """Return the calls of the callback in a connection, without the names of the keys."""
    return [(call.call, call.result) for call in connection.server.callback_calls]


@scenario(server=GENERATIONS | {"ticket_ring": ["a", "a/48"]})
def test_ticket_of_the_first_key_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert set(called(first)) == {("encrypt", "ok")}
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert called(second)[0] == ("decrypt", "ok")


@scenario(versions=[TLSv1_2], server=GENERATIONS | {"ticket_ring": "a"}, needs=SEES_TICKETS)
def test_ticket_of_an_old_key_resumes_and_is_renewed(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.new_server(ticket_ring="b,a")
    third = pair.connect(offer=first.session)
    fourth = pair.connect(offer=third.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert second.tickets == 0
    assert third.outcome is RESUMED
    assert third.from_cache is False
    assert called(third) == [("decrypt", "renew"), ("encrypt", "ok")]
    assert third.tickets == 1
    assert third.session.ticket[:KEY_NAME] != first.session.ticket[:KEY_NAME]
    assert fourth.outcome is RESUMED
    assert fourth.from_cache is False
    assert called(fourth) == [("decrypt", "ok")]


@scenario(versions=[TLSv1_2], server=GENERATIONS | {"ticket_ring": "a"})
def test_old_key_whose_tickets_are_not_renewed(pair):
    first = pair.connect()
    pair.new_server(ticket_ring="b,a", ticket_decrypts="ok")
    second = pair.connect(offer=first.session)
    third = pair.connect()

    assert first.outcome is third.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert called(second) == [("decrypt", "ok")]
    assert second.tickets == 0
    assert third.messages.tickets[0].ticket[:KEY_NAME] != first.messages.tickets[0].ticket[:KEY_NAME]


@scenario(versions=[TLSv1_3], server=GENERATIONS | {"ticket_ring": "a"})
def test_tls13_ticket_of_the_first_key_is_not_renewed(pair):
    """A callback that returns 1 leaves the client without a further ticket, although each is to be used once."""
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert called(second) == [("decrypt", "ok")]
    assert second.tickets == 0


@scenario(versions=[TLSv1_3], server=GENERATIONS | {"ticket_ring": "a", "ticket_decrypts": "renew"})
def test_tls13_ticket_is_renewed_if_the_callback_says_so(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert called(second) == [("decrypt", "renew"), ("encrypt", "ok")]
    assert second.tickets == 1


@scenario(server={"ticket_ring": "a"})
def test_ticket_of_a_key_that_left_the_ring_is_declined(pair):
    first = pair.connect()
    pair.new_server(ticket_ring="b")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert set(called(first)) == {("encrypt", "ok")}
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_KEY_UNKNOWN,)
    assert called(second)[0] == ("decrypt", "unknown")


@scenario(server={"ticket_ring": "a"}, needs=ROTATES)
def test_keys_rotate_while_the_server_runs(pair):
    first = pair.connect()
    pair.server.rotate_keys("b,a")
    second = pair.connect(offer=first.session)
    pair.server.rotate_keys("c,b")
    third = pair.connect(offer=first.session)
    fourth = pair.connect(offer=second.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert called(second)[0] == ("decrypt", "renew")
    assert third.outcome is DECLINED
    assert reasons(pair, third) == (Reason.TICKET_KEY_UNKNOWN,)
    assert fourth.outcome is RESUMED
    assert fourth.from_cache is False
    assert called(fourth)[0] == ("decrypt", "renew")


@scenario(server={"ticket_keys": "a"})
def test_callback_reads_the_tickets_of_fixed_keys_and_back(pair):
    first = pair.connect()
    pair.new_server(ticket_ring="a")
    second = pair.connect(offer=first.session)
    third = pair.connect()
    pair.new_server(ticket_ring=None)
    fourth = pair.connect(offer=third.session)

    assert first.outcome is FULL
    assert first.server.callback_calls is None
    assert second.outcome is READS_LONG.of(pair)
    assert reasons(pair, second) == UNREAD_LONG.of(pair)
    assert second.from_cache is not True
    assert called(second)[0] == ("decrypt", "ok")
    assert third.outcome is FULL
    assert fourth.outcome is READS_LONG.of(pair)
    assert reasons(pair, fourth) == UNREAD_LONG.of(pair)
    assert fourth.from_cache is not True
    assert fourth.server.callback_calls is None


@scenario(server={"ticket_keys": "a"})
def test_callback_with_short_keys_and_fixed_keys(pair):
    """Of one name a ring holds another key where its length differs: the first 48 of 80 bytes."""
    first = pair.connect()
    pair.new_server(ticket_ring="a/48")
    second = pair.connect(offer=first.session)
    third = pair.connect()
    pair.new_server(ticket_ring=None)
    fourth = pair.connect(offer=third.session)

    assert first.outcome is FULL
    assert second.outcome is READS_SHORT.of(pair)
    assert reasons(pair, second) == UNREAD_SHORT.of(pair)
    assert second.from_cache is not True
    assert called(second)[0] == ("decrypt", "ok")
    assert third.outcome is FULL
    assert fourth.outcome is READS_SHORT.of(pair)
    assert reasons(pair, fourth) == UNREAD_SHORT.of(pair)
    assert fourth.from_cache is not True
    assert fourth.server.callback_calls is None


@scenario(server=GENERATIONS | {"ticket_ring": "a"})
def test_key_that_the_callback_denies_is_declined(pair):
    first = pair.connect()
    pair.new_server(ticket_decrypts="none")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_KEY_UNKNOWN,)
    assert called(second)[0] == ("decrypt", "none")


@scenario(server=GENERATIONS | {"ticket_ring": "a"})
def test_callback_that_fails_to_decrypt_aborts_the_handshake(pair):
    first = pair.connect()
    pair.new_server(ticket_decrypts="error")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert == FAILS_TO_DECRYPT.of(pair)
    assert reasons(pair, second) == (Reason.TICKET_CALLBACK_FAILED,)
    assert called(second) == [("decrypt", "error")]


@scenario(versions=[TLSv1_2], server=GENERATIONS | {"ticket_ring": "a", "ticket_encrypts": "none"}, needs=SEES_TICKETS)
@openssl_chooses(Role.CLIENT, "it has a session although the server sends no ticket")
def test_callback_that_makes_no_ticket(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert called(first) == [("encrypt", "none")]
    assert first.session.has_ticket is MAKES_ONE.of(pair)


@scenario(versions=[TLSv1_3], server=GENERATIONS | {"ticket_ring": "a", "ticket_encrypts": "none"}, needs=SEES_TICKETS)
@openssl_chooses(Role.CLIENT, "it has a session although the server sends no ticket")
def test_callback_that_makes_no_tls13_ticket(pair):
    first = pair.connect(presume_full=False)

    assert first.outcome is WITHOUT_TICKET.of(pair)
    assert first.alert == REFUSAL.of(pair)
    assert set(called(first)) == {("encrypt", "none")}
    assert first.session.has_ticket is False


@scenario(versions=[TLSv1_2], server=GENERATIONS | {"ticket_ring": "a", "ticket_encrypts": "error"})
def test_callback_that_fails_to_encrypt_aborts_the_handshake(pair):
    first = pair.connect(presume_full=False)

    assert first.outcome is ABORTED
    assert first.alert == FAILS_TO_ENCRYPT.of(pair)
    assert reasons(pair, first) == (Reason.TICKET_CALLBACK_FAILED,)
    assert called(first) == [("encrypt", "error")]


@scenario(versions=[TLSv1_3], server=GENERATIONS | {"ticket_ring": "a", "ticket_encrypts": "error"})
def test_callback_that_fails_to_encrypt_aborts_a_tls13_connection(pair):
    first = pair.connect(presume_full=False)

    assert first.outcome is ABORTED
    assert first.alert == Alert(INTERNAL_ERROR, Role.SERVER)
    assert reasons(pair, first) == (Reason.TICKET_CALLBACK_FAILED,)
    assert called(first) == [("encrypt", "error")]
    assert first.tickets == 0


@scenario(server=GENERATIONS | {"ticket_ring": "a", "ticket_encrypts": "renew"})
def test_callback_that_renews_what_it_encrypts_makes_a_ticket_as_any_other(pair):
    """tls_construct_new_session_ticket asks only whether the result is 0 or less."""
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert set(called(first)) == {("encrypt", "renew")}
    assert first.tickets == (pair.server_default("tickets") if pair.tls is TLSv1_3 else 1)
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert called(second)[0] == ("decrypt", "ok")


@scenario(server={"ticket_ring": "a"})
def test_key_of_another_length_with_the_same_name_is_declined(pair):
    first = pair.connect()
    pair.new_server(ticket_ring="a/48")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_KEY_UNKNOWN,)
    assert called(second)[0] == ("decrypt", "ok")


NO_PADDING = (
    "tls_construct_new_session_ticket (1.1.1w, construct_stateless_ticket in 4.0.3) appends what EVP_EncryptFinal "
    "writes with WPACKET_allocate_bytes, which fails for 0 bytes (WPACKET_reserve_bytes); measured: 1.0.2r and 1.1.0l "
    "make the ticket, 1.1.1b and later abort"
)
MADE_BY_A_STREAM: Expectation[Ended] = Expectation(
    (ABORTED, Alert(INTERNAL_ERROR, Role.SERVER), (Reason.TICKET_CALLBACK_FAILED,)),
    Differs((FULL, None, ()), Role.SERVER, "*@<1.1.1", SEEN, NO_PADDING),
)
TRIPLE_DES = {"ticket_cipher": "des_ede3_cbc"}


@scenario(server=GENERATIONS | TRIPLE_DES | {"ticket_ring": ["a", "a/48"]})
def test_ticket_of_another_cipher_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.new_server(ticket_cipher="aes_cbc")
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert set(called(first)) == {("encrypt", "ok")}
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert called(second)[0] == ("decrypt", "ok")
    assert third.outcome is DECLINED
    assert reasons(pair, third) == (Reason.TICKET_KEY_UNKNOWN,)


@scenario(versions=[TLSv1_2], server=TRIPLE_DES | {"ticket_ring": "a"})
def test_cipher_decides_the_length_of_a_ticket(pair):
    """Its IV has 16 bytes with AES and 8 with 3DES, and so have its blocks, which are padded (RFC 5077, 4)."""
    triple_des = pair.connect()
    pair.new_server(ticket_cipher="aes_cbc")
    aes = pair.connect()

    assert [triple_des.outcome, aes.outcome] == [FULL] * 2
    shorter, longer = (len(one.messages.tickets[0].ticket) for one in (triple_des, aes))
    assert longer - shorter in {8, 16}


@scenario(server={"ticket_ring": "a", "ticket_cipher": "aes_ctr"})
def test_callback_with_a_cipher_that_pads_nothing(pair):
    first = pair.connect(presume_full=False)
    pair.new_server(ticket_cipher="aes_cbc")
    second = pair.connect()

    assert (first.outcome, first.alert, reasons(pair, first)) == MADE_BY_A_STREAM.of(pair)
    assert set(called(first)) == {("encrypt", "ok")}
    assert second.outcome is FULL
    assert set(called(second)) == {("encrypt", "ok")}


@scenario(server=TRIPLE_DES | {"ticket_ring": "a"})
def test_ticket_that_the_callback_decrypts_with_another_cipher_is_declined(pair):
    """The HMAC is right, and what comes out is not padded as it should be (tls_decrypt_ticket)."""
    first = pair.connect()
    pair.new_server(ticket_cipher="aes_cbc")
    second = pair.connect(offer=first.session)
    pair.new_server(ticket_cipher="des_ede3_cbc")
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_KEY_UNKNOWN,)
    assert called(second)[0] == ("decrypt", "ok")
    assert third.outcome is RESUMED
    assert third.from_cache is False
