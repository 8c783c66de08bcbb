"""What a client's hello says of itself differs between releases, and is the same when it offers a session.

How it signals secure renegotiation (RFC 5746, 3.3 and 3.4), which point formats it knows (RFC 8422, 5.1.2), and for
which groups it sends a key share at once (RFC 8446, 4.2.8). A server that is tuned to one release's hello is not met by
another's; none of it decides whether a session resumes.
"""

from datetime import date

from harness import FULL, RESUMED, Differs, Expectation, Role, TLSv1_2, TLSv1_3, scenario

SEEN = date(2026, 11, 21)
SCSV = 0x00FF
RENEGOTIATION_INFO = 0xFF01
EC_POINT_FORMATS = 11
X25519, X25519MLKEM768 = 29, 4588

ONLY_FOR_TLS10 = (
    "https://github.com/openssl/openssl/pull/24161, NEWS of 3.4: the extension where the least version is above TLS 1.0"
)
NOT_IN_TLS13 = "measured: 3.1.5 sends the SCSV in a hello of TLS 1.3 alone, 3.2.3 does not (ssl_cipher_list_to_bytes)"
UNCOMPRESSED = (
    "https://github.com/openssl/openssl/pull/26990: uncompressed alone, unless SSL_OP_LEGACY_EC_POINT_FORMATS is set"
)
NO_POINTS_IN_TLS13 = "measured: 3.6.5 sends it in a hello of TLS 1.3 alone, 4.0.0 does not"
HYBRID = "CHANGES of 3.5: two key shares, X25519MLKEM768 and X25519, are sent by default"

SIGNALS_IN_TLS12 = Expectation((True, False), Differs((False, True), Role.CLIENT, "*@>=3.4", SEEN, ONLY_FOR_TLS10))
SIGNALS_IN_TLS13 = Expectation((True, False), Differs((False, False), Role.CLIENT, "*@>=3.2", SEEN, NOT_IN_TLS13))
FORMATS = Expectation("03000102", Differs("0100", Role.CLIENT, "*@>=3.6", SEEN, UNCOMPRESSED))
FORMATS_IN_TLS13: Expectation[list[int]] = Expectation(
    [EC_POINT_FORMATS], Differs([], Role.CLIENT, "*@>=4.0", SEEN, NO_POINTS_IN_TLS13)
)
KEY_SHARES: Expectation[tuple[int, ...]] = Expectation(
    (X25519,), Differs((X25519MLKEM768, X25519), Role.CLIENT, "*@>=3.5", SEEN, HYBRID)
)


def both_hellos(pair):
    """Of a full and of a resumed connection."""
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    return first.messages.client_hello, second.messages.client_hello


def signals(hello):
    """Whether it has the SCSV, and whether it has the extension."""
    return SCSV in hello.cipher_suites, RENEGOTIATION_INFO in hello.extensions


def point_formats(hello):
    """The extension's number if it is there."""
    return [number for number in hello.extensions if number == EC_POINT_FORMATS]


@scenario(versions=[TLSv1_2])
def test_tls12_client_signals_secure_renegotiation(pair):
    first, second = both_hellos(pair)

    assert signals(first) == SIGNALS_IN_TLS12.of(pair)
    assert signals(second) == SIGNALS_IN_TLS12.of(pair)


@scenario(versions=[TLSv1_3])
def test_tls13_has_no_renegotiation_to_signal(pair):
    first, second = both_hellos(pair)

    assert signals(first) == SIGNALS_IN_TLS13.of(pair)
    assert signals(second) == SIGNALS_IN_TLS13.of(pair)


@scenario(versions=[TLSv1_2])
def test_tls12_client_names_its_point_formats(pair):
    first, second = both_hellos(pair)

    assert first.extensions[EC_POINT_FORMATS].hex() == FORMATS.of(pair)
    assert second.extensions[EC_POINT_FORMATS].hex() == FORMATS.of(pair)


@scenario(versions=[TLSv1_3])
def test_tls13_has_no_point_formats_to_name(pair):
    first, second = both_hellos(pair)

    assert point_formats(first) == FORMATS_IN_TLS13.of(pair)
    assert point_formats(second) == FORMATS_IN_TLS13.of(pair)


@scenario(versions=[TLSv1_3])
def test_client_sends_its_default_key_shares(pair):
    first, second = both_hellos(pair)

    assert first.key_share_groups == KEY_SHARES.of(pair)
    assert second.key_share_groups == KEY_SHARES.of(pair)
