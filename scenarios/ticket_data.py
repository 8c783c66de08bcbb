"""A server puts data of its own into a ticket, and decides about each ticket that it reads.

SSL_CTX_set_session_ticket_cb(3), since 1.1.1: one callback sees a session before its ticket is made, another one after
the ticket was decrypted, and returns whether OpenSSL uses the session and whether it sends a new ticket.
"""

from harness import ABORTED, DECLINED, FULL, RESUMED, Reason, Role, TLSv1_2, TLSv1_3, reasons, scenario

DATA = {"ticket_data": b"user 7"}
INTERNAL_ERROR = 80


def called(connection):
    """Return the calls of the callbacks in a connection; for data with the data."""
    return [
        (call.call, call.subject if call.call in {"put", "take"} else call.result)
        for call in connection.server.callback_calls
    ]


@scenario(server=DATA)
def test_data_come_back_with_the_session(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert ("put", b"user 7") in called(first)
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert called(second)[:2] == [("take", b"user 7"), ("ticket", "use")]


@scenario(versions=[TLSv1_2], server=DATA)
def test_tls12_ticket_is_renewed_if_the_callback_says_so(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.new_server(ticket_use="use_renew")
    third = pair.connect()
    fourth = pair.connect(offer=third.session)

    assert first.outcome is third.outcome is FULL
    assert second.outcome is fourth.outcome is RESUMED
    assert second.from_cache is fourth.from_cache is False
    assert (second.tickets, fourth.tickets) == (0, 1)
    assert called(fourth)[:2] == [("take", b"user 7"), ("ticket", "use_renew")]


@scenario(versions=[TLSv1_3], server=DATA | {"ticket_use": ["use", "use_renew"]})
def test_tls13_client_gets_a_further_ticket_only_if_the_callback_says_so(pair):
    renews = pair.server_config.ticket_use == "use_renew"
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert ("ticket", pair.server_config.ticket_use) in called(second)
    assert second.tickets == int(renews)


@scenario(server=DATA | {"ticket_use": ["ignore", "ignore_renew"]})
def test_session_that_the_callback_ignores_is_declined(pair):
    said = pair.server_config.ticket_use
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_IGNORED,)
    assert called(second)[:2] == [("take", b"user 7"), ("ticket", said)]


@scenario(versions=[TLSv1_2], server=DATA | {"ticket_use": ["ignore", "ignore_renew"]})
def test_client_gets_a_new_ticket_only_if_the_callback_says_so(pair):
    renews = pair.server_config.ticket_use == "ignore_renew"
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_IGNORED,)
    assert second.tickets == int(renews)


@scenario(server=DATA | {"ticket_use": "abort"})
def test_callback_that_aborts_ends_the_handshake(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert (second.alert.number, second.alert.sender) == (INTERNAL_ERROR, Role.SERVER)
    assert ("ticket", "abort") in called(second)


@scenario(server={"ticket_keys": "shared"})
def test_ticket_without_data_has_none_to_take(pair):
    first = pair.connect()
    pair.new_server(ticket_data=b"later")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.server.callback_calls is None
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert called(second)[:2] == [("take", b""), ("ticket", "use")]


@scenario(server=DATA)
def test_ticket_of_another_server_is_not_decrypted(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_KEY_UNKNOWN,)
    assert ("ticket", "no_decrypt") in called(second)
