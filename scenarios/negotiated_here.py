"""A resumed connection has its own group, protocol and keying material; certificates are the session's (RFC 8446, 2.2).

SSL_get_negotiated_group(3) gives the session's group where a connection has no key exchange; the harness asks for the
connection's. A TLS 1.2 resumption has none (RFC 5246, 7.3), a TLS 1.3 one has with psk_dhe_ke (RFC 8446, 4.2.9). Both
ends export the same material, and other material in each connection (RFC 5705, 4; RFC 8446, 7.5).
"""

from harness import (
    BOTH,
    FULL,
    RESUMED,
    Capability,
    Mechanism,
    Role,
    TLSv1_2,
    TLSv1_3,
    cases,
    scenario,
)

GROUP = {"client": [Capability.NEGOTIATED_GROUP]}
EXPORT = {"client": [Capability.EXPORTER], "server": [Capability.EXPORTER]}
ABBREVIATED_OR_FULL = (True, False)
CHAIN = {"client": [Capability.PEER_CHAIN, Capability.SESSION_IMPORT]}


@scenario(versions=[TLSv1_3], client={"groups": "P-256:P-384"}, needs=GROUP)
def test_tls13_resumption_has_the_group_of_its_own_key_exchange(pair):
    first = pair.connect()
    pair.new_client(groups="P-384")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.group == "secp256r1"
    assert second.mechanism is Mechanism.PSK
    assert second.group == "secp384r1"


@scenario(versions=[TLSv1_2], client={"groups": "P-256"}, needs=GROUP)
def test_tls12_resumption_has_no_group_though_its_session_has_one(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.group == "secp256r1"
    assert second.mechanism is Mechanism.SESSION_TICKET
    assert second.group == ""


@scenario(server={"tickets": BOTH}, needs=EXPORT)
def test_both_ends_export_the_same_and_other_material_each_time(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.exporters_equal is True
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets
    assert second.exporters_equal is True
    assert second.client.exporter != first.client.exporter


@scenario(needs=CHAIN)
def test_session_that_was_written_keeps_the_certificate_without_its_chain(pair):
    """i2d_SSL_SESSION writes the peer's certificate alone."""
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert len(first.client.peer_chain) >= 1
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert second.client.peer_certificate is True
    assert second.client.peer_chain == ()


@cases("abbreviated", *ABBREVIATED_OR_FULL)
@scenario(
    versions=[TLSv1_2],
    server={"client_renegotiation": True},
    needs={"client": [Capability.ABBREVIATED_RENEGOTIATION], "server": [Capability.RENEGOTIATION]},
)
def test_renegotiation_reports_whether_it_was_abbreviated(pair, abbreviated):
    live = pair.open()
    live.renegotiate(Role.CLIENT, abbreviated=abbreviated)
    connection = live.close()

    assert connection.outcome is FULL
    assert connection.renegotiation_resumed is abbreviated


@scenario(versions=[TLSv1_3], client={"alpn": ("h2",)}, server={"alpn": ("h2", "h3")})
def test_protocol_of_a_connection_is_not_its_sessions(pair):
    first = pair.connect()
    pair.new_client(alpn=("h3",))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.alpn == "h2"
    assert second.mechanism is Mechanism.PSK
    assert second.alpn == "h3"
