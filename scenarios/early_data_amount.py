"""How much early data can be sent, byte for byte: what arrives is what was sent, up to the maximum of the ticket.

RFC 8446, 4.2.10 and 4.6.1: max_early_data_size counts bytes; a server that gets more should end the connection with
unexpected_message. In OpenSSL the lower of the session's maximum and SSL_CTX_set_recv_max_early_data(3) counts, by
default 16384 bytes (early_data_count_ok), also for early data that it skips. D.3: a client that has sent early data
must fail if the server answers with TLS 1.2; OpenSSL's server notices it first.
"""

from datetime import date

from harness import (
    ABORTED,
    DECLINED,
    FULL,
    Alert,
    Capability,
    Differs,
    Expectation,
    Mechanism,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    edited,
    reasons,
    scenario,
)

MOST = 16384
"""Bytes of SSL_CTX_set_recv_max_early_data by default."""
AMOUNTS = [1, MOST // 2, MOST - 1, MOST]
EITHER = (TLSv1_2, TLSv1_3)
ALLOWS = {"max_early_data": MOST}
REPLAYED = ALLOWS | {"anti_replay": False, "ticket_keys": "shared"}
EDITS = {"client": [Capability.SESSION_DATA, Capability.SESSION_IMPORT]}
UNEXPECTED_MESSAGE = 10
EARLY_DATA = 42
"""The extension's number: a server that takes early data answers it in EncryptedExtensions (RFC 8446, 4.2.10)."""
CHANGE_IS_SENT_AS = Expectation(
    "ApplicationData",
    Differs(
        "ChangeCipherSpec",
        Role.CLIENT,
        "*@<3.2",
        date(2026, 12, 1),
        "measured: the ChangeCipherSpec of TLS 1.2, sealed by the keys of early data, is in a record of TLS 1.2 (25 "
        "bytes) of 3.1.5, and of TLS 1.3 (18 bytes) of 3.2.3, where each key has a record layer of its version "
        "(ssl/record/methods)",
    ),
)
"""The record of it after a ServerHello of TLS 1.2, for which a client should fail (RFC 8446, D.3)."""
APPLICATION_DATA_OF_ALL: Expectation[list[int]] = Expectation(
    [MOST],
    Differs(
        [MOST // 2, MOST // 2],
        Role.CLIENT,
        "openssl@<3.5",
        date(2026, 12, 1),
        "BUFSIZZ of apps/s_client.c, in whose pieces s_client sends: 8192 up to 3.2.0, 16384 in 3.5.7",
    ),
)
"""The bytes of each record of early data."""


def lengths(connection):
    """The bytes of early data on the wire: of the client's sealed data before its end of the handshake."""
    types = connection.messages.types(Role.CLIENT)
    ends = [types.index(name) for name in ("EndOfEarlyData", "Finished", "Alert") if name in types]
    sent = [message for message in connection.messages.messages if message.sender is Role.CLIENT]
    return sum(message.length for message in sent[: min(ends)] if message.type == "ApplicationData")


@scenario(versions=[TLSv1_3], client={"max_early_data": AMOUNTS}, server=ALLOWS)
def test_early_data_arrives_as_it_was_sent(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.messages.tickets[-1].max_early_data == MOST
    assert second.mechanism is Mechanism.PSK
    assert second.client.early_data == "accepted"
    assert len(second.client.early_bytes) == pair.client_config.max_early_data
    assert second.server.early_bytes == second.client.early_bytes
    assert lengths(second) == pair.client_config.max_early_data


@scenario(
    versions=[TLSv1_3], client={"max_early_data": MOST}, server=ALLOWS, needs={"client": [Capability.OPENSSL_CHOICES]}
)
def test_early_data_is_in_as_few_records_as_the_client_makes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    sent = [m for m in second.messages.messages if m.sender is Role.CLIENT and m.type == "ApplicationData"]
    ends = second.messages.types(Role.CLIENT).index("EndOfEarlyData")
    early = second.messages.types(Role.CLIENT)[:ends].count("ApplicationData")

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert second.client.early_data == "accepted"
    assert [message.length for message in sent[:early]] == APPLICATION_DATA_OF_ALL.of(pair)


@scenario(versions=[TLSv1_3], client={"max_early_data": AMOUNTS}, server=REPLAYED)
def test_none_of_it_arrives_at_a_server_that_refuses_it(pair):
    first = pair.connect()
    pair.new_server(max_early_data=0)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert second.client.early_data == "rejected"
    assert len(second.client.early_bytes) == pair.client_config.max_early_data
    assert second.server.early_data == "rejected"
    assert reasons(pair, second) == (Reason.EARLY_DATA_REFUSED,)


@scenario(versions=[TLSv1_3], client={"max_early_data": 100}, server={"max_early_data": 100}, needs=EDITS)
def test_client_sends_as_much_as_the_ticket_allows(pair):
    first = pair.connect()
    second = pair.connect(offer=edited(first.session, max_early_data=MOST))

    assert first.outcome is FULL
    assert second.offered.max_early_data == MOST
    assert second.mechanism is Mechanism.PSK
    assert second.client.early_data == "accepted"
    assert len(second.server.early_bytes) == 100
    assert second.server.early_bytes == second.client.early_bytes


@scenario(versions=[TLSv1_3], client={"max_early_data": 101}, server={"max_early_data": 100}, needs=EDITS)
def test_one_byte_more_than_the_ticket_allows_ends_the_connection(pair):
    first = pair.connect()
    second = pair.connect(offer=edited(first.session, max_early_data=MOST))

    assert first.outcome is FULL
    assert first.messages.tickets[-1].max_early_data == 100
    assert second.outcome is ABORTED
    assert second.messages.server_hello.selected_psk == 0
    assert second.alert.number == UNEXPECTED_MESSAGE
    assert second.alert.sender is Role.SERVER
    assert reasons(pair, second) == (Reason.EARLY_DATA_ABORTED,)


@scenario(versions=[TLSv1_3], client={"max_early_data": 2 * MOST}, server={"max_early_data": 4 * MOST})
def test_server_reads_no_more_than_its_own_maximum_whatever_the_ticket(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.messages.tickets[-1].max_early_data == 4 * MOST
    assert second.outcome is ABORTED
    assert EARLY_DATA in second.messages.encrypted_extensions
    assert second.alert.number == UNEXPECTED_MESSAGE
    assert second.alert.sender is Role.SERVER


@scenario(versions=[TLSv1_3], client={"max_early_data": 3 * MOST}, server=REPLAYED | {"max_early_data": 4 * MOST})
def test_server_skips_no_more_than_its_own_maximum(pair):
    first = pair.connect()
    pair.new_server(max_early_data=0)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.messages.server_hello.selected_psk == 0
    assert EARLY_DATA not in second.messages.encrypted_extensions
    assert second.alert.number == UNEXPECTED_MESSAGE
    assert second.alert.sender is Role.SERVER


@scenario(versions=[TLSv1_3], client={"max_early_data": [1, MOST], "versions": EITHER}, server=ALLOWS)
def test_early_data_to_a_tls12_server_ends_the_connection(pair):
    first = pair.connect()
    pair.new_server(versions=(TLSv1_2,))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.messages.client_hello.early_data is True
    assert second.messages.server_hello.version is TLSv1_2
    assert second.alert.number == UNEXPECTED_MESSAGE
    assert second.alert.sender is Role.SERVER


@scenario(
    versions=[TLSv1_3],
    client={"versions": EITHER, "max_early_data": 1},
    server=ALLOWS | {"versions": EITHER},
    played_by={Role.CLIENT: "libssl", Role.SERVER: "libssl"},
)
def test_client_goes_on_in_tls12_with_the_keys_of_its_early_data(pair):
    first = pair.connect()
    pair.new_server(versions=(TLSv1_2,))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert == Alert(UNEXPECTED_MESSAGE, Role.SERVER)
    assert second.messages.types(Role.CLIENT)[-1] == CHANGE_IS_SENT_AS.of(pair)


@scenario(versions=[TLSv1_3], client={"versions": EITHER}, server=ALLOWS)
def test_session_without_early_data_is_declined_by_a_tls12_server(pair):
    first = pair.connect()
    pair.new_server(versions=(TLSv1_2,))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.messages.tickets[-1].max_early_data == MOST
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.VERSION_DIFFERS,)
    assert second.messages.client_hello.early_data is False
