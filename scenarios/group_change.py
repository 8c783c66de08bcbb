"""Another key exchange group than in the full handshake does not keep a session from resuming (RFC 8446, 4.2.11).

A TLS 1.3 resumption makes a new key exchange, in the group of its own key share (4.2.8), and its session records that
group. A TLS 1.2 resumption makes none, so that both ends need no common group any more (RFC 5246, 7.3). Hybrid groups
with ML-KEM are of TLS 1.3 alone (RFC 9794; draft-ietf-tls-ecdhe-mlkem); OpenSSL has them since 3.5.
"""

from datetime import date

from harness import (
    ABORTED,
    FULL,
    Capability,
    Differs,
    Expectation,
    Mechanism,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    openssl_chooses,
    reasons,
    scenario,
)

KEY_SHARE = 51
X25519 = 29
HANDSHAKE_FAILURE = 40

CURVES = {"P-384": 24, "P-521": 25}
FIELDS = {"ffdhe2048": 256, "ffdhe3072": 257}
HYBRIDS = {"X25519MLKEM768": 4588, "SecP256r1MLKEM768": 4587, "SecP384r1MLKEM1024": 4589}
KEMS = {"MLKEM512": 512, "MLKEM768": 513, "MLKEM1024": 514}
RARE = {"brainpoolP256r1tls13": 31, "curveSM2": 41, "curveSM2MLKEM768": 4590}
"""For TLS 1.3 OpenSSL has the first since 3.2 (RFC 8734), the others since 4.0 (RFC 8998)."""
ALL = CURVES | FIELDS | HYBRIDS | KEMS | RARE
"""IANA's numbers of groups."""
OLD = {"groups": "X25519"}
MIXED = {"groups": "X25519:P-256"}
"""A TLS 1.2 handshake also needs the curve of the certificate, which is P-256 (RFC 8422, 5.1)."""
SHARED = {"ticket_keys": "shared"}
IMPORTS = {"client": [Capability.SESSION_IMPORT]}


def group(hello):
    """The group of a ServerHello's key share, or of a HelloRetryRequest's."""
    return int.from_bytes(hello.extensions[KEY_SHARE][:2], "big")


@scenario(versions=[TLSv1_3], client=OLD, server={"groups": [f"X25519:{name}" for name in ALL]}, needs=IMPORTS)
def test_session_resumes_in_another_group(pair):
    later = pair.server_config.groups.split(":")[1]
    first = pair.connect()
    pair.new_client(groups=later)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert group(first.messages.server_hello) == X25519
    assert second.mechanism is Mechanism.PSK
    assert second.messages.client_hello.key_share_groups == (ALL[later],)
    assert group(second.messages.server_hello) == ALL[later]


@scenario(
    versions=[TLSv1_3],
    client={"groups": [f"{name}:X25519" for name in ALL]},
    server=SHARED,
    needs={"client": [Capability.OPENSSL_CHOICES]},
)
def test_session_resumes_at_a_server_that_has_lost_its_group(pair):
    first_group = pair.client_config.groups.split(":")[0]
    pair.new_server(groups=first_group)
    first = pair.connect()
    pair.new_server(groups="X25519")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert group(first.messages.server_hello) == ALL[first_group]
    assert second.mechanism is Mechanism.PSK
    assert [hello.hello_retry_request for hello in second.messages.server_hellos] == [True, False]
    assert [group(hello) for hello in second.messages.server_hellos] == [X25519, X25519]
    assert [len(hello.psk_identities) for hello in second.messages.client_hellos] == [1, 1]


@scenario(
    versions=[TLSv1_3],
    client={"groups": [f"X25519:{name}" for name in HYBRIDS]},
    server=SHARED | {"groups": "X25519"},
)
@openssl_chooses(Role.CLIENT, "one key share, of the first of its groups")
def test_session_resumes_at_a_server_that_asks_for_a_hybrid_group(pair):
    hybrid = pair.client_config.groups.split(":")[1]
    first = pair.connect()
    pair.new_server(groups=hybrid)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert group(first.messages.server_hello) == X25519
    assert second.mechanism is Mechanism.PSK
    assert [group(hello) for hello in second.messages.server_hellos] == [ALL[hybrid], ALL[hybrid]]
    assert second.messages.client_hellos[0].key_share_groups == (X25519,)
    assert second.messages.client_hellos[1].key_share_groups == (ALL[hybrid],)


