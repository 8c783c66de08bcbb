"""A server chooses one of several contexts by the client's server name (RFC 6066, 3; SSL_set_SSL_CTX(3)).

So does every server with virtual hosts. It can do so in two callbacks. SSL_CTX_set_client_hello_cb comes before OpenSSL
looks up the session, SSL_CTX_set_tlsext_servername_callback after it: then a session of one name resumes under any
other, whatever the other's session id context and client certificates (the class of CVE-2025-23419 in nginx).
"""

from datetime import date

from harness import (
    ABORTED,
    DECLINED,
    FULL,
    RESUMED,
    Capability,
    Differs,
    Expectation,
    Reason,
    Role,
    TLSv1_2,
    TLSv1_3,
    Verify,
    broken_by,
    reasons,
    scenario,
)

ONE, OTHER = "server.example", "other.example"
ASKS = {"server_name": ONE}
CHOOSES = {
    "client": [Capability.SESSION_IMPORT, Capability.PEER_CHAIN],
    "server": [Capability.CHOOSE_CONTEXT, Capability.CALLBACK_CALLS],
}
CHOOSES_EARLY = {**CHOOSES, "server": [*CHOOSES["server"], Capability.CHOOSE_EARLY]}
SEEN, TODAY = date(2026, 11, 29), date(2026, 11, 30)
NOT_COMPARED = (
    "ssl_get_prev_session compares the session id context, which is the first context's or the same, and no name"
)
NOT_CHECKED = (
    "tls_construct_ctos_psk looks at hash and age, and at no name: SSL_set_session is the application's choice"
)
OFFERED = {"name_in_certificate": broken_by(Role.CLIENT, "*", SEEN, NOT_CHECKED, tls=TLSv1_3)}
RESUMED_TLS12 = {"other_name_not_resumed": broken_by(Role.SERVER, "*", SEEN, NOT_COMPARED, tls=TLSv1_2)}
HANDSHAKE_FAILURE, PROTOCOL_VERSION, CERTIFICATE_REQUIRED = 40, 70, 116
WITHOUT_CERTIFICATE = {TLSv1_2: HANDSHAKE_FAILURE, TLSv1_3: CERTIFICATE_REQUIRED}
"""The alert of a server that requires a certificate and gets none."""
LATE, EARLY = "server_name", "client_hello"
OTHER_VERSION = {TLSv1_2: TLSv1_3, TLSv1_3: TLSv1_2}
SHARED_KEYS = {"ticket_keys": "shared"}
CHOOSES_LATE = Expectation(
    [("choose", OTHER, "chosen")],
    Differs(
        [("choose", ONE, "kept")],
        Role.SERVER,
        "*@>=1.1.1,<1.1.1e",
        TODAY,
        "SSL_get_servername(3), NOTES: fixed in 1.1.1e; measured: in a TLS 1.3 resumption 1.1.1b and 1.1.1d give the "
        "callback the name of the session, 1.1.1g that of the hello",
        TLSv1_3,
    ),
)
"""The calls of the callback for a client that resumes under the other name."""
KEPT = (
    "SSL_get_servername(3), NOTES: until 1.1.1d the callback gets the name of the session, and the context is the first"
)
MOVED = (
    "final_server_name (ssl/statem/extensions.c) moves sess_accept from session_ctx to the context that the callback "
    "chose; since 3.2 it reads the context before the callback, and moves nothing"
)


def accepts(*, moved, kept, first):
    """Expect how often the first context accepted: 1.1.1e to 3.1 move it, and before the callback keeps it."""
    return Expectation(
        first,
        Differs(kept, Role.SERVER, "*@>=1.1.1,<1.1.1e", TODAY, KEPT, TLSv1_3),
        Differs(moved, Role.SERVER, "*@>=1.1.1e,<3.2", TODAY, MOVED, TLSv1_3),
    )


ACCEPTS_OF_TWO = accepts(moved=1, kept=2, first=2)
ACCEPTS_OF_THREE = accepts(moved=1, kept=2, first=3)
ACCEPTS_THAT_ARE_GOOD = Expectation(1, Differs(2, Role.SERVER, "*@>=1.1.1,<1.1.1e", TODAY, KEPT, TLSv1_3))
"""sess_accept_good is counted in the context of the connection's end (tls_finish_handshake)."""


def add_context(pair, at, **knobs):
    """Give the server another context for OTHER, that of a second server with these knobs changed."""
    first = pair.server
    other = pair.new_server(**knobs)
    pair.use(Role.SERVER, 1)
    first.choose(OTHER, other, at)


def called(connection):
    """Return the calls of the callbacks that choose in a connection."""
    calls = [call for call in connection.server.callback_calls if call.call == "choose"]
    return [(call.call, call.subject.decode(), call.result) for call in calls]


