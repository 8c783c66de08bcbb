"""Every field of a client's session: its value, which knob changes it, and that the wire shows the same value.

SSL_SESSION_get0_ticket(3), SSL_SESSION_get_time(3), SSL_SESSION_get0_hostname(3), SSL_SESSION_get0_alpn_selected(3),
d2i_SSL_SESSION(3); RFC 5077, 3.3, RFC 8446, 4.6.1, RFC 7627, 5. No session contains the nonce of a TLS 1.3 ticket.
"""

from base64 import b64encode
from datetime import UTC, date, datetime
from hashlib import sha256

from harness import (
    FULL,
    RESUMED,
    Capability,
    Differs,
    Expectation,
    Role,
    TLSv1_2,
    TLSv1_3,
    Verify,
    cases,
    openssl_chooses,
    scenario,
)

DATA = {"client": [Capability.SESSION_DATA]}
SERVER_NAME = 0
"""The extension's number (RFC 6066, 3)."""
DAY = 86400
PATIENCE = 60
"""Seconds that a connection may take where a clock is read."""

SEEN = date(2026, 11, 21)
OF_SSLV23_METHOD = (
    "ssl23_default_timeout of 1.0.2 (ssl/s23_lib.c) gives 300; TLS_method of 1.1.0 has tls1_default_timeout"
)
DEFAULT_AT_CLIENT = Expectation(7200, Differs(300, Role.CLIENT, "*@<1.1.0", SEEN, OF_SSLV23_METHOD))
DEFAULT_AT_SERVER = Expectation(7200, Differs(300, Role.SERVER, "*@<1.1.0", SEEN, OF_SSLV23_METHOD))

IS_RESUMABLE = "CHANGES, 1.1.1: SSL_SESSION_is_resumable is new"
NOT_CALLED = "neither s_client nor pyOpenSSL calls SSL_SESSION_is_resumable"
RESUMABLE: Expectation[set[bool | None]] = Expectation(
    {True},
    Differs({None}, Role.CLIENT, "*@<1.1.1", date(2026, 11, 30), IS_RESUMABLE),
    *(Differs({None}, Role.CLIENT, stack, date(2026, 11, 30), NOT_CALLED) for stack in ("openssl", "pyopenssl")),
)

pytestmark = scenario(needs=DATA)


def test_version_and_cipher_are_those_of_server_hello(pair):
    first = pair.connect()

    assert first.session.version is pair.tls
    assert first.session.version is first.messages.server_hello.version
    assert first.session.cipher == first.messages.server_hello.cipher_suite


def test_ticket_fields_are_those_of_the_last_new_session_ticket(pair):
    first = pair.connect()
    session, sent = first.session, first.messages.tickets[-1]

    assert session.has_ticket
    assert session.ticket == sent.ticket
    assert session.ticket_length == len(sent.ticket)
    assert session.lifetime_hint == sent.lifetime
    assert session.age_add == sent.age_add
    assert session.max_early_data == sent.max_early_data
    assert session.session_id == sha256(sent.ticket).digest()


@scenario(server={"timeout": [300, 7200]}, needs=DATA)
def test_lifetime_hint_is_the_servers_timeout_and_timeout_the_clients(pair):
    first = pair.connect()

    assert first.session.lifetime_hint == pair.server_config.timeout
    assert first.messages.tickets[-1].lifetime == pair.server_config.timeout
    assert first.session.timeout == DEFAULT_AT_CLIENT.of(pair)


@scenario(client={"timeout": 60}, needs=DATA)
@openssl_chooses(Role.SERVER, "a lifetime of 7200 seconds")
def test_timeout_is_the_clients_own_and_not_the_servers_hint(pair):
    first = pair.connect()

    assert first.session.timeout == 60
    assert first.session.lifetime_hint == DEFAULT_AT_SERVER.of(pair)
    assert first.outcome is FULL


@scenario(versions=[TLSv1_2], server={"tickets": False}, needs=DATA)
def test_tls12_session_without_a_ticket_has_the_id_of_server_hello(pair):
    first = pair.connect()
    session = first.session

    assert session.session_id == first.messages.server_hello.session_id
    assert len(session.session_id) == 32
    assert (session.has_ticket, session.ticket, session.ticket_length) == (False, b"", 0)
    assert (session.lifetime_hint, session.age_add) == (0, 0)


@scenario(versions=[TLSv1_3], server={"tickets": False}, needs=DATA)
def test_tls13_stateful_ticket_is_a_ticket_of_32_bytes_to_the_client(pair):
    first = pair.connect()

    assert first.session.ticket_length == 32
    assert first.session.ticket == first.messages.tickets[-1].ticket
    assert first.session.session_id == sha256(first.session.ticket).digest()


