"""The defaults in a ClientHello differ between releases, and are the same when the client offers a session.

They are the signal for secure renegotiation (RFC 5746, 3.3 and 3.4), the point formats (RFC 8422, 5.1.2), the groups
and signature algorithms (RFC 8446, 4.2.7 and 4.2.3), and the groups of the first key shares (RFC 8446, 4.2.8). A server
that is tuned to one release's hello may not accept another's. None of these decides whether a session resumes.
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

CLASSIC = (X25519, P256, X448, P521, P384)
GROUPS_IN_TLS12: Expectation[tuple[int, ...]] = Expectation(
    CLASSIC,
    Differs((P256, P521, 28, 27, P384, 26, 22, 14, 13, 11, 12, 9, 10), Role.CLIENT, "*@<1.1.0", SEEN, OLD_CURVES),
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


def listed(hello, number):
    """Return the two-byte numbers listed in an extension."""
    body = hello.extensions[number][2:]
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

    assert listed(first, SUPPORTED_GROUPS) == GROUPS_IN_TLS12.of(pair)
    assert listed(second, SUPPORTED_GROUPS) == GROUPS_IN_TLS12.of(pair)


@scenario(versions=[TLSv1_3], needs={"client": [Capability.OPENSSL_CHOICES]})
def test_tls13_client_names_its_default_groups(pair):
    first, second = both_hellos(pair)

    assert listed(first, SUPPORTED_GROUPS) == GROUPS_IN_TLS13.of(pair)
    assert listed(second, SUPPORTED_GROUPS) == GROUPS_IN_TLS13.of(pair)


@scenario(versions=[TLSv1_3], needs={"client": [Capability.OPENSSL_CHOICES]})
def test_tls13_client_names_its_default_signature_algorithms(pair):
    first, second = both_hellos(pair)
    newer = BRAINPOOL | MLDSA | SM2SIG_SM3

    assert newer & {*listed(first, SIGNATURE_ALGORITHMS)} == NEWER_ALGORITHMS.of(pair)
    assert listed(second, SIGNATURE_ALGORITHMS) == listed(first, SIGNATURE_ALGORITHMS)
