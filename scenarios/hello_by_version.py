"""The defaults in a ClientHello differ between releases, and are the same when the client offers a session.

They are the signal for secure renegotiation (RFC 5746, 3.3 and 3.4), the point formats (RFC 8422, 5.1.2), the groups
and signature algorithms (RFC 8446, 4.2.7 and 4.2.3), the groups of the first key shares (RFC 8446, 4.2.8), the cipher
suites, the compression (RFC 3749) and the order of the extensions. A server that is tuned to one release's hello may
not accept another's. None of these decides whether a session resumes.
"""

from datetime import date

from harness import FULL, RESUMED, Capability, Differs, Expectation, Role, TLSv1_2, TLSv1_3, scenario

SEEN = date(2026, 11, 21)
SCSV = 0x00FF
RENEGOTIATION_INFO = 0xFF01
SUPPORTED_GROUPS, EC_POINT_FORMATS, SIGNATURE_ALGORITHMS = 10, 11, 13
P256, P384, P521, X25519, X448 = 23, 24, 25, 29, 30
FFDHE2048, FFDHE3072, FFDHE4096, FFDHE6144, FFDHE8192 = range(256, 261)
P256MLKEM768, X25519MLKEM768, SM2MLKEM768, SM2 = 4587, 4588, 4590, 41
"""IANA's numbers of groups."""
BRAINPOOL, MLDSA, SM2SIG_SM3 = {0x081A, 0x081B, 0x081C}, {0x0904, 0x0905, 0x0906}, {0x0708}
"""IANA's numbers of signature algorithms."""

ONLY_FOR_TLS10 = (
    "https://github.com/openssl/openssl/pull/24161, NEWS of 3.4: the extension where the least version is above TLS 1.0"
)
NOT_IN_TLS13 = "measured: 3.1.5 sends the SCSV in a hello of TLS 1.3 alone, 3.2.3 does not (ssl_cipher_list_to_bytes)"
UNCOMPRESSED = (
    "https://github.com/openssl/openssl/pull/26990: uncompressed alone, unless SSL_OP_LEGACY_EC_POINT_FORMATS is set"
)
NO_POINTS_IN_TLS13 = "measured: 3.6.5 sends it in a hello of TLS 1.3 alone, 4.0.0 does not"
HYBRID = "CHANGES of 3.5: two key shares, X25519MLKEM768 and X25519, are sent by default"

RENEGOTIATION_CIPHER_IN_TLS12 = Expectation(
    (True, False), Differs((False, True), Role.CLIENT, "*@>=3.4", SEEN, ONLY_FOR_TLS10)
)
RENEGOTIATION_CIPHER_IN_TLS13 = Expectation(
    (True, False), Differs((False, False), Role.CLIENT, "*@>=3.2", SEEN, NOT_IN_TLS13)
)
FORMATS = Expectation("03000102", Differs("0100", Role.CLIENT, "*@>=3.6", SEEN, UNCOMPRESSED))
FORMATS_IN_TLS13: Expectation[list[int]] = Expectation(
    [EC_POINT_FORMATS], Differs([], Role.CLIENT, "*@>=4.0", SEEN, NO_POINTS_IN_TLS13)
)
KEY_SHARES: Expectation[tuple[int, ...]] = Expectation(
    (X25519,), Differs((X25519MLKEM768, X25519), Role.CLIENT, "*@>=3.5", SEEN, HYBRID)
)

