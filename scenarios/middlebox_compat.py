"""Middlebox compatibility mode: what the option does at each endpoint, and how a TLS 1.2 middlebox reacts.

RFC 8446, D.4: in this mode the client puts a session id into its ClientHello and sends a change_cipher_spec; the server
sends one too. SSL_CTX_set_options(3): it is on by default (SSL_OP_ENABLE_MIDDLEBOX_COMPAT).
"""

from datetime import date

from harness import (
    ABORTED,
    BOTH,
    FULL,
    RESUMED,
    Capability,
    Differs,
    Expectation,
    Mechanism,
    Role,
    StrictMiddlebox,
    TLSv1_3,
    broken_by,
    openssl_chooses,
    scenario,
)

OPTION_OFF = "tls13: ossl_statem_server_write_transition sends it only with SSL_OP_ENABLE_MIDDLEBOX_COMPAT"
NO_CHANGE = broken_by(
    Role.SERVER,
    "*",
    date(2026, 11, 29),
    OPTION_OFF,
    client={"middlebox_compat": True},
    server={"middlebox_compat": False},
)
"""RFC 8446, D.4: a server must send change_cipher_spec to a client that has a session id."""
UNASKED_CHANGE = Expectation(
    1,
    Differs(
        0,
        Role.SERVER,
        "java:*",
        date(2026, 11, 30),
        "T13ServerHelloProducer (sun/security/ssl/ServerHello.java): changeWriteCiphers(writeCipher, "
        "clientHello.sessionId.length() != 0); measured with 17.0.15",
        client={"middlebox_compat": False},
    ),
)
"""How many change_cipher_spec such a server sends; RFC 8446, D.4 asks for one if the client has a session id."""
WITHOUT = {"change_cipher_spec_in_compatibility_mode": NO_CHANGE}

pytestmark = scenario(
    versions=[TLSv1_3], client={"middlebox_compat": BOTH}, server={"middlebox_compat": BOTH}, breaks=WITHOUT
)


def test_ticket_resumes_in_either_mode_and_each_mode_adds_its_own_disguise(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    client, server = int(pair.client_config.middlebox_compat), int(pair.server_config.middlebox_compat)
    full, resumed = first.messages, second.messages

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert [len(m.client_hello.session_id) for m in (full, resumed)] == [32 * client] * 2
    assert [m.server_hello.session_id for m in (full, resumed)] == [m.client_hello.session_id for m in (full, resumed)]
    assert [m.change_cipher_specs.get(Role.CLIENT, 0) for m in (full, resumed)] == [client] * 2
    changes = server * UNASKED_CHANGE.of(pair)
    assert [m.change_cipher_specs.get(Role.SERVER, 0) for m in (full, resumed)] == [changes] * 2


@scenario(versions=[TLSv1_3])
@openssl_chooses(Role.CLIENT, "middlebox compatibility mode by default")
@openssl_chooses(Role.SERVER, "middlebox compatibility mode by default")
def test_strict_middlebox_passes_what_the_defaults_send(pair):
    pair.put_middlebox(StrictMiddlebox)
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert (first.outcome, first.blocked) == (FULL, "")
    assert (second.outcome, second.blocked) == (RESUMED, "")


@scenario(versions=[TLSv1_3], server={"groups": "P-384"})
@openssl_chooses(
    Role.CLIENT, "it sends change_cipher_spec before its second ClientHello; RFC 8446, D.4 also allows later"
)
@openssl_chooses(Role.SERVER, "change_cipher_spec already after its HelloRetryRequest (RFC 8446, D.4)")
def test_strict_middlebox_also_passes_a_hello_retry_request(pair):
    pair.put_middlebox(StrictMiddlebox)
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.messages.server_hellos[0].hello_retry_request
    assert (first.outcome, first.blocked) == (FULL, "")
    assert (second.outcome, second.blocked) == (RESUMED, "")


WITHOUT_ID = "the server sent change_cipher_spec after ServerHello, but the ClientHello has no session id"
WITHOUT_CHANGE = "the server sent application data before its change_cipher_spec"


@scenario(versions=[TLSv1_3], client={"middlebox_compat": False})
@openssl_chooses(Role.SERVER, "change_cipher_spec without a session id in the ClientHello")
def test_strict_middlebox_blocks_a_client_without_compatibility_mode(pair):
    first = pair.connect()
    pair.put_middlebox(StrictMiddlebox)
    full = pair.connect(presume_full=False)
    resuming = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert full.outcome is ABORTED
    assert full.alert is None
    assert full.blocked.startswith(WITHOUT_ID)
    assert resuming.outcome is ABORTED
    assert resuming.alert is None
    assert resuming.blocked.startswith(WITHOUT_ID)


@scenario(versions=[TLSv1_3], client={"middlebox_compat": BOTH}, server={"middlebox_compat": False}, breaks=WITHOUT)
def test_strict_middlebox_blocks_a_server_without_compatibility_mode(pair):
    first = pair.connect()
    pair.put_middlebox(StrictMiddlebox)
    full = pair.connect(presume_full=False)
    resuming = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert full.outcome is ABORTED
    assert full.alert is None
    assert full.blocked == WITHOUT_CHANGE
    assert resuming.outcome is ABORTED
    assert resuming.alert is None
    assert resuming.blocked == WITHOUT_CHANGE


@scenario(
    versions=[TLSv1_3],
    client={"middlebox_compat": False},
    needs={"client": [Capability.SESSION_IMPORT]},
)
@openssl_chooses(Role.SERVER, "middlebox compatibility mode by default")
def test_blocked_ticket_resumes_once_the_client_has_compatibility_mode(pair):
    first = pair.connect()
    pair.put_middlebox(StrictMiddlebox)
    blocked = pair.connect(offer=first.session)
    pair.new_client(middlebox_compat=True)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert blocked.outcome is ABORTED
    assert blocked.alert is None
    assert (second.outcome, second.blocked) == (RESUMED, "")
