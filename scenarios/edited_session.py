"""A client offers a session of which one field was changed: what the ends compare, and what neither looks at.

d2i_SSL_SESSION(3), SSL_set_session(3), SSL_SESSION_set_protocol_version(3); OpenSSL's tls_process_server_hello,
set_client_ciphersuite, tls_construct_client_hello and tls_construct_ctos_psk; RFC 5246, 7.4.1.3, RFC 7627, 5.3, and
RFC 8446, 4.2.11.
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
    broken_by,
    cases,
    edited,
    reasons,
    scenario,
)

CLIENT = {"client": [Capability.SESSION_DATA, Capability.SESSION_IMPORT, Capability.OPENSSL_CHOICES]}
BY_LIBSSL = {"server": "libssl"}
UNEXPECTED_MESSAGE, HANDSHAKE_FAILURE, ILLEGAL_PARAMETER, DECODE_ERROR = 10, 40, 47, 50
RECORD_OVERFLOW = 22
X25519 = 29
"""IANA's number of the group."""
BYTES_512 = 1
"""The code of a maximum fragment length of 512 bytes (RFC 6066, 4)."""
LONG_SERVER_HELLO = (
    "tls_get_more_records: SSL_R_PACKET_LENGTH_TOO_LONG, as the client's buffer has the size of the session's maximum "
    "fragment length; a ServerHello with X25519MLKEM768, the first key share since 3.5, has 1212 bytes"
)
UNKNOWN_FIELD = (
    "SSL_SESSION_ASN1 before 1.1.1 ends with the SRP name or the flags: d2i_SSL_SESSION refuses a session with a field "
    "of 1.1.1 (asn1 length mismatch in 1.0.2, sequence length mismatch in 1.1.0), and the client says nothing"
)
SHORT_BUFFER: Expectation[tuple[Outcome, bool | None, Alert | None, tuple[Reason, ...]]] = Expectation(
    (RESUMED, False, None, ()),
    Differs(
        (ABORTED, None, Alert(RECORD_OVERFLOW, Role.CLIENT), (Reason.MAX_FRAGMENT_LENGTH_CHANGED,)),
        Role.CLIENT,
        "*@>=3.5",
        date(2026, 11, 30),
        LONG_SERVER_HELLO,
        TLSv1_3,
        peer="*@>=3.5",
    ),
    Differs(
        (ABORTED, None, Alert(DECODE_ERROR, Role.SERVER), (Reason.UNREADABLE,)),
        Role.CLIENT,
        "*@<1.1.1",
        date(2026, 11, 30),
        UNKNOWN_FIELD,
    ),
)
APPDATA: Expectation[tuple[Outcome, bool | None]] = Expectation(
    (RESUMED, False), Differs((ABORTED, None), Role.CLIENT, "*@<1.1.1", date(2026, 11, 30), UNKNOWN_FIELD)
)
ANY_BUILD: Expectation[tuple[Outcome, bool | None]] = Expectation((RESUMED, False))
NO_SRP = (
    "Red Hat builds its OpenSSL with no-srp, and SSL_SESSION_ASN1 of 1.0.2 has the SRP name only without that: "
    "d2i_SSL_SESSION says asn1 length mismatch, and the client says nothing"
)
UNREAD = (ABORTED, None)
UNREADABLE = Alert(DECODE_ERROR, Role.SERVER)
"""What a server says to a client that says nothing."""
SRP: Expectation[tuple[Outcome, bool | None]] = Expectation(
    (RESUMED, False), Differs(UNREAD, Role.CLIENT, "*@==1.0.2k-fips", date(2026, 11, 30), NO_SRP)
)
NO_METHOD = (
    "SSL_set_session before 1.1.0 takes over the method of the session's version (s->method->get_ssl_method): 1.0.2 "
    "has none for TLS 1.3, and fails with unable to find ssl method before it says anything"
)
NOT_ENABLED: Expectation[tuple[Outcome, bool | None, tuple[Reason, ...]]] = Expectation(
    (FULL, None, (Reason.VERSION_NOT_ENABLED,)),
    Differs(
        (ABORTED, None, (Reason.NO_COMMON_VERSION,)),
        Role.CLIENT,
        "*@<1.1.0",
        date(2026, 11, 30),
        NO_METHOD,
    ),
)
NO_GROUP = "https://github.com/openssl/openssl/pull/14750: SSL_SESSION_ASN1 has [19] kex_group since 3.0"
NO_RPK = "CHANGES, 3.2: raw public keys (RFC 7250), with which SSL_SESSION_ASN1 has [20] peer_rpk"
SINCE: dict[str, Expectation[tuple[Outcome, bool | None]]] = {
    **dict.fromkeys(("age_add", "max_early_data", "alpn"), APPDATA),
    "srp_username": SRP,
    "kex_group": Expectation(
        (RESUMED, False), Differs((ABORTED, None), Role.CLIENT, "*@<3.0", date(2026, 11, 30), NO_GROUP)
    ),
    "peer_rpk": Expectation(
        (RESUMED, False), Differs((ABORTED, None), Role.CLIENT, "*@<3.2", date(2026, 11, 30), NO_RPK)
    ),
}
"""What becomes of a session with a field that not each OpenSSL can read."""
NEW_FIELDS = {"kex_group": 24, "peer_rpk": bytes.fromhex("302a300506032b6570032100") + bytes(32)}
"""secp384r1, and a SubjectPublicKeyInfo with a key of Ed25519 (RFC 8410, 4)."""
DEFLATE = 1
"""The compression method (RFC 3749)."""
COMPRESSED: Expectation[tuple[Outcome, Alert | None, tuple[Reason, ...], bool | None]] = Expectation(
    (ABORTED, Alert(ILLEGAL_PARAMETER, Role.CLIENT), (Reason.SESSION_REJECTED,), None),
    Differs(
        (RESUMED, None, (), False),
        Role.CLIENT,
        "pyopenssl",
        date(2026, 11, 30),
        "cryptography's wheels are built with no-comp, without which tls_process_server_hello compares no compression; "
        "measured with the wheels of OpenSSL 3.4.0 to 4.0.3",
    ),
)
"""What becomes of a session that is said to be compressed."""
HAS_EXPIRED = 10
"""X509_V_ERR_CERT_HAS_EXPIRED."""