OLD_CURVES = "eccurves_auto of 1.0.2 (ssl/t1_lib.c): no X25519, and 10 curves more, with those over binary fields"
NO_X448 = "eccurves_default of 1.1.0 (ssl/t1_lib.c); CHANGES, 1.1.1: Added support for X448 and Ed448"
FFDHE_IN_TLS13 = (
    "https://github.com/openssl/openssl/pull/8178; CHANGES, 3.0: Added support for FFDHE key exchange in TLS 1.3"
)
HYBRID_GROUPS = (
    "https://github.com/openssl/openssl/pull/26801; CHANGES, 3.5: the default TLS group list has X25519MLKEM768, P-384 "
    "before P-521, and FFDHE groups larger than 3072 bits no longer"
)
SINCE_4_0 = (
    "https://github.com/openssl/openssl/pull/30032 (SecP256r1MLKEM768), https://github.com/openssl/openssl/pull/29953 "
    "(curveSM2, curveSM2MLKEM768, sm2sig_sm3)"
)
FFDHE_IN_TLS12 = (
    "measured: 4.0.3 names them, 3.6.5 does not; https://github.com/openssl/openssl/issues/10971 asked for it"
)

CENTOS_1_0_2 = "*@==1.0.2k-fips"
UPSTREAM_1_0_2 = f"*@<1.1.0,!={CENTOS_1_0_2.removeprefix('*@==')}"
TODAY, NOW = date(2026, 11, 30), date(2026, 12, 1)
FEWER_CURVES = "measured: 1.0.2k of CentOS names these four; its hobble-openssl takes the others out of the source"
SECP256K1 = 22

CLASSIC = (X25519, P256, X448, P521, P384)
GROUPS_IN_TLS12: Expectation[tuple[int, ...]] = Expectation(
    CLASSIC,
    Differs((P256, P521, 28, 27, P384, 26, 22, 14, 13, 11, 12, 9, 10), Role.CLIENT, UPSTREAM_1_0_2, SEEN, OLD_CURVES),
    Differs((P256, P521, P384, SECP256K1), Role.CLIENT, CENTOS_1_0_2, TODAY, FEWER_CURVES),
    Differs((X25519, P256, P521, P384), Role.CLIENT, "*@>=1.1.0,<1.1.1", SEEN, NO_X448),
    Differs((X25519, P256, X448, P384, P521), Role.CLIENT, "*@>=3.5,<4.0", SEEN, HYBRID_GROUPS),
    Differs(
        (X25519, P256, X448, P384, P521, FFDHE2048, FFDHE3072),
        Role.CLIENT,
        "*@>=4.0",
        SEEN,
        f"{HYBRID_GROUPS}; {FFDHE_IN_TLS12}",
    ),
)
GROUPS_IN_TLS13: Expectation[tuple[int, ...]] = Expectation(
    (*CLASSIC, FFDHE2048, FFDHE3072, FFDHE4096, FFDHE6144, FFDHE8192),
    Differs(CLASSIC, Role.CLIENT, "*@<3.0", SEEN, FFDHE_IN_TLS13),
    Differs(
        (X25519MLKEM768, X25519, P256, X448, P384, P521, FFDHE2048, FFDHE3072),
        Role.CLIENT,
        "*@>=3.5,<4.0",
        SEEN,
        HYBRID_GROUPS,
    ),
    Differs(
        (X25519MLKEM768, P256MLKEM768, SM2MLKEM768, X25519, P256, X448, P384, P521, SM2, FFDHE2048, FFDHE3072),
        Role.CLIENT,
        "*@>=4.0",
        SEEN,
        SINCE_4_0,
    ),
)
IN_3_2 = "CHANGES, 3.2: Added support for Brainpool curves in TLS-1.3"
IN_3_5 = "CHANGES, 3.5: The TLS Signature algorithms defaults now include all three ML-DSA variants"
NEWER_ALGORITHMS: Expectation[set[int]] = Expectation(
    set(),
    Differs(BRAINPOOL, Role.CLIENT, "*@>=3.2,<3.5", SEEN, IN_3_2),
    Differs(BRAINPOOL | MLDSA, Role.CLIENT, "*@>=3.5,<4.0", SEEN, IN_3_5),
    Differs(BRAINPOOL | MLDSA | SM2SIG_SM3, Role.CLIENT, "*@>=4.0", SEEN, SINCE_4_0),
)
"""Of TLS 1.3, beside those of 1.1.1."""

