"""A HelloRetryRequest refuses early data and nothing else, in middlebox compatibility mode and without.

RFC 8446, 4.1.2 and 4.2.10: the second ClientHello has no early_data, and the server skips what was sent. D.4: in
compatibility mode a client sends its one change_cipher_spec before its early data or before its second ClientHello, and
a server sends its own after its HelloRetryRequest. OpenSSL uses a single-use session up with the first ClientHello, so
that the second one finds it gone (tls_parse_ctos_psk; SSL_CTX_set_options(3), SSL_OP_NO_ANTI_REPLAY).
"""

from datetime import date

from harness import (
    BOTH,
    DECLINED,
    FULL,
    Mechanism,
    Reason,
    Role,
    StrictMiddlebox,
    TLSv1_3,
    broken_by,
    reasons,
    scenario,
    titles,
)

P256, P384 = 23, 24
SIZE = 100
SENDS = {"max_early_data": SIZE}
ALLOWS = {"max_early_data": 1024}
REPLAYED = ALLOWS | {"anti_replay": False}
RETRIES = {"groups": "P-384"}
"""A server that cannot use the key shares that clients send by default."""
RETRIED = {"groups": "P-256:P-384"}
MODES = {"middlebox_compat": BOTH}
NO_CHANGE = broken_by(
    Role.SERVER,
    "*",
    date(2026, 11, 29),
    "tls13: ossl_statem_server_write_transition sends it only with SSL_OP_ENABLE_MIDDLEBOX_COMPAT",
    client={"middlebox_compat": True},
    server={"middlebox_compat": False},
)
"""RFC 8446, D.4: a server must send change_cipher_spec to a client that has a session id."""
BREAKS = {"change_cipher_spec_in_compatibility_mode": NO_CHANGE}


def changes(pair, connection):
    """How many change_cipher_specs were sent in the clear by each end, and how many its mode sends."""
    sent = connection.messages.change_cipher_specs
    modes = pair.client_config.middlebox_compat, pair.server_config.middlebox_compat
    return (sent.get(Role.CLIENT, 0), sent.get(Role.SERVER, 0)), tuple(int(mode) for mode in modes)


def sent_by_client(connection):
    """What the client sent before its second ClientHello, or its Finished if there is none."""
    types = connection.messages.types(Role.CLIENT)
    end = types.index("ClientHello", 1) if types.count("ClientHello") > 1 else types.index("Finished")
    return types[:end]


@scenario(versions=[TLSv1_3], client=SENDS | RETRIED | MODES, server=REPLAYED | RETRIES | MODES, breaks=BREAKS)
def test_retry_refuses_early_data_and_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    hellos = second.messages.client_hellos
    sent, expected = changes(pair, second)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert [hello.key_share_groups for hello in hellos] == [(P256,), (P384,)]
    assert [hello.early_data for hello in hellos] == [True, False]
    assert [len(hello.psk_identities) for hello in hellos] == [1, 1]
    assert [len(hello.session_id) for hello in hellos] == [32 * expected[0]] * 2
    assert second.client.early_data == "rejected"
    assert second.server.early_bytes == b""
    assert sent == expected
    assert reasons(pair, second) == (Reason.EARLY_DATA_REFUSED,)
    assert "refused: the server answered with a HelloRetryRequest" in titles(pair, second)[-1]


@scenario(versions=[TLSv1_3], client=SENDS | MODES, server=REPLAYED | MODES, breaks=BREAKS)
def test_early_data_is_accepted_without_a_retry(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    sent, expected = changes(pair, second)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert second.from_cache is False
    assert len(second.messages.client_hellos) == 1
    assert second.client.early_data == "accepted"
    assert second.server.early_bytes == second.client.early_bytes
    assert len(second.server.early_bytes) == SIZE
    assert sent == expected
    assert reasons(pair, second) == ()


@scenario(versions=[TLSv1_3], client=MODES, server=REPLAYED | RETRIES | MODES, breaks=BREAKS)
def test_retry_without_early_data_has_no_caveat(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    sent, expected = changes(pair, second)

    assert first.outcome is FULL
    assert first.messages.tickets[-1].max_early_data == ALLOWS["max_early_data"]
    assert second.mechanism is Mechanism.PSK
    assert [hello.early_data for hello in second.messages.client_hellos] == [False, False]
    assert sent == expected
    assert reasons(pair, second) == ()


@scenario(versions=[TLSv1_3], client=SENDS | MODES, server=ALLOWS | RETRIES | MODES, breaks=BREAKS)
def test_retry_uses_a_single_use_session_up(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    hellos = second.messages.client_hellos
    sent, expected = changes(pair, second)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.CONSUMED,)
    assert [len(hello.psk_identities) for hello in hellos] == [1, 1]
    assert second.client.early_data == "rejected"
    assert second.server.early_bytes == b""
    assert sent == expected


@scenario(versions=[TLSv1_3], client=SENDS, server=REPLAYED | RETRIES)
def test_change_cipher_spec_of_the_client_comes_before_its_early_data(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert sent_by_client(first) == ("ClientHello", "ChangeCipherSpec")
    assert second.mechanism is Mechanism.PSK
    assert sent_by_client(second) == ("ClientHello", "ChangeCipherSpec", "ApplicationData")


@scenario(versions=[TLSv1_3], client=SENDS | {"middlebox_compat": False}, server=REPLAYED | RETRIES)
def test_client_without_compatibility_mode_sends_no_change_cipher_spec(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert sent_by_client(first) == ("ClientHello",)
    assert second.mechanism is Mechanism.PSK
    assert sent_by_client(second) == ("ClientHello", "ApplicationData")


@scenario(versions=[TLSv1_3], client=SENDS, server=REPLAYED | RETRIES)
def test_strict_middlebox_passes_refused_early_data_and_the_retry(pair):
    pair.put_middlebox(StrictMiddlebox)
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert (first.outcome, first.blocked) == (FULL, "")
    assert (second.mechanism, second.blocked) == (Mechanism.PSK, "")
    assert len(second.messages.client_hellos) == 2
    assert second.client.early_data == "rejected"


@scenario(versions=[TLSv1_3], client=SENDS | {"middlebox_compat": False}, server=ALLOWS)
def test_strict_middlebox_blocks_early_data_without_compatibility_mode(pair):
    first = pair.connect()
    pair.put_middlebox(StrictMiddlebox)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.blocked.startswith("the client sent application data before its change_cipher_spec")
    assert reasons(pair, second) == (Reason.BLOCKED,)