pytestmark = scenario(played_by=BY_LIBSSL, needs=CLIENT)


@cases(
    "field, value",
    ("server_name", "a.test"),
    ("verify_result", HAS_EXPIRED),
    ("psk_identity", b"somebody"),
    ("ticket_appdata", b"of a server"),
)
def test_field_that_neither_end_compares_stays_as_it_was_changed(pair, field, value):
    first = pair.connect()
    second = pair.connect(offer=edited(first.session, **{field: value}))

    expected = (APPDATA if field == "ticket_appdata" else ANY_BUILD).of(pair)
    assert first.outcome is FULL
    assert (second.outcome, second.from_cache) == expected
    assert first.session.get(field) != value
    assert second.last_session is None or second.session.get(field) == value


@scenario(played_by=BY_LIBSSL, needs={"client": [*CLIENT["client"], Capability.SESSION_IN_MEMORY]})
@cases("field", "psk_identity", "srp_username")
@cases("value, kept", (b"some\0body", b"some"), (b"\0", b""))
def test_zero_byte_ends_a_text_of_the_session(pair, field, value, kept):
    """ssl_session_strndup: a session keeps texts as strings of C. s_client hands out the file that it was given."""
    first = pair.connect()
    second = pair.connect(offer=edited(first.session, **{field: value}))

    assert first.outcome is FULL
    assert second.offered.get(field) == value
    outcome = (SRP if field == "srp_username" else ANY_BUILD).of(pair)
    assert (second.outcome, second.from_cache) == outcome
    assert second.alert == (UNREADABLE if outcome == UNREAD else None)
    assert second.last_session is None or second.session.get(field) == kept


@cases(
    "field, value",
    ("lifetime_hint", 600_000),
    ("age_add", 7),
    ("max_early_data", 100),
    ("alpn", b"h2"),
    ("psk_identity_hint", b"of a server"),
    ("srp_username", b"somebody"),
)
def test_field_that_a_resumption_does_not_rest_on_resumes(pair, field, value):
    """The next ticket of TLS 1.3 brings a lifetime, an age_add and a maximum of early data of its own."""
    first = pair.connect()
    second = pair.connect(offer=edited(first.session, **{field: value}))

    assert first.outcome is FULL
    assert first.session.get(field) != value
    assert second.offered.get(field) == value
    assert (second.outcome, second.from_cache) == (SINCE.get(field, ANY_BUILD)).of(pair)