SERVER_NAME, ENCRYPT_THEN_MAC, HEARTBEAT, EXTENDED_MASTER_SECRET, SESSION_TICKET = 0, 22, 15, 23, 35
AT_ONE_LEVEL = {"security_level": 1}
"""SHA-1 is below level 2, and Debian's 1.1.1w has that level by default."""
PSS_AND_EDDSA = {*range(0x0804, 0x080C)}
SHA1 = {0x0201, 0x0202, 0x0203}
WITH_TLS13 = "CHANGES, 1.1.1: Support for TLSv1.3 added, with RSA-PSS (0x0804 to 0x080b), Ed25519 and Ed448"
SHA1_IS_WEAK = "CHANGES, 3.0: The security strength of SHA1 and MD5 based signatures in TLS has been reduced"
SIGNATURE_ALGORITHMS_IN_TLS12: Expectation[set[int]] = Expectation(
    PSS_AND_EDDSA,
    Differs(SHA1, Role.CLIENT, "*@<1.1.1", TODAY, WITH_TLS13),
    Differs(PSS_AND_EDDSA | SHA1, Role.CLIENT, "*@>=1.1.1,<3.0", TODAY, SHA1_IS_WEAK),
)
"""Of those that a release added or removed."""

CHACHA20 = {0xCCA8, 0xCCA9, 0xCCAA}
RC4 = {0x0004, 0x0005, 0xC002, 0xC007, 0xC00C, 0xC011}
IDEA = {0x0007}
TRIPLE_DES = {0x000A, 0x000D, 0x0010, 0x0013, 0x0016, 0xC003, 0xC008, 0xC00D, 0xC012}
DEFAULT_SUITES = (
    "CHANGES, 1.1.0: Added support for ChaCha20 and Poly1305; RC4 based libssl ciphersuites are now classed as weak; "
    "Triple-DES is now MEDIUM, and DEFAULT leaves it out (SSL_DEFAULT_CIPHER_LIST, SSL_NOT_DEFAULT)"
)
CHACHA20_OF_ECDHE = {0xCCA8, 0xCCA9}
PYTHON_LISTS_ITS_OWN = "Modules/_ssl.c, PY_SSL_DEFAULT_CIPHER_STRING: ECDH+CHACHA20, and no DHE+CHACHA20"
CIPHER_SUITES_IN_TLS12: Expectation[set[int]] = Expectation(
    CHACHA20,
    Differs(RC4 | TRIPLE_DES, Role.CLIENT, "*@<1.1.0", TODAY, DEFAULT_SUITES),
    Differs(CHACHA20_OF_ECDHE, Role.CLIENT, "ssl", TODAY, PYTHON_LISTS_ITS_OWN),
)
"""Of those that a release added or removed."""
CENTOS_SORTS = (
    "measured: 1.0.2o to 1.0.2r sort Triple-DES below IDEA and RC4, as of 112 bits, and CentOS's 1.0.2k above it"
)
FIRST_OF_THESE_CIPHERS: Expectation[set[int]] = Expectation(
    set(),
    Differs({0x0007}, Role.CLIENT, UPSTREAM_1_0_2, TODAY, CENTOS_SORTS),
    Differs({0xC012}, Role.CLIENT, CENTOS_1_0_2, TODAY, CENTOS_SORTS),
)
"""Of IDEA, RC4 and Triple-DES; none where there is none."""

GROUPS_IN_ENCRYPTED_EXTENSIONS: Expectation[tuple[int, ...]] = Expectation(
    GROUPS_IN_TLS13.value,
    *(
        Differs(differs.value, Role.SERVER, differs.builds, NOW, differs.evidence)
        for differs in GROUPS_IN_TLS13.differs
    ),
)
"""A server has the same groups by default as a client (RFC 8446, 4.2.7)."""
X25519_IN_ENCRYPTED_EXTENSIONS = Expectation(
    False,  # noqa: FBT003 - a value
    Differs(True, Role.SERVER, "*@>=3.5", NOW, HYBRID_GROUPS),  # noqa: FBT003 - a value
)
"""Whether a server names its groups to a client of X25519, which was its first one until 3.5.

tls_construct_stoc_supported_groups: a server whose first group is the connection's names none.
"""