def key_names(connection):
    """Return the names of the ticket keys that encrypted in a connection."""
    return {call.subject for call in connection.server.callback_calls if call.call == "encrypt"}


@scenario(client=ASKS, needs=CHOOSES)
def test_server_name_chooses_the_certificate(pair):
    add_context(pair, LATE, server_certificate="other-server")
    first = pair.connect()
    pair.new_client(server_name=OTHER)
    second = pair.connect()

    assert first.outcome is second.outcome is FULL
    assert called(first) == [("choose", ONE, "kept")]
    assert called(second) == [("choose", OTHER, "chosen")]
    assert first.client.peer_chain != second.client.peer_chain


@scenario(client=ASKS, needs={"server": [Capability.CHOOSE_CONTEXT]})
def test_session_of_the_chosen_context_resumes_under_its_name(pair):
    """With pyOpenSSL by set_tlsext_servername_callback, with Python's ssl by sni_callback."""
    add_context(pair, LATE, server_certificate="other-server")
    first = pair.connect()
    second = pair.connect(offer=first.session)
    pair.new_client(server_name=OTHER)
    third = pair.connect()
    fourth = pair.connect(offer=third.session)

    assert first.outcome is third.outcome is FULL
    assert [each.messages.client_hello.server_name for each in (first, third)] == [ONE, OTHER]
    assert first.messages.certificates[Role.SERVER] != third.messages.certificates[Role.SERVER]
    assert second.outcome is fourth.outcome is RESUMED
    assert second.from_cache is fourth.from_cache is False


@scenario(needs={"server": [Capability.CHOOSE_CONTEXT]})
def test_name_that_no_context_has_keeps_the_first(pair):
    add_context(pair, LATE, server_certificate="other-server")
    first = pair.connect()
    pair.new_client(server_name="nobody.example")
    second = pair.connect()
    pair.new_client(server_name=OTHER)
    third = pair.connect()

    assert first.outcome is second.outcome is third.outcome is FULL
    assert second.messages.client_hello.server_name == "nobody.example"
    assert first.messages.certificates == second.messages.certificates
    assert first.messages.certificates != third.messages.certificates


@scenario(client=ASKS, needs=CHOOSES_EARLY)
def test_client_hello_chooses_the_certificate(pair):
    add_context(pair, EARLY, server_certificate="other-server")
    first = pair.connect()
    pair.new_client(server_name=OTHER)
    second = pair.connect()

    assert first.outcome is second.outcome is FULL
    assert called(first) == [("choose", ONE, "kept")]
    assert called(second) == [("choose", OTHER, "chosen")]
    assert first.client.peer_chain != second.client.peer_chain


@scenario(client=ASKS, needs=CHOOSES_EARLY, breaks=OFFERED)
def test_context_that_is_chosen_early_declines_the_session_of_another(pair):
    add_context(pair, EARLY, session_id_context=b"other")
    first = pair.connect()
    pair.new_client(server_name=OTHER)
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=second.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.SESSION_ID_CONTEXT_DIFFERS,)
    assert called(second) == [("choose", OTHER, "chosen")]
    assert third.outcome is RESUMED
    assert third.from_cache is False


@scenario(client=ASKS, needs=CHOOSES_EARLY, breaks=OFFERED | RESUMED_TLS12)
def test_context_that_is_chosen_early_with_the_same_id_resumes(pair):
    add_context(pair, EARLY, server_certificate="other-server")
    first = pair.connect()
    pair.new_client(server_name=OTHER)
    second = pair.connect(offer=first.session)
    third = pair.connect()

    assert first.outcome is third.outcome is FULL
    assert first.client.peer_chain != third.client.peer_chain
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert called(second) == [("choose", OTHER, "chosen")]
    assert reasons(pair, second) == (Reason.OTHER_SERVER_NAME,)


@scenario(versions=[TLSv1_3], client=ASKS, server=SHARED_KEYS, needs=CHOOSES, breaks=OFFERED)
def test_context_that_is_chosen_late_resumes_the_session_of_another(pair):
    add_context(pair, LATE, session_id_context=b"other")
    first = pair.connect()
    pair.new_client(server_name=OTHER)
    second = pair.connect(offer=first.session)
    counters = pair.last_counters()
    pair.use(Role.SERVER, 2)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert called(second) == CHOOSES_LATE.of(pair)
    assert reasons(pair, second) == (Reason.OTHER_SERVER_NAME,)
    assert counters.accept == ACCEPTS_OF_TWO.of(pair)
    assert counters.accept_good == ACCEPTS_THAT_ARE_GOOD.of(pair)
    assert third.outcome is DECLINED
    assert reasons(pair, third) == (Reason.SESSION_ID_CONTEXT_DIFFERS,)


