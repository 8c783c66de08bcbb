"""A session has one protocol version: a client offers it only if that version is enabled, and it resumes only in it.

RFC 8446, 4.2.11 (4.1.2 has the older session mechanisms), RFC 5246, 7.4.1.2; SSL_set_session(3). OpenSSL's client makes
a new session if the version of the offered one is not enabled (tls_construct_client_hello, ssl_version_supported).
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
    Mechanism,
    Outcome,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    broken_by,
    reasons,
    scenario,
)

EITHER = (TLSv1_2, TLSv1_3)
UNMARKED = {
    "downgrade_marked": broken_by(
        Role.SERVER,
        "wolfssl@<=5.5.4",
        date(2026, 11, 30),
        "wolfSSL 5.5.4 marks the random of a full handshake only, and not where it resumes (SendServerHello)",
        tls=TLSv1_2,
    )
}
NO_CERTIFICATE = (
    Role.SERVER,
    "gnutls@<=3.7.9",
    date(2026, 11, 30),
    "a server of GnuTLS 3.7.9 reads a TLS 1.2 ticket and speaks TLS 1.3, without Certificate and PSK",
)
LOST: Expectation[tuple[Outcome, Alert | None, tuple[Reason, ...]]] = Expectation(
    (DECLINED, None, (Reason.VERSION_DIFFERS,)),
    Differs((ABORTED, Alert(10, Role.CLIENT), (Reason.MESSAGE_UNEXPECTED,)), *NO_CERTIFICATE),
)
NEXT: Expectation[Mechanism | None] = Expectation(Mechanism.PSK, Differs(None, *NO_CERTIFICATE))

pytestmark = scenario(server={"versions": EITHER}, needs={"client": [Capability.SESSION_IMPORT]}, breaks=UNMARKED)


@scenario(versions=[TLSv1_3], server={"versions": EITHER}, needs={"client": [Capability.SESSION_IMPORT]})
def test_tls13_session_is_not_offered_by_a_tls12_only_client(pair):
    first = pair.connect()
    pair.new_client(versions=(TLSv1_2,))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.offered is not None
    assert second.outcome is FULL
    assert second.messages.client_hello.psk_identities == ()
    assert second.messages.client_hello.session_ticket == b""
    assert second.messages.client_hello.session_id == b""
    assert second.messages.server_hello.version is TLSv1_2


@scenario(
    versions=[TLSv1_2],
    server={"versions": EITHER, "tickets": [True, False]},
    needs={"client": [Capability.SESSION_IMPORT]},
)
def test_tls12_session_is_not_offered_by_a_tls13_only_client(pair):
    first = pair.connect()
    pair.new_client(versions=(TLSv1_3,))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.offered is not None
    assert second.outcome is FULL
    assert second.messages.client_hello.psk_identities == ()
    assert not second.messages.client_hello.session_ticket
    assert second.messages.server_hello.version is TLSv1_3


def test_unoffered_session_resumes_when_its_version_is_enabled_again(pair):
    first = pair.connect()
    pair.new_client(versions=tuple({TLSv1_2, TLSv1_3} - {pair.tls}))
    second = pair.connect(offer=first.session)
    pair.new_client(versions=(pair.tls,))
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.offered is not None
    assert second.outcome is FULL
    assert third.outcome is RESUMED
    assert third.from_cache is False


@scenario(versions=[TLSv1_3], client={"versions": EITHER})
def test_tls13_ticket_offered_to_a_tls12_only_server_is_declined(pair):
    first = pair.connect()
    pair.new_server(versions=(TLSv1_2,))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.VERSION_DIFFERS,)
    assert len(second.messages.client_hello.psk_identities) == 1
    assert second.messages.server_hello.version is TLSv1_2


@scenario(
    versions=[TLSv1_2],
    client={"versions": EITHER},
    server={"tickets": [True, False]},
    needs={"client": [Capability.SESSION_FIELDS]},  # the id distinguishes it from compatibility mode's random one
)
def test_tls12_session_offered_to_a_tls13_only_server_is_declined(pair):
    first = pair.connect()
    pair.new_server(versions=(TLSv1_3,))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.VERSION_DIFFERS,)
    assert second.messages.client_hello.session_id
    assert second.messages.server_hello.version is TLSv1_3


@scenario(client={"versions": EITHER}, server={"ticket_keys": "shared"})
def test_the_same_change_of_server_resumes_where_the_version_stays(pair):
    first = pair.connect()
    pair.new_server(versions=EITHER[: 1 + EITHER.index(pair.tls)])
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.setup.server_context != first.setup.server_context
    assert {version.wire for version in EITHER} <= {*second.messages.client_hello.supported_versions}
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert second.messages.server_hello.version is pair.tls


@scenario(versions=[TLSv1_3], client={"versions": EITHER}, server={"versions": EITHER})
def test_tls13_ticket_resumes_where_both_ends_have_both_versions(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.new_client(versions=(TLSv1_2,))
    third = pair.connect()

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert TLSv1_2.wire in second.messages.client_hello.supported_versions
    assert third.messages.server_hello.version is TLSv1_2


@scenario(versions=[TLSv1_2], client={"versions": EITHER})
def test_tls12_session_resumes_for_a_client_with_both_versions(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.SESSION_TICKET
    assert second.messages.client_hello.supported_versions[0] == TLSv1_3.wire


@scenario(versions=[TLSv1_2], server={"versions": EITHER}, needs={"client": [Capability.SESSION_IMPORT]})
def test_tls12_session_is_lost_once_both_ends_enable_both_versions(pair):
    first = pair.connect()
    pair.new_client(versions=EITHER)
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=second.session)

    assert first.messages.server_hello.version is TLSv1_2
    assert (second.outcome, second.alert, reasons(pair, second)) == LOST.of(pair)
    assert second.messages.client_hello.session_ticket
    assert second.messages.server_hello.version is TLSv1_3
    assert third.mechanism is NEXT.of(pair)
