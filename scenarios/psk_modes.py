"""Which key exchange a TLS 1.3 resumption uses: by psk_key_exchange_modes of both ends, and by the key share.

RFC 8446, 4.2.8 and 4.2.9: psk_dhe_ke needs a key share of a common group, for which a server may ask with a
HelloRetryRequest; psk_ke needs none. OpenSSL's client always offers psk_dhe_ke (tls_construct_ctos_psk_kex_modes). Its
server uses psk_dhe_ke where it can, and falls back to psk_ke only if no group is common (final_key_share), unless
SSL_OP_PREFER_NO_DHE_KEX is set, since 3.3 (SSL_CTX_set_options(3)).
"""

from datetime import date

from harness import (
    ABORTED,
    FULL,
    Capability,
    Differs,
    Expectation,
    Mechanism,
    PskMode,
    Reason,
    Role,
    TLSv1_3,
    openssl_chooses,
    reasons,
    scenario,
)

DHE, KE, BOTH_MODES = PskMode.DHE, PskMode.KE, PskMode.BOTH
PSK_KE, PSK_DHE_KE = 0, 1
"""IANA's numbers of the modes."""
KEY_SHARE = 51
P256, P384, X448 = 23, 24, 30
HANDSHAKE_FAILURE = 40

USABLE = {"groups": "P-256:P-384"}
"""A client whose first key share the server takes."""
RETRIED = {"groups": "P-384:P-256"}
"""A client whose first key share the server cannot use, but that has a group of the server's."""
STRANGE = {"groups": "X448:X25519"}
"""A client that has no group of `SERVER`."""
SERVER = {"groups": "P-256"}
SHARED = {"ticket_keys": "shared"}
"""A server that has, by default, a group of every client for the full handshake."""
IMPORTS = {"client": [Capability.SESSION_IMPORT]}


def chosen(connection):
    """The group of the ServerHello's key share, None if it has none: psk_ke."""
    share = connection.messages.server_hello.extensions.get(KEY_SHARE)
    return None if share is None else int.from_bytes(share[:2], "big")


def retries(connection):
    """How many HelloRetryRequests there were."""
    return sum(hello.hello_retry_request for hello in connection.messages.server_hellos)