@scenario(versions=[TLSv1_2], needs=DATA)
def test_tls12_master_secret_has_48_bytes(pair):
    first = pair.connect()

    assert first.session.master_key_length == 48
    assert first.outcome is FULL


SUITES = {"TLS_AES_256_GCM_SHA384": (0x1302, 48), "TLS_AES_128_GCM_SHA256": (0x1301, 32)}
"""The number of each, and the bytes of its hash."""


@scenario(versions=[TLSv1_3], client={"ciphersuites": [*SUITES]}, needs=DATA)
def test_tls13_psk_has_the_length_of_the_cipher_suites_hash(pair):
    first = pair.connect()

    assert (first.session.cipher, first.session.master_key_length) == SUITES[pair.client_config.ciphersuites]
    assert first.outcome is FULL


@scenario(server={"server_certificate": ["server", "other-server"]}, needs=DATA)
def test_peer_certificate_stays_in_the_session_when_it_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    chain = pair.runtime.pki.issued(pair.server_config.server_certificate).certificate.read_bytes()

    assert first.outcome is FULL
    assert b64encode(first.session.peer_certificate) in chain.replace(b"\n", b"")
    assert second.session.peer_certificate == first.session.peer_certificate
    assert second.outcome is RESUMED
    assert second.from_cache is False


UNKNOWN_ISSUER = Expectation(
    20,
    Differs(
        21,
        Role.CLIENT,
        "openssl",
        date(2026, 11, 21),
        "apps/lib/s_cb.c: verify_callback goes on after error 20, and the signature that cannot be verified is 21",
    ),
)
"""X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY (X509_STORE_CTX_get_error(3))."""


@cases("verify, result", (Verify.NONE, UNKNOWN_ISSUER), (Verify.REQUIRED, Expectation(0)))
@openssl_chooses(Role.CLIENT, "the number of the error that its verification ends with")
def test_verify_result_is_stored_and_resumption_does_not_change_it(pair, verify, result):
    pair.new_client(verify=verify)
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.session.verify_result == result.of(pair)
    assert second.session.verify_result == result.of(pair)
    assert second.outcome is RESUMED
    assert second.from_cache is False


def test_time_is_when_the_session_was_made(pair):
    earliest = int(datetime.now(UTC).timestamp())
    first = pair.connect()
    latest = int(datetime.now(UTC).timestamp())

    assert earliest <= first.session.time <= latest
    assert first.outcome is FULL


@scenario(client={"clock": -DAY}, needs=DATA)
def test_time_is_by_the_clients_clock(pair):
    first = pair.connect()
    yesterday = datetime.now(UTC).timestamp() - DAY

    assert 0 <= yesterday - first.session.time <= PATIENCE
    assert first.outcome is FULL


@scenario(versions=[TLSv1_2], client={"clock": 0}, needs=DATA)
@openssl_chooses(Role.SERVER, "no new ticket after a TLS 1.2 resumption")
def test_tls12_resumption_leaves_the_time_of_the_session(pair):
    first = pair.connect()
    pair.client.move_clock(1000)
    second = pair.connect(offer=first.session)
    third = pair.connect()

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert second.session.time == first.session.time
    assert third.session.time >= first.session.time + 1000
    assert third.outcome is FULL


@scenario(versions=[TLSv1_3], client={"clock": 0}, needs=DATA)
@openssl_chooses(Role.SERVER, "a new ticket after each TLS 1.3 resumption")
def test_tls13_resumption_brings_a_ticket_with_a_time_of_its_own(pair):
    first = pair.connect()
    pair.client.move_clock(1000)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert 1000 <= second.session.time - first.session.time <= 1000 + PATIENCE


@scenario(versions=[TLSv1_2], client={"server_name": ["server.example", None]}, needs=DATA)
def test_tls12_server_name_is_kept_if_server_hello_acknowledges_it(pair):
    first = pair.connect()
    acknowledged = SERVER_NAME in first.messages.server_hello.extensions

    assert first.messages.client_hello.server_name == pair.client_config.server_name
    assert first.session.server_name == "server.example" * acknowledged


@scenario(versions=[TLSv1_3], client={"server_name": ["server.example", None]}, needs=DATA)
def test_tls13_server_name_is_kept_if_encrypted_extensions_acknowledge_it(pair):
    first = pair.connect()
    (answered,) = (m.fields["extensions"] for m in first.messages.messages if m.type == "EncryptedExtensions")

    assert first.messages.client_hello.server_name == pair.client_config.server_name
    assert first.session.server_name == "server.example" * ("server_name" in answered)


ALPN_IN_SESSION = (
    "SSL_SESSION_get0_alpn_selected(3), HISTORY: added in 1.1.1; ssl/ssl_asn1.c of 1.1.0 has no alpn_selected"
)
ALPN_IS_KEPT = Expectation(1, Differs(0, Role.CLIENT, "*@<1.1.1", SEEN, ALPN_IN_SESSION))