NULL_METHOD, DEFLATE = 0, 1
CRIME = "CHANGES, 1.1.0: CRIME protection: disable compression by default, even if OpenSSL is compiled with zlib"
COMPRESSION: Expectation[tuple[list[int], int]] = Expectation(
    ([NULL_METHOD], NULL_METHOD),
    Differs(([DEFLATE, NULL_METHOD], DEFLATE), Role.CLIENT, UPSTREAM_1_0_2, TODAY, CRIME, peer=UPSTREAM_1_0_2),
    Differs(([DEFLATE, NULL_METHOD], NULL_METHOD), Role.CLIENT, UPSTREAM_1_0_2, TODAY, CRIME, peer="*@>=1.1.0"),
    Differs(([DEFLATE, NULL_METHOD], NULL_METHOD), Role.CLIENT, UPSTREAM_1_0_2, TODAY, CRIME, peer=CENTOS_1_0_2),
)
"""CentOS's 1.0.2k compresses only with OPENSSL_DEFAULT_ZLIB (its changelog: CVE-2012-4929 #857051)."""

SORTED_BY_TABLE = (
    "ssl_add_clienthello_tlsext, ssl_add_serverhello_tlsext (1.0.2, ssl/t1_lib.c), with heartbeat of RFC 6520"
)
NAME_LAST = (
    "measured: 3.6.5 sends server_name before the point formats, 4.0.3 last; ext_defs (ssl/statem/extensions.c) is the "
    "order, which Encrypted ClientHello did not change: at 48f1975964fc, with it, server_name is still the second"
)
LAST = (SESSION_TICKET, ENCRYPT_THEN_MAC, EXTENDED_MASTER_SECRET, SIGNATURE_ALGORITHMS)
POINTS_AND_GROUPS = (EC_POINT_FORMATS, SUPPORTED_GROUPS)
EXTENSIONS_ORDER: Expectation[tuple[int, ...]] = Expectation(
    (SERVER_NAME, *POINTS_AND_GROUPS, *LAST),
    Differs(
        (SERVER_NAME, *POINTS_AND_GROUPS, SESSION_TICKET, SIGNATURE_ALGORITHMS, HEARTBEAT),
        Role.CLIENT,
        "*@<1.1.0",
        TODAY,
        SORTED_BY_TABLE,
    ),
    Differs(
        (RENEGOTIATION_INFO, SERVER_NAME, *POINTS_AND_GROUPS, *LAST), Role.CLIENT, "*@>=3.4,<4.0", TODAY, ONLY_FOR_TLS10
    ),
    Differs((RENEGOTIATION_INFO, *POINTS_AND_GROUPS, *LAST, SERVER_NAME), Role.CLIENT, "*@>=4.0", TODAY, NAME_LAST),
)
EXTENSIONS_ORDER_OF_SERVER: Expectation[tuple[int, ...]] = Expectation(
    (RENEGOTIATION_INFO, SERVER_NAME, EC_POINT_FORMATS, SESSION_TICKET),
    Differs(
        (SERVER_NAME, RENEGOTIATION_INFO, EC_POINT_FORMATS, SESSION_TICKET),
        Role.SERVER,
        "*@<1.1.0",
        TODAY,
        SORTED_BY_TABLE,
    ),
    Differs(
        (RENEGOTIATION_INFO, EC_POINT_FORMATS, SESSION_TICKET, SERVER_NAME),
        Role.SERVER,
        "*@>=4.0",
        TODAY,
        NAME_LAST,
    ),
)
"""Of those that every server sends to every client."""

KEPT_IN_SESSION = (
    "https://github.com/openssl/openssl/pull/9176, in 1.1.1d: the client's point formats are no longer in the session, "
    "and tls_parse_ctos_ec_pt_formats reads none in a resumption, so that the server answers none"
)
POINT_FORMATS_IN_RESUMPTION = Expectation(
    (True, False), Differs((True, True), Role.SERVER, "*@<1.1.1d", TODAY, KEPT_IN_SESSION)
)
"""Whether the server answers with its own, in the full and in the resumed handshake."""