@scenario(versions=[TLSv1_3], client={"psk_modes": [None, DHE]})
@openssl_chooses(Role.CLIENT, "psk_dhe_ke alone by default")
def test_client_offers_psk_dhe_ke_alone_by_default(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.messages.client_hello.psk_modes == (PSK_DHE_KE,)
    assert second.mechanism is Mechanism.PSK
    assert second.messages.client_hello.psk_modes == (PSK_DHE_KE,)


PSK_KE_FIRST = Differs(
    (PSK_KE, PSK_DHE_KE),
    Role.CLIENT,
    "wolfssl@<=5.5.4",
    date(2026, 11, 30),
    "wolfSSL 5.5.4 lists the modes by their numbers, which RFC 8446, 4.2.9 leaves to the client",
)
OFFERED = Expectation((PSK_DHE_KE, PSK_KE), PSK_KE_FIRST)


@scenario(versions=[TLSv1_3], client={"psk_modes": BOTH_MODES})
def test_client_that_allows_psk_ke_offers_both_modes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert second.messages.client_hello.psk_modes == OFFERED.of(pair)


@scenario(
    versions=[TLSv1_3],
    client=USABLE | {"psk_modes": [None, BOTH_MODES]},
    server={"psk_modes": [None, BOTH_MODES]},
)
def test_usable_key_share_is_used(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert second.messages.client_hello.key_share_groups == (P256,)
    assert chosen(second) == P256
    assert retries(second) == 0


@scenario(
    versions=[TLSv1_3],
    client=RETRIED | {"psk_modes": [None, BOTH_MODES]},
    server=SERVER | {"psk_modes": [None, BOTH_MODES]},
    needs={"client": [Capability.OPENSSL_CHOICES]},
)
def test_server_asks_for_a_key_share_although_psk_ke_is_common(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert retries(first) == 1
    assert second.mechanism is Mechanism.PSK
    assert retries(second) == 1
    assert second.messages.client_hellos[0].key_share_groups == (P384,)
    assert second.messages.client_hellos[1].key_share_groups == (P256,)
    assert chosen(second) == P256


OTHER_KEYS = Differs(
    None,
    Role.CLIENT,
    "wolfssl@<=5.5.4",
    date(2026, 11, 30),
    "wolfSSL 5.5.4 offers psk_ke, and cannot decrypt the flight of a server that chooses it (AES_GCM_AUTH_E, -180): "
    "seen with s_server -allow_no_dhe_kex -prefer_no_dhe_kex of 3.5.9",
)
AS_IN_SESSION = Differs(
    (P256,),
    Role.CLIENT,
    "wolfssl@<=5.5.4",
    date(2026, 11, 30),
    "TLSX_PopulateExtensions of wolfSSL 5.5.4 makes the key share of a resumption for the session's group (namedGroup)",
)
UNUSABLE = Expectation((P384,), AS_IN_SESSION)
BY_PSK_KE: Expectation[Mechanism | None] = Expectation(Mechanism.PSK, OTHER_KEYS)
"""RFC 8446, 4.2.9: who offers psk_ke can do it."""


@scenario(versions=[TLSv1_3], client=USABLE | {"psk_modes": BOTH_MODES}, server={"psk_modes": KE})
def test_server_that_prefers_psk_ke_ignores_a_usable_key_share(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert chosen(first) == P256
    assert second.mechanism is BY_PSK_KE.of(pair)
    assert second.messages.client_hello.key_share_groups == (P256,)
    assert chosen(second) is None


@scenario(versions=[TLSv1_3], client=RETRIED | {"psk_modes": BOTH_MODES}, server=SERVER | {"psk_modes": KE})
def test_server_that_prefers_psk_ke_asks_for_no_other_key_share(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert retries(first) == 1
    assert second.mechanism is BY_PSK_KE.of(pair)
    assert second.messages.client_hello.key_share_groups == UNUSABLE.of(pair)
    assert retries(second) == 0
    assert chosen(second) is None


@scenario(versions=[TLSv1_3], client=RETRIED, server=SERVER | {"psk_modes": KE}, needs=IMPORTS)
def test_server_that_prefers_psk_ke_accepts_psk_dhe_ke_offered_alone(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.new_client(psk_modes=BOTH_MODES)
    third = pair.connect(offer=second.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert second.messages.client_hello.psk_modes == (PSK_DHE_KE,)
    assert second.messages.client_hello.key_share_groups == (P384,)
    assert retries(second) == 1
    assert chosen(second) == P256
    assert third.mechanism is Mechanism.PSK
    assert chosen(third) is None


@scenario(
    versions=[TLSv1_3],
    client=STRANGE | {"psk_modes": BOTH_MODES},
    server=SHARED | {"psk_modes": BOTH_MODES, "groups": "X448"},
)
def test_session_resumes_with_psk_ke_where_no_group_is_common(pair):
    first = pair.connect()
    pair.new_server(**SERVER)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert chosen(first) == X448
    assert second.mechanism is Mechanism.PSK
    assert second.messages.client_hello.key_share_groups == (X448,)
    assert retries(second) == 0
    assert chosen(second) is None


@scenario(versions=[TLSv1_3], client=STRANGE | {"psk_modes": BOTH_MODES}, server=SHARED | {"psk_modes": KE})
def test_server_that_prefers_psk_ke_needs_no_common_group(pair):
    first = pair.connect()
    pair.new_server(**SERVER)
    second = pair.connect(offer=first.session)
    third = pair.connect(presume_full=False)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert chosen(second) is None
    assert third.outcome is ABORTED
    assert third.alert.number == HANDSHAKE_FAILURE


@scenario(
    versions=[TLSv1_3],
    client=STRANGE,
    server=SHARED | {"psk_modes": [None, BOTH_MODES, KE]},
)
@openssl_chooses(Role.CLIENT, "psk_dhe_ke alone by default")
@openssl_chooses(Role.SERVER, "its error code says why")
def test_handshake_fails_without_common_group_and_without_psk_ke_offered(pair):
    first = pair.connect()
    pair.new_server(**SERVER)
    second = pair.connect(offer=first.session)
    pair.new_server(groups="X448")
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.messages.client_hello.psk_modes == (PSK_DHE_KE,)
    assert second.outcome is ABORTED
    assert second.alert.number == HANDSHAKE_FAILURE
    assert second.alert.sender is Role.SERVER
    assert reasons(pair, second) == (Reason.KEY_EXCHANGE_FAILED,)
    assert third.mechanism is Mechanism.PSK


@scenario(versions=[TLSv1_3], client=STRANGE | {"psk_modes": BOTH_MODES}, server=SHARED)
def test_handshake_fails_without_common_group_if_server_allows_no_psk_ke(pair):
    first = pair.connect()
    pair.new_server(**SERVER)
    second = pair.connect(offer=first.session)
    pair.new_server(psk_modes=BOTH_MODES)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.messages.client_hello.psk_modes == (PSK_DHE_KE, PSK_KE)
    assert second.outcome is ABORTED
    assert second.alert.number == HANDSHAKE_FAILURE
    assert second.alert.sender is Role.SERVER
    assert third.mechanism is Mechanism.PSK


@scenario(
    versions=[TLSv1_3],
    client=STRANGE | {"psk_modes": BOTH_MODES},
    server=SHARED | {"psk_modes": BOTH_MODES},
)
def test_full_handshake_needs_a_common_group_whatever_the_modes(pair):
    first = pair.connect()
    pair.new_server(**SERVER)
    second = pair.connect(presume_full=False)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert.number == HANDSHAKE_FAILURE
    assert third.mechanism is Mechanism.PSK
    assert chosen(third) is None