DUPLICATED = (
    "tls_parse_stoc_key_share: since https://github.com/openssl/openssl/pull/14750 a client duplicates a session that "
    "resumes in another group, without its ticket"
)
KEEPS_ITS_TICKET: Expectation[bool] = Expectation(
    False,  # noqa: FBT003 - a value
    Differs(True, Role.CLIENT, "*@<3.0", date(2026, 11, 30), DUPLICATED),  # noqa: FBT003 - a value
)


@scenario(
    versions=[TLSv1_3],
    client=MIXED,
    server=SHARED,
    needs={"client": [Capability.SESSION_IN_MEMORY], "server": [Capability.OPENSSL_CHOICES]},
)
def test_session_that_resumes_in_another_group_has_only_a_new_ticket(pair):
    first = pair.connect()
    pair.new_server(groups="P-256", num_tickets=0)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert second.tickets == 0
    assert second.last_session.has_ticket is KEEPS_ITS_TICKET.of(pair)


HYBRID_AT_FIRST = f"CHANGES of 3.5: X25519MLKEM768 is the first group by default, where it was X25519; {DUPLICATED}"
KEEPS_ITS_FIRST_TICKET: Expectation[bool] = Expectation(
    True,  # noqa: FBT003 - a value
    Differs(False, Role.CLIENT, "*@>=3.5", date(2026, 12, 1), HYBRID_AT_FIRST, peer="*@>=3.5"),  # noqa: FBT003 - a value
)
"""Whether a session of the first group by default keeps its ticket where it resumes in X25519."""


@scenario(
    versions=[TLSv1_3],
    server=SHARED,
    needs={
        "client": [Capability.SESSION_IN_MEMORY, Capability.OPENSSL_CHOICES],
        "server": [Capability.OPENSSL_CHOICES],
    },
)
def test_session_of_the_default_group_resumes_in_x25519(pair):
    first = pair.connect()
    pair.new_server(groups="X25519", num_tickets=0)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert (group(first.messages.server_hello) == X25519) is KEEPS_ITS_FIRST_TICKET.of(pair)
    assert second.mechanism is Mechanism.PSK
    assert group(second.messages.server_hello) == X25519
    assert second.tickets == 0
    assert second.last_session.has_ticket is KEEPS_ITS_FIRST_TICKET.of(pair)


@scenario(versions=[TLSv1_3], client=OLD, server=SHARED)
@openssl_chooses(Role.SERVER, "its error code says why")
def test_handshake_fails_if_no_group_is_common_any_more(pair):
    first = pair.connect()
    pair.new_server(groups="P-521")
    second = pair.connect(offer=first.session)
    pair.new_server(groups="X25519")
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert.number == HANDSHAKE_FAILURE
    assert second.alert.sender is Role.SERVER
    assert reasons(pair, second) == (Reason.KEY_EXCHANGE_FAILED,)
    assert third.mechanism is Mechanism.PSK


@scenario(versions=[TLSv1_3], client=OLD, server=SHARED)
def test_handshake_fails_if_a_server_has_only_a_hybrid_group(pair):
    """Its X25519 half is not a common group: IANA's numbers differ."""
    first = pair.connect()
    pair.new_server(groups="X25519MLKEM768")
    second = pair.connect(offer=first.session)
    pair.new_server(groups="X25519")
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert.number == HANDSHAKE_FAILURE
    assert second.alert.sender is Role.SERVER
    assert third.mechanism is Mechanism.PSK


@scenario(versions=[TLSv1_2], client=MIXED, server=SHARED)
@openssl_chooses(Role.SERVER, "it looks at no group where it resumes a TLS 1.2 session")
def test_tls12_session_resumes_although_no_group_is_common_any_more(pair):
    first = pair.connect()
    pair.new_server(groups="P-521")
    second = pair.connect(offer=first.session)
    third = pair.connect(presume_full=False)

    assert first.outcome is FULL
    assert "ServerKeyExchange" in first.messages.types()
    assert second.mechanism is Mechanism.SESSION_TICKET
    assert "ServerKeyExchange" not in second.messages.types()
    assert third.outcome is ABORTED
    assert third.alert.number == HANDSHAKE_FAILURE


@scenario(versions=[TLSv1_2], client=MIXED)
def test_tls12_full_handshake_fails_if_no_group_is_common(pair):
    first = pair.connect()
    pair.new_server(groups="P-521")
    second = pair.connect(presume_full=False)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert.number == HANDSHAKE_FAILURE
    assert second.alert.sender is Role.SERVER