def both_hellos(pair):
    """Return the hellos of a full and of a resumed connection."""
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    return first.messages.client_hello, second.messages.client_hello


def signals(hello):
    """Return whether the hello has the SCSV and whether it has the extension."""
    return SCSV in hello.cipher_suites, RENEGOTIATION_INFO in hello.extensions


def point_formats(hello):
    """Return the extension's number if the hello has it."""
    return [number for number in hello.extensions if number == EC_POINT_FORMATS]


def listed(extensions, number):
    """Return the two-byte numbers listed in an extension."""
    body = extensions[number][2:]
    return tuple(int.from_bytes(body[i : i + 2], "big") for i in range(0, len(body), 2))


@scenario(versions=[TLSv1_2], needs={"client": [Capability.OPENSSL_CHOICES]})
def test_tls12_client_signals_secure_renegotiation(pair):
    first, second = both_hellos(pair)

    assert signals(first) == RENEGOTIATION_CIPHER_IN_TLS12.of(pair)
    assert signals(second) == RENEGOTIATION_CIPHER_IN_TLS12.of(pair)


@scenario(versions=[TLSv1_3], needs={"client": [Capability.OPENSSL_CHOICES]})
def test_tls13_has_no_renegotiation_to_signal(pair):
    first, second = both_hellos(pair)

    assert signals(first) == RENEGOTIATION_CIPHER_IN_TLS13.of(pair)
    assert signals(second) == RENEGOTIATION_CIPHER_IN_TLS13.of(pair)


@scenario(versions=[TLSv1_2], needs={"client": [Capability.OPENSSL_CHOICES]})
def test_tls12_client_names_its_point_formats(pair):
    first, second = both_hellos(pair)

    assert first.extensions[EC_POINT_FORMATS].hex() == FORMATS.of(pair)
    assert second.extensions[EC_POINT_FORMATS].hex() == FORMATS.of(pair)


@scenario(versions=[TLSv1_3], needs={"client": [Capability.OPENSSL_CHOICES]})
def test_tls13_has_no_point_formats_to_name(pair):
    first, second = both_hellos(pair)

    assert point_formats(first) == FORMATS_IN_TLS13.of(pair)
    assert point_formats(second) == FORMATS_IN_TLS13.of(pair)


@scenario(versions=[TLSv1_3], needs={"client": [Capability.OPENSSL_CHOICES]})
def test_client_sends_its_default_key_shares(pair):
    first, second = both_hellos(pair)

    assert first.key_share_groups == KEY_SHARES.of(pair)
    assert second.key_share_groups == KEY_SHARES.of(pair)


@scenario(versions=[TLSv1_2], needs={"client": [Capability.OPENSSL_CHOICES]})
def test_tls12_client_names_its_default_groups(pair):
    first, second = both_hellos(pair)

    assert listed(first.extensions, SUPPORTED_GROUPS) == GROUPS_IN_TLS12.of(pair)
    assert listed(second.extensions, SUPPORTED_GROUPS) == GROUPS_IN_TLS12.of(pair)


@scenario(versions=[TLSv1_3], needs={"client": [Capability.OPENSSL_CHOICES]})
def test_tls13_client_names_its_default_groups(pair):
    first, second = both_hellos(pair)

    assert listed(first.extensions, SUPPORTED_GROUPS) == GROUPS_IN_TLS13.of(pair)
    assert listed(second.extensions, SUPPORTED_GROUPS) == GROUPS_IN_TLS13.of(pair)