@scenario(played_by=BY_LIBSSL, needs={"client": [*CLIENT["client"], Capability.SESSION_IN_MEMORY]})
@cases("field", "kex_group", "peer_rpk")
def test_field_that_old_clients_cannot_read_is_no_hindrance(pair, field):
    """An older s_client does not connect: it cannot read its -sess_in."""
    first = pair.connect()
    second = pair.connect(offer=edited(first.session, **{field: NEW_FIELDS[field]}))

    assert first.outcome is FULL
    assert first.session.get(field) != NEW_FIELDS[field]
    assert second.offered.get(field) == NEW_FIELDS[field]
    assert (second.outcome, second.from_cache) == SINCE[field].of(pair)


@scenario(versions=[TLSv1_3], played_by=BY_LIBSSL, needs=CLIENT)
@cases("field, value", ("time", 1), ("timeout", 1))
def test_client_goes_by_the_time_of_its_session_and_not_by_its_timeout(pair, field, value):
    first = pair.connect()
    second = pair.connect(offer=edited(first.session, **{field: value}), presume_full=False)

    assert first.outcome is FULL
    expected = (FULL, (Reason.EXPIRED_AT_CLIENT,)) if field == "time" else (RESUMED, ())
    assert (second.outcome, reasons(pair, second)) == expected
    assert second.from_cache is (None if field == "time" else False)


def test_certificate_in_the_session_names_the_server(pair):
    first = pair.connect()
    pair.new_server(server_certificate="other-server")
    other = pair.connect()
    pair.use(Role.SERVER, 1)
    second = pair.connect(offer=edited(first.session, peer_certificate=other.session.peer_certificate))

    assert first.outcome is other.outcome is FULL
    assert first.session.peer_certificate != other.session.peer_certificate
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert second.session.peer_certificate == other.session.peer_certificate


def test_compression_of_the_session_is_compared(pair):
    first = pair.connect()
    second = pair.connect(offer=edited(first.session, compression=DEFLATE))

    assert first.outcome is FULL
    assert second.offered.compression == DEFLATE
    assert (second.outcome, second.alert, reasons(pair, second), second.from_cache) == COMPRESSED.of(pair)


def test_client_aborts_where_the_resumed_session_has_another_context(pair):
    first = pair.connect()
    second = pair.connect(offer=edited(first.session, session_id_context=b"another"))

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert == Alert(ILLEGAL_PARAMETER, Role.CLIENT)
    assert reasons(pair, second) == (Reason.SESSION_REJECTED,)


@scenario(versions=[TLSv1_2], played_by=BY_LIBSSL, needs=CLIENT)
def test_tls12_client_aborts_where_the_server_keeps_the_true_cipher(pair):
    first = pair.connect()
    other = {0xC02B: 0xC02C, 0xC02C: 0xC02B}[first.session.cipher]
    second = pair.connect(offer=edited(first.session, cipher=other))

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert == Alert(ILLEGAL_PARAMETER, Role.CLIENT)
    assert reasons(pair, second) == (Reason.SESSION_REJECTED,)


@scenario(versions=[TLSv1_3], client={"ciphersuites": "TLS_AES_128_GCM_SHA256"}, played_by=BY_LIBSSL, needs=CLIENT)
def test_tls13_session_resumes_by_another_suite_of_its_hash(pair):
    first = pair.connect()
    second = pair.connect(offer=edited(first.session, cipher=0x1303))

    assert first.outcome is FULL
    assert first.session.cipher == 0x1301
    assert second.offered.cipher == 0x1303
    assert second.outcome is RESUMED
    assert second.session.cipher == 0x1301


@cases("other, version", ("TLSv1.2", TLSv1_3), ("TLSv1.3", TLSv1_2))
def test_session_of_a_version_that_is_not_enabled_is_not_offered(pair, other, version):
    changed = other if pair.tls is version else pair.tls.label
    first = pair.connect()
    second = pair.connect(offer=edited(first.session, protocol=changed), presume_full=False)

    assert first.outcome is FULL
    assert first.session.protocol == pair.tls.label
    expected = NOT_ENABLED.of(pair) if pair.tls is version else (RESUMED, False, ())
    assert (second.outcome, second.from_cache, reasons(pair, second)) == expected