@scenario(
    versions=[TLSv1_2],
    client=ASKS,
    server=SHARED_KEYS,
    needs=CHOOSES,
    breaks=RESUMED_TLS12,
)
def test_tls12_callback_gets_the_name_of_the_resumed_session(pair):
    add_context(pair, LATE, session_id_context=b"other")
    first = pair.connect()
    pair.new_client(server_name=OTHER)
    second = pair.connect(offer=first.session)
    pair.use(Role.SERVER, 2)
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False
    assert called(second) == [("choose", ONE, "kept")]
    assert reasons(pair, second) == (Reason.OTHER_SERVER_NAME,)
    assert third.outcome is DECLINED
    assert reasons(pair, third) == (Reason.SESSION_ID_CONTEXT_DIFFERS,)


@scenario(versions=[TLSv1_3], client=ASKS, needs=CHOOSES, breaks=OFFERED)
def test_late_choice_resumes_without_the_certificate_that_it_requires(pair):
    """CVE-2025-23419: a full handshake under this name needs a certificate, and the resumed session has none."""
    add_context(pair, LATE, verify=Verify.REQUIRED)
    first = pair.connect()
    pair.new_client(server_name=OTHER)
    refused = pair.connect(presume_full=False)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert refused.outcome is ABORTED
    assert (refused.alert.number, refused.alert.sender) == (CERTIFICATE_REQUIRED, Role.SERVER)
    assert second.outcome is RESUMED
    assert second.server.peer_certificate is False
    assert pair.last_counters().accept == ACCEPTS_OF_THREE.of(pair)


@scenario(client=ASKS, needs=CHOOSES_EARLY, breaks=OFFERED)
def test_early_choice_asks_for_the_client_certificate(pair):
    add_context(pair, EARLY, verify=Verify.REQUIRED, session_id_context=b"other")
    first = pair.connect()
    pair.new_client(server_name=OTHER)
    second = pair.connect(offer=first.session)
    pair.new_client(client_certificate="client")
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert (second.alert.number, second.alert.sender) == (WITHOUT_CERTIFICATE[pair.tls], Role.SERVER)
    assert third.outcome is DECLINED
    assert reasons(pair, third) == (Reason.SESSION_ID_CONTEXT_DIFFERS,)
    assert third.server.peer_certificate is True


@scenario(client=ASKS, server={"ticket_ring": "one"}, needs=CHOOSES_EARLY)
def test_ticket_keys_are_those_of_the_first_context(pair):
    """SSL_set_SSL_CTX leaves session_ctx, which has the ticket keys and the cache."""
    add_context(pair, EARLY, ticket_ring="other")
    first = pair.connect()
    pair.new_client(server_name=OTHER)
    second = pair.connect()
    pair.use(Role.SERVER, 2)
    third = pair.connect()

    assert first.outcome is second.outcome is third.outcome is FULL
    assert called(first) == [("choose", ONE, "kept")]
    assert called(second) == [("choose", OTHER, "chosen")]
    assert len(key_names(first)) == len(key_names(third)) == 1
    assert key_names(first) == key_names(second)
    assert key_names(first) != key_names(third)


@scenario(client=ASKS, needs=CHOOSES_EARLY)
def test_versions_are_those_of_the_first_context(pair):
    """SSL_set_SSL_CTX leaves min_proto_version and max_proto_version."""
    add_context(pair, EARLY, versions=(OTHER_VERSION[pair.tls],))
    first = pair.connect()
    pair.new_client(server_name=OTHER)
    second = pair.connect()
    pair.use(Role.SERVER, 2)
    third = pair.connect(presume_full=False)

    assert first.outcome is second.outcome is FULL
    assert called(first) == [("choose", ONE, "kept")]
    assert called(second) == [("choose", OTHER, "chosen")]
    assert second.client.version is pair.tls
    assert third.outcome is ABORTED
    assert (third.alert.number, third.alert.sender) == (PROTOCOL_VERSION, Role.SERVER)


@scenario(versions=[TLSv1_2], client=ASKS, needs=CHOOSES_EARLY)
def test_chosen_context_can_refuse_tickets(pair):
    add_context(pair, EARLY, tickets=False)
    first = pair.connect()
    pair.new_client(server_name=OTHER)
    second = pair.connect()
    third = pair.connect(offer=second.session)

    assert first.outcome is second.outcome is FULL
    assert called(first) == [("choose", ONE, "kept")]
    assert called(second) == [("choose", OTHER, "chosen")]
    assert (first.tickets, second.tickets) == (1, 0)
    assert third.outcome is RESUMED
    assert third.from_cache is True
