"""OpenSSL's programs as people run them in a shell: openssl-s_client(1), openssl-s_server(1), openssl-s_time(1).

s_client writes a TLS 1.3 session when it has read a ticket; -reconnect connects again before that.
Two witnesses judge, the other end and the wire. What is not installed is UNSUPPORTED.
"""

from datetime import date

from harness import (
    ABORTED,
    DECLINED,
    FULL,
    RESUMED,
    Alert,
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

BY_TICKET = {TLSv1_2: Mechanism.SESSION_TICKET, TLSv1_3: Mechanism.PSK}
S_SERVER = ["s_server-www", "s_server-WWW", "s_server-rev"]
RECONNECTIONS = 5
SITES = {"localhost": "server", "other.example": "other-server"}
SEEN = date(2026, 11, 30)
NOT_COMPARED = "ssl_get_prev_session compares the session id context, which both contexts have, and no name"
NOT_CHECKED = "tls_construct_ctos_psk compares neither the name of the session nor that of its certificate"
OTHER_NAME = {
    "other_name_not_resumed": [broken_by(Role.SERVER, name, SEEN, NOT_COMPARED, tls=TLSv1_2) for name in S_SERVER],
    "name_in_certificate": broken_by(Role.CLIENT, "*", SEEN, NOT_CHECKED, tls=TLSv1_3),
}
HANDSHAKE_FAILURE, NO_RENEGOTIATION = 40, 100
Renegotiated = tuple[int, Outcome, Alert | None]
REFUSED: Expectation[Renegotiated] = Expectation(
    (1, ABORTED, Alert(HANDSHAKE_FAILURE, Role.CLIENT)),
    Differs(
        (2, FULL, None),
        Role.SERVER,
        "*@<3.0",
        date(2026, 11, 30),
        "SSL_CTX_set_options(3), SSL_OP_ALLOW_CLIENT_RENEGOTIATION: off by default since 3.0",
    ),
)
"""The handshakes of a client that renegotiates before it has written, and how the connection ends."""


@scenario(programs=["s_client-reconnect"])
def test_s_client_reconnects_before_it_has_read_a_ticket_of_tls13(client_program):
    first, *later = client_program.run()

    resumes = client_program.tls is TLSv1_2
    assert first.outcome is FULL
    assert [one.outcome for one in later] == [RESUMED if resumes else FULL] * RECONNECTIONS
    assert {one.mechanism for one in later} == {Mechanism.SESSION_TICKET if resumes else None}


@scenario(programs=["s_client-reconnect"], versions=[TLSv1_2])
def test_s_client_reconnects_by_session_id_or_not_at_all(client_program):
    first, *later = client_program.run(tickets=False)
    by_nothing = client_program.run(cache_mode={"off"})

    assert first.outcome is FULL
    assert [one.mechanism for one in later] == [Mechanism.SESSION_ID] * RECONNECTIONS
    assert {one.outcome for one in by_nothing} == {FULL}


@scenario(programs=["s_client-sess_in"])
def test_s_client_offers_the_session_of_a_file(client_program):
    made = client_program.run()
    declined = client_program.run(restarts=True)

    assert [one.outcome for one in made] == [FULL, RESUMED]
    assert made[1].mechanism is BY_TICKET[client_program.tls]
    assert [one.outcome for one in declined] == [FULL, DECLINED]
    assert reasons(client_program, declined[1]) == (Reason.TICKET_KEY_UNKNOWN,)


@scenario(programs=["s_client-closed"], versions=[TLSv1_2])
def test_s_client_whose_input_ends_at_once_has_the_session_of_tls12(client_program):
    first, second = client_program.run()

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.SESSION_TICKET


@scenario(programs=["s_client-closed"], versions=[TLSv1_3])
def test_s_client_writes_no_file_without_a_ticket_of_tls13(client_program):
    (first,) = client_program.run(num_tickets=0)

    assert first.outcome is FULL
    assert first.tickets == 0


@scenario(programs=["s_client-C"], versions=[TLSv1_2])
def test_s_client_connects_again_at_a_command(client_program):
    first, second = client_program.run()

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.SESSION_TICKET


@scenario(programs=["s_client-C"])
def test_s_client_connects_again_without_what_it_was_not_given(client_program):
    """In TLS 1.3 it resumes if a ticket came before it read its command, which nobody can say before."""
    first, second = client_program.run(num_tickets=0, tickets=False, cache_mode={"off"})

    assert first.outcome is FULL
    assert second.outcome is FULL
    assert second.messages.client_hello.psk_identities == ()


@scenario(programs=["s_client-R"], versions=[TLSv1_2])
def test_s_client_renegotiates_where_the_server_allows_it(client_program):
    (made,) = client_program.run(client_renegotiation=True)

    assert made.outcome is FULL
    assert made.messages.handshakes == 2


@scenario(programs=["s_client-R"], versions=[TLSv1_2])
def test_s_client_is_refused_a_renegotiation_by_default(client_program):
    (made,) = client_program.run()

    assert (made.messages.handshakes, made.outcome, made.alert) == REFUSED.of(client_program)
    assert (NO_RENEGOTIATION in {alert.number for alert in made.messages.alerts}) is (made.outcome is ABORTED)


@scenario(programs=["s_time-reuse"])
def test_s_time_reuses_the_session_of_a_page_that_it_has_read(client_program):
    first, *later = client_program.run()

    assert first.outcome is FULL
    assert {one.mechanism for one in later} == {BY_TICKET[client_program.tls]}


@scenario(programs=["s_time-new"], versions=[TLSv1_2])
def test_s_time_makes_new_sessions(client_program):
    made = client_program.run()

    assert {one.outcome for one in made} == {FULL}


@scenario(programs=S_SERVER)
def test_s_server_resumes_by_its_tickets(program):
    server = program()
    first = server.connect()
    second = server.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism is BY_TICKET[second.tls]


@scenario(programs=["s_server-www"], versions=[TLSv1_2])
def test_s_server_without_tickets_and_cache_gives_no_session(program):
    server = program(tickets=False, cache="none")
    first = server.connect()
    second = server.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.session.session_id == b""
    assert second.offered is first.session
    assert (second.outcome, second.was_offered) == (FULL, False)


@scenario(programs=S_SERVER, breaks=OTHER_NAME)
def test_s_server_resumes_under_the_name_of_its_second_context(program):
    """-servername and -cert2: the callback chooses after OpenSSL has looked at the session (SSL_set_SSL_CTX(3))."""
    server = program(sites=SITES)
    first = server.connect()
    fresh = server.connect(server_name="other.example")
    second = server.connect(offer=first.session, server_name="other.example")
    server.restart()
    third = server.connect(offer=first.session)

    assert first.outcome is fresh.outcome is FULL
    assert first.messages.certificates[Role.SERVER] != fresh.messages.certificates[Role.SERVER]
    assert second.outcome is RESUMED
    assert second.mechanism is BY_TICKET[second.tls]
    assert reasons(server, second) == (Reason.OTHER_SERVER_NAME,)
    assert third.outcome is DECLINED
    assert reasons(server, third)[0] is Reason.TICKET_KEY_UNKNOWN


@scenario(programs=["s_server-www"])
def test_s_server_keeps_its_first_context_for_any_other_name(program):
    server = program(sites=SITES)
    first = server.connect()
    second = server.connect(server_name="nobody.example")
    third = server.connect(server_name="other.example")

    assert first.outcome is second.outcome is third.outcome is FULL
    assert second.messages.client_hello.server_name == "nobody.example"
    assert first.messages.certificates == second.messages.certificates
    assert first.messages.certificates != third.messages.certificates