@scenario(
    versions=[TLSv1_2],
    client={"extended_master_secret": True},
    server={"extended_master_secret": True},
    played_by=BY_LIBSSL,
    needs=CLIENT,
)
@cases("field", "extended_master_secret", "flags")
def test_client_aborts_where_its_session_lost_the_extended_master_secret(pair, field):
    first = pair.connect()
    second = pair.connect(offer=edited(first.session, **{field: 0}))

    assert first.outcome is FULL
    assert first.session.extended_master_secret
    assert second.outcome is ABORTED
    assert second.alert.number in {HANDSHAKE_FAILURE, ILLEGAL_PARAMETER}
    assert second.alert.sender is Role.CLIENT
    assert reasons(pair, second) == (Reason.EXTENDED_MASTER_SECRET_DROPPED,)


WITHOUT_TICKET = {TLSv1_2: (DECLINED, Reason.NOT_IN_CACHE), TLSv1_3: (FULL, Reason.TICKET_TAKEN_OUT)}


def test_session_without_its_ticket_is_offered_by_an_id_or_not_at_all(pair):
    first = pair.connect()
    second = pair.connect(offer=edited(first.session, ticket=b""), presume_full=False)
    outcome, reason = WITHOUT_TICKET[pair.tls]

    assert first.outcome is FULL
    assert first.session.has_ticket
    assert second.outcome is outcome
    assert reasons(pair, second) == (reason,)


@scenario(versions=[TLSv1_2], played_by=BY_LIBSSL, needs=CLIENT)
def test_tls12_client_without_an_id_does_not_expect_a_resumption(pair):
    first = pair.connect()
    second = pair.connect(offer=edited(first.session, session_id=b""))

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert == Alert(UNEXPECTED_MESSAGE, Role.CLIENT)
    assert reasons(pair, second) == (Reason.MESSAGE_UNEXPECTED,)


@scenario(versions=[TLSv1_3], played_by=BY_LIBSSL, needs=CLIENT)
def test_tls13_session_needs_no_id(pair):
    first = pair.connect()
    second = pair.connect(offer=edited(first.session, session_id=b""))

    assert first.outcome is FULL
    assert first.session.session_id
    assert second.offered.session_id == b""
    assert second.outcome is RESUMED
    assert second.from_cache is False


def test_client_reads_records_of_the_length_in_its_session_alone(pair):
    first = pair.connect()
    second = pair.connect(offer=edited(first.session, max_fragment_length_mode=BYTES_512))

    assert first.outcome is FULL
    assert second.offered.max_fragment_length_mode == BYTES_512
    assert (second.outcome, second.from_cache, second.alert, reasons(pair, second)) == SHORT_BUFFER.of(pair)


@scenario(
    versions=[TLSv1_3],
    client={"groups": "X25519"},
    played_by=BY_LIBSSL,
    needs=CLIENT,
)
def test_short_server_hello_fits_the_length_in_the_session(pair):
    first = pair.connect()
    second = pair.connect(offer=edited(first.session, max_fragment_length_mode=BYTES_512))

    assert first.outcome is FULL
    assert second.offered.max_fragment_length_mode == BYTES_512
    assert second.messages.client_hello.key_share_groups == (X25519,)
    assert second.outcome is RESUMED
    assert second.from_cache is False


UNSIGNED = (
    "d2i_SSL_SESSION takes the time by ossl_time_from_time_t into an unsigned OSSL_TIME, which is later than any clock"
)
NEGATIVE_TIME: Expectation[tuple[Outcome, tuple[Reason, ...]]] = Expectation(
    (FULL, (Reason.EXPIRED_AT_CLIENT,)),
    Differs((RESUMED, ()), Role.CLIENT, "*@>=3.2", date(2026, 11, 30), UNSIGNED),
)
NEVER_OLD = broken_by(Role.CLIENT, "*@>=3.2", date(2026, 11, 30), UNSIGNED)


@scenario(
    versions=[TLSv1_3],
    needs=CLIENT,
    breaks=dict.fromkeys(("ticket_not_too_old", "ticket_within_seven_days", "ticket_age_is_true"), NEVER_OLD),
)
def test_session_whose_time_is_negative(pair):
    first = pair.connect()
    second = pair.connect(offer=edited(first.session, time=-1))

    assert first.outcome is FULL
    assert (second.outcome, reasons(pair, second)) == NEGATIVE_TIME.of(pair)