@scenario(versions=[TLSv1_3], client={"groups": "P-256"}, needs={"server": [Capability.OPENSSL_CHOICES]})
def test_tls13_server_names_its_default_groups(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert listed(first.messages.encrypted_extensions, SUPPORTED_GROUPS) == GROUPS_IN_ENCRYPTED_EXTENSIONS.of(pair)
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert listed(second.messages.encrypted_extensions, SUPPORTED_GROUPS) == GROUPS_IN_ENCRYPTED_EXTENSIONS.of(pair)


@scenario(versions=[TLSv1_3], client={"groups": "X25519"}, needs={"server": [Capability.OPENSSL_CHOICES]})
def test_tls13_server_names_no_groups_where_the_first_is_used(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    named = [SUPPORTED_GROUPS in connection.messages.encrypted_extensions for connection in (first, second)]

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert named == [X25519_IN_ENCRYPTED_EXTENSIONS.of(pair)] * 2


@scenario(versions=[TLSv1_3], needs={"client": [Capability.OPENSSL_CHOICES]})
def test_tls13_client_names_its_default_signature_algorithms(pair):
    first, second = both_hellos(pair)
    newer = BRAINPOOL | MLDSA | SM2SIG_SM3

    assert newer & {*listed(first.extensions, SIGNATURE_ALGORITHMS)} == NEWER_ALGORITHMS.of(pair)
    assert listed(second.extensions, SIGNATURE_ALGORITHMS) == listed(first.extensions, SIGNATURE_ALGORITHMS)


@scenario(versions=[TLSv1_2], client=AT_ONE_LEVEL, needs={"client": [Capability.OPENSSL_CHOICES]})
def test_tls12_client_names_its_default_signature_algorithms(pair):
    first, second = both_hellos(pair)
    named = {*listed(first.extensions, SIGNATURE_ALGORITHMS)}

    assert (PSS_AND_EDDSA | SHA1) & named == SIGNATURE_ALGORITHMS_IN_TLS12.of(pair)
    assert listed(second.extensions, SIGNATURE_ALGORITHMS) == listed(first.extensions, SIGNATURE_ALGORITHMS)


@scenario(versions=[TLSv1_2], needs={"client": [Capability.OPENSSL_CHOICES]})
def test_tls12_client_names_its_default_cipher_suites(pair):
    first, second = both_hellos(pair)
    old = [suite for suite in first.cipher_suites if suite in RC4 | TRIPLE_DES | IDEA]

    assert (CHACHA20 | RC4 | TRIPLE_DES) & {*first.cipher_suites} == CIPHER_SUITES_IN_TLS12.of(pair)
    assert {*old[:1]} == FIRST_OF_THESE_CIPHERS.of(pair)
    assert second.cipher_suites == first.cipher_suites


@scenario(versions=[TLSv1_2], needs={"client": [Capability.OPENSSL_CHOICES, Capability.SESSION_DATA]})
def test_tls12_session_is_compressed_where_both_ends_offer_it(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert ([*first.messages.client_hello.compression_methods], first.session.compression) == COMPRESSION.of(pair)


@scenario(
    versions=[TLSv1_2],
    client={"server_name": "localhost"},
    needs={"client": [Capability.OPENSSL_CHOICES], "server": [Capability.OPENSSL_CHOICES, Capability.SERVER_NAME]},
)
def test_tls12_extensions_have_an_order(pair):
    first = pair.connect()
    common = {RENEGOTIATION_INFO, SERVER_NAME, EC_POINT_FORMATS, SESSION_TICKET}
    answered = tuple(number for number in first.messages.server_hello.extensions if number in common)

    assert first.outcome is FULL
    assert tuple(first.messages.client_hello.extensions) == EXTENSIONS_ORDER.of(pair)
    assert answered == EXTENSIONS_ORDER_OF_SERVER.of(pair)


@scenario(versions=[TLSv1_2], server={"tickets": False}, needs={"server": [Capability.OPENSSL_CHOICES]})
def test_server_answers_point_formats_in_the_full_handshake_alone(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    answered = tuple(EC_POINT_FORMATS in one.messages.server_hello.extensions for one in (first, second))

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True
    assert answered == POINT_FORMATS_IN_RESUMPTION.of(pair)