@scenario(client={"alpn": ("h2", "http/1.1")}, server={"alpn": [("http/1.1",), None]}, needs=DATA)
def test_alpn_is_what_the_server_chose_or_empty_if_it_chose_nothing(pair):
    first = pair.connect()
    chosen = "".join(pair.server_config.alpn or ())

    assert first.messages.client_hello.alpn == ("h2", "http/1.1")
    assert first.client.alpn == (chosen or None)
    assert first.session.alpn == chosen.encode() * ALPN_IS_KEPT.of(pair)


@scenario(versions=[TLSv1_3], server={"max_early_data": [0, 16384]}, needs=DATA)
def test_max_early_data_is_what_the_ticket_says(pair):
    first = pair.connect()

    assert first.session.max_early_data == pair.server_config.max_early_data
    assert first.messages.tickets[-1].max_early_data == pair.server_config.max_early_data


NO_EMS = "CHANGES of 1.1.0: Extended master secret support (draft version)"
EMS_OFFERED = Expectation(1, Differs(0, Role.CLIENT, "*@<1.1.0", SEEN, NO_EMS))
EMS_FLAGS = Expectation(
    1,
    Differs(0, Role.CLIENT, "*@<1.1.0", SEEN, NO_EMS),
    Differs(0, Role.SERVER, "*@<1.1.0", SEEN, NO_EMS),
)


@scenario(versions=[TLSv1_2], needs=DATA)
def test_tls12_flags_have_extended_master_secret_as_both_hellos_have(pair):
    first = pair.connect()

    assert first.session.extended_master_secret == EMS_FLAGS.of(pair)
    assert first.session.flags == EMS_FLAGS.of(pair)
    assert first.messages.client_hello.extended_master_secret == EMS_OFFERED.of(pair)
    assert first.messages.server_hello.extended_master_secret == EMS_FLAGS.of(pair)


@scenario(versions=[TLSv1_2], server={"extended_master_secret": False}, needs=DATA)
def test_tls12_flags_are_0_where_the_server_refuses_extended_master_secret(pair):
    first = pair.connect()

    assert not first.session.extended_master_secret
    assert first.session.flags == 0
    assert first.messages.client_hello.extended_master_secret == EMS_OFFERED.of(pair)
    assert not first.messages.server_hello.extended_master_secret


@scenario(versions=[TLSv1_3], needs=DATA)
def test_tls13_flags_are_0(pair):
    first = pair.connect()

    assert first.session.flags == 0
    assert first.outcome is FULL


NOT_RECORDED = "[19] kex_group came into SSL_SESSION_ASN1 with 3.0 (ssl/ssl_asn1.c; 1.1.1w has none)"
P256 = Expectation(23, Differs(0, Role.CLIENT, "*@<3.0", SEEN, NOT_RECORDED))
P384 = Expectation(24, Differs(0, Role.CLIENT, "*@<3.0", SEEN, NOT_RECORDED))
GROUPS = {"P-256": P256, "P-384": P384}


@scenario(server={"groups": [*GROUPS]}, needs=DATA)
def test_kex_group_is_the_group_of_the_key_exchange(pair):
    first = pair.connect()

    assert first.session.kex_group == GROUPS[pair.server_config.groups].of(pair)
    assert first.outcome is FULL


def test_fields_set_only_by_servers_or_unsent_extensions_are_empty(pair):
    first = pair.connect()

    assert first.session.session_id_context == b""
    assert first.session.ticket_appdata == b""
    assert first.session.max_fragment_length_mode == 0
    assert first.outcome is FULL


@scenario(versions=[TLSv1_3], needs={"client": [Capability.SESSION_DATA, Capability.EVERY_TICKET]})
@openssl_chooses(Role.SERVER, "two tickets")
def test_tickets_of_one_handshake_differ_in_ticket_and_age_add_alone(pair):
    first = pair.connect()
    one, other = first.sessions
    # age_add is random: 1 to 5 bytes of the DER in a ticket, so that a ticket may be one AES block longer.
    allowed = {"time", "ticket_length"}

    assert {name for name in one.known if one.get(name) != other.get(name)} - allowed == {
        "ticket",
        "session_id",
        "age_add",
    }
    assert [one.ticket, other.ticket] == [sent.ticket for sent in first.messages.tickets]
    assert first.outcome is FULL


@scenario(needs={"client": [Capability.RESUMABLE]})
def test_session_is_resumable_once_it_has_its_id_or_ticket(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.session.resumable


@openssl_chooses(Role.CLIENT, "SSL_SESSION_is_resumable reports it")
def test_session_says_whether_it_is_resumable(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert {first.session.get("resumable")} == RESUMABLE.of(pair)
