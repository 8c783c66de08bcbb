"""A second handshake on one TLS 1.2 connection: who may start it, when it resumes, and which session remains.

RFC 5246, 7.4.1.1 and RFC 5746. SSL_renegotiate(3): a renegotiation that the client starts is full unless it asks for an
abbreviated one. A server can only request one, and the client then offers the session of the connection. TLS 1.3 has no
renegotiation (RFC 8446, 4.1.2).
"""

from datetime import date

from harness import (
    ABORTED,
    BOTH,
    FULL,
    RESUMED,
    Alert,
    Capability,
    Differs,
    Ending,
    Expectation,
    Outcome,
    Role,
    TLSv1_2,
    TLSv1_3,
    openssl_chooses,
    scenario,
)

BY_CLIENT = {"client": [Capability.RENEGOTIATION]}
BY_SERVER = {"server": [Capability.RENEGOTIATION]}

REFUSED_REQUEST = [100, 40]
"""The client's warning no_renegotiation, at which the server gives up with handshake_failure (SSL_renegotiate(3))."""

NO_RENEGOTIATION = "reason=339 "
"""SSL_R_NO_RENEGOTIATION of can_renegotiate (ssl/ssl_lib.c)."""
SILENT = (
    "after SSL_renegotiate has failed, s_server 4.0.3 prints nothing of it; 1.1.1w, 3.0.20, 3.5.9 and 3.6.5 print "
    "SSL routines:can_renegotiate:no renegotiation"
)
ENDING_AFTER_REFUSAL: Expectation[Ending | None] = Expectation(
    Ending.CLOSE_NOTIFY,
    Differs(
        None,
        Role.SERVER,
        "openssl@<4.0",
        date(2026, 12, 1),
        "the error that SSL_renegotiate leaves in the queue ends s_server at its next SSL_get_error, which no longer "
        "asks the queue in 4.0 (https://github.com/openssl/openssl/issues/30894)",
    ),
)
"""What the server reads after SSL_renegotiate has failed."""
REFUSALS_SAID = Expectation(1, Differs(0, Role.SERVER, "openssl@>=4.0", date(2026, 11, 29), SILENT))

EC_POINT_FORMATS = 11
LEFT_OVER = (
    "https://github.com/openssl/openssl/issues/14875: init_ec_point_formats, in 1.1.1l, forgets the client's point "
    "formats of the first handshake; before, a server answers to them in the second one as well"
)
NOT_IN_TICKETS = "and before 1.1.1d to those of the session, which a ticket does not have (ssl/ssl_asn1.c)"
POINT_FORMATS_ANSWERED = Expectation(
    (True, False),
    Differs((True, True), Role.SERVER, "*@<1.1.1l", date(2026, 11, 30), LEFT_OVER, server={"tickets": False}),
    Differs(
        (True, True),
        Role.SERVER,
        "*@>=1.1.1d,<1.1.1l",
        date(2026, 11, 30),
        f"{LEFT_OVER}, {NOT_IN_TICKETS}",
        server={"tickets": True},
    ),
)
"""Whether the ServerHello has the extension: in the first handshake, and in the second one, which resumes."""

pytestmark = scenario(versions=[TLSv1_2], server={"tickets": BOTH}, needs=BY_SERVER)


def renegotiated(pair, by, *, abbreviated=False):
    """Return whether it worked, and the connection with its two handshakes."""
    live = pair.open()
    live.exchange()
    done = live.renegotiate(by, abbreviated=abbreviated)
    connection = live.close()
    assert connection.messages.data_before("ClientHello", "HelloRequest")
    return done, connection


@scenario(versions=[TLSv1_2], server={"tickets": BOTH}, needs=BY_SERVER | {"client": [Capability.OPENSSL_CHOICES]})
def test_server_asks_and_the_client_resumes_the_session_of_the_connection(pair):
    done, connection = renegotiated(pair, Role.SERVER)
    messages = connection.messages

    assert done
    assert connection.outcome is FULL
    assert messages.handshakes == 2
    assert messages.types(Role.SERVER).count("Certificate") == 1
    assert messages.server_hellos[1].session_id == messages.client_hellos[1].session_id
    assert messages.server_hellos[1].session_id


@scenario(versions=[TLSv1_2], server={"tickets": BOTH, "client_renegotiation": True}, needs=BY_CLIENT)
def test_client_renegotiates_in_full_and_offers_nothing(pair):
    done, connection = renegotiated(pair, Role.CLIENT)
    messages = connection.messages

    assert done
    assert connection.outcome is FULL
    assert messages.handshakes == 2
    assert messages.types(Role.SERVER).count("Certificate") == 2
    assert messages.client_hellos[1].session_id == b""
    assert not messages.client_hellos[1].session_ticket


@scenario(
    versions=[TLSv1_2],
    server={"tickets": BOTH, "client_renegotiation": True},
    needs={"client": [Capability.ABBREVIATED_RENEGOTIATION]},
)
def test_abbreviated_renegotiation_resumes_the_connections_session(pair):
    done, connection = renegotiated(pair, Role.CLIENT, abbreviated=True)
    messages = connection.messages

    assert done
    assert connection.outcome is FULL
    assert messages.handshakes == 2
    assert messages.types(Role.SERVER).count("Certificate") == 1
    assert messages.server_hellos[1].session_id == messages.client_hellos[1].session_id


@scenario(
    versions=[TLSv1_2],
    server={"tickets": BOTH, "resumption_on_renegotiation": False},
    needs=BY_SERVER | {"client": [Capability.OPENSSL_CHOICES]},
)
def test_server_without_resumption_on_renegotiation_makes_a_full_one(pair):
    done, connection = renegotiated(pair, Role.SERVER)
    messages = connection.messages

    assert done
    assert connection.outcome is FULL
    assert messages.handshakes == 2
    assert messages.types(Role.SERVER).count("Certificate") == 2
    assert messages.server_hellos[1].session_id != messages.client_hellos[1].session_id


@scenario(versions=[TLSv1_2], server={"renegotiation": False}, needs=BY_SERVER)
def test_server_without_renegotiation_asks_for_none(pair):
    _, connection = renegotiated(pair, Role.SERVER)

    assert connection.outcome is FULL
    assert connection.messages.handshakes == 1
    assert "HelloRequest" not in connection.messages.types(Role.SERVER)
    assert sum(NO_RENEGOTIATION in error for error in connection.server.errors) == REFUSALS_SAID.of(pair)
    assert connection.server.ending is ENDING_AFTER_REFUSAL.of(pair)


@scenario(versions=[TLSv1_2], client={"renegotiation": False}, needs=BY_SERVER)
@openssl_chooses(Role.CLIENT, "no_renegotiation in answer to a HelloRequest, which it may ignore (RFC 5246, 7.4.1.1)")
def test_client_without_renegotiation_refuses_the_servers(pair):
    done, connection = renegotiated(pair, Role.SERVER)
    alerts = [alert.number for alert in connection.messages.alerts if alert.number]

    assert not done
    assert connection.outcome is FULL
    assert connection.messages.handshakes == 1
    assert connection.renegotiation_resumed is None
    assert alerts == REFUSED_REQUEST


@scenario(
    versions=[TLSv1_2],
    client={"renegotiation": False},
    played_by={Role.CLIENT: "libssl", Role.SERVER: "libssl"},
)
def test_server_that_has_given_up_reads_no_end_of_its_input(pair):
    """Its SSL_write and SSL_read then fail at once, up to 3.6 with SSL_ERROR_SYSCALL, as at the end of TCP."""
    done, connection = renegotiated(pair, Role.SERVER)

    assert not done
    assert connection.outcome is FULL
    assert [alert.number for alert in connection.messages.alerts if alert.number] == REFUSED_REQUEST
    assert connection.server.ending is Ending.ALERT


SINCE_3_0 = (
    "CHANGES.md of 3.0: Client-initiated renegotiation is disabled by default; tls_process_client_hello of 1.1.1w"
)
HANDSHAKES = Expectation(1, Differs(2, Role.SERVER, "*@<3.0", date(2026, 11, 21), SINCE_3_0))
REFUSAL: Expectation[list[int]] = Expectation(
    [100, 40], Differs([], Role.SERVER, "*@<3.0", date(2026, 11, 21), SINCE_3_0)
)
"""The server's warning no_renegotiation, at which the client gives up with handshake_failure (SSL_renegotiate(3))."""


@scenario(versions=[TLSv1_2], server={"client_renegotiation": [None, False]}, needs=BY_CLIENT)
@openssl_chooses(Role.SERVER, "without a setting it renegotiates at no client's wish")
def test_client_is_refused_by_default_and_ends_the_connection(pair):
    done, connection = renegotiated(pair, Role.CLIENT)
    alerts = [alert.number for alert in connection.messages.alerts if alert.number]

    assert done is (HANDSHAKES.of(pair) == 2)
    assert connection.messages.handshakes == HANDSHAKES.of(pair)
    assert alerts == REFUSAL.of(pair)


REFUSED_AT_ONCE: Expectation[tuple[Outcome, Alert | None]] = Expectation(
    (ABORTED, Alert(40, Role.CLIENT)),
    Differs((FULL, None), Role.SERVER, "*@<3.0", date(2026, 11, 30), SINCE_3_0),
)


@scenario(versions=[TLSv1_2], needs=BY_CLIENT)
@openssl_chooses(Role.SERVER, "without a setting it renegotiates at no client's wish")
def test_refusal_before_any_data_aborts_the_connection(pair):
    live = pair.open()
    live.renegotiate(Role.CLIENT)
    connection = live.close()

    assert (connection.outcome, connection.alert) == REFUSED_AT_ONCE.of(pair)
    assert [alert.number for alert in connection.messages.alerts if alert.number] == REFUSAL.of(pair)


@scenario(versions=[TLSv1_2], needs={"client": [Capability.RENEGOTIATION, Capability.SESSION_COPY]})
@openssl_chooses(Role.SERVER, "without a setting it renegotiates at no client's wish")
def test_session_still_resumes_after_a_refused_renegotiation(pair):
    _, first = renegotiated(pair, Role.CLIENT)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.messages.handshakes == HANDSHAKES.of(pair)
    assert [alert.number for alert in first.messages.alerts if alert.number] == REFUSAL.of(pair)
    assert second.outcome is RESUMED
    assert second.from_cache is False


@scenario(versions=[TLSv1_2], server={"tickets": BOTH, "client_renegotiation": True}, needs=BY_CLIENT)
def test_session_of_a_full_renegotiation_is_another_and_both_resume(pair):
    live = pair.open()
    live.exchange()
    before = live.session()
    live.renegotiate(Role.CLIENT)
    first = live.close()
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=before)

    assert first.messages.handshakes == 2
    assert first.messages.types(Role.SERVER).count("Certificate") == 2
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets
    assert third.outcome is RESUMED
    assert third.from_cache is not pair.server_config.tickets
    assert second.messages.client_hello.session_id != third.messages.client_hello.session_id


@scenario(versions=[TLSv1_2], server={"tickets": BOTH}, needs=BY_SERVER | {"client": [Capability.OPENSSL_CHOICES]})
def test_session_of_an_abbreviated_renegotiation_resumes_elsewhere(pair):
    done, first = renegotiated(pair, Role.SERVER)
    second = pair.connect(offer=first.session)

    assert done
    assert first.outcome is FULL
    assert first.messages.handshakes == 2
    assert first.messages.types(Role.SERVER).count("Certificate") == 1
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets


EACH_HANDSHAKE = (
    "state_machine of 1.1.0 (ssl/statem/statem.c), ssl3_accept and ssl3_connect of 1.0.2: sess_accept and sess_connect "
    "count every handshake, and sess_accept_renegotiate a HelloRequest alone"
)
SEEN = date(2026, 11, 21)
ON_REQUEST = Expectation((1, 3, 2), Differs((2, 1, 2), Role.SERVER, "*@<1.1.1", SEEN, EACH_HANDSHAKE))
"""SSL_CTX_sess_number(3) says "the number of start renegotiations", and tls_setup_handshake counts three for one.

One as HelloRequest is sent and one as ClientHello comes, both in state_machine, as ``renegotiate`` is set until the
handshake ends; and one in ossl_statem_server_write_transition (TLS_ST_OK). A client's own counts once, by the last.
"""
OF_CLIENT_AT_SERVER = Expectation((1, 1, 2), Differs((2, 0, 2), Role.SERVER, "*@<1.1.1", SEEN, EACH_HANDSHAKE))
OF_CLIENT_AT_CLIENT = Expectation((1, 1, 2), Differs((2, 1, 2), Role.CLIENT, "*@<1.1.1", SEEN, EACH_HANDSHAKE))


@scenario(
    versions=[TLSv1_2],
    server={"tickets": BOTH},
    needs={"client": [Capability.OPENSSL_CHOICES], "server": [Capability.RENEGOTIATION, Capability.RUNNING_COUNTERS]},
)
def test_server_counts_a_renegotiation_and_its_hit_separately(pair):
    done, connection = renegotiated(pair, Role.SERVER)
    counted = pair.last_counters()

    assert done
    assert connection.outcome is FULL
    assert (counted.accept, counted.accept_renegotiate, counted.accept_good) == ON_REQUEST.of(pair)
    assert (counted.hits, counted.misses) == (1, 0)


@scenario(
    versions=[TLSv1_2],
    server={"tickets": BOTH},
    needs={
        "client": [Capability.OPENSSL_CHOICES],
        "server": [Capability.RENEGOTIATION, Capability.OPENSSL_CHOICES],
    },
)
def test_server_answers_point_formats_in_the_first_handshake(pair):
    done, connection = renegotiated(pair, Role.SERVER)
    answered = tuple(EC_POINT_FORMATS in hello.extensions for hello in connection.messages.server_hellos)

    assert done
    assert connection.outcome is FULL
    assert all(EC_POINT_FORMATS in hello.extensions for hello in connection.messages.client_hellos)
    assert connection.messages.types(Role.SERVER).count("Certificate") == 1
    assert answered == POINT_FORMATS_ANSWERED.of(pair)


@scenario(
    versions=[TLSv1_2],
    server={"client_renegotiation": True},
    needs={"client": [Capability.RENEGOTIATION], "server": [Capability.RUNNING_COUNTERS]},
)
def test_server_counts_a_clients_renegotiation_once(pair):
    done, connection = renegotiated(pair, Role.CLIENT)
    counted = pair.last_counters()

    assert done
    assert connection.outcome is FULL
    assert (counted.accept, counted.accept_renegotiate, counted.accept_good) == OF_CLIENT_AT_SERVER.of(pair)
    assert (counted.hits, counted.misses) == (0, 0)


@scenario(
    versions=[TLSv1_2],
    server={"client_renegotiation": True},
    needs={"client": [Capability.RENEGOTIATION, Capability.COUNTERS]},
)
def test_client_counts_its_renegotiation_apart_from_the_connection(pair):
    done, connection = renegotiated(pair, Role.CLIENT)
    counted = pair.client.counters()

    assert done
    assert connection.outcome is FULL
    assert (counted.connect, counted.connect_renegotiate, counted.connect_good) == OF_CLIENT_AT_CLIENT.of(pair)
    assert counted.hits == 0


@scenario(
    versions=[TLSv1_2],
    server={"tickets": False},
    needs={"client": [Capability.SESSION_FIELDS], "server": [Capability.RENEGOTIATION, Capability.REMOVE_SESSION]},
)
def test_server_that_has_lost_the_session_renegotiates_in_full(pair):
    live = pair.open()
    live.exchange()
    removed = pair.server.remove(live.session().session_id)
    done = live.renegotiate(Role.SERVER)
    connection = live.close()

    assert removed
    assert done
    assert connection.messages.types(Role.SERVER).count("Certificate") == 2


WRONG_SSL_VERSION = "reason=266 "
"""SSL_R_WRONG_SSL_VERSION of can_renegotiate (ssl/ssl_lib.c)."""


NOT_ASKED = (
    "s_client 3.6.5 and 4.0.3 print RENEGOTIATING and ERROR, and no error of the queue, where 3.5.7 also prints "
    "error:0A00010A:SSL routines:can_renegotiate:wrong ssl version; since 'SSL_renegotiate() and "
    "SSL_renegotiate_abbreviated() should only be called for connections that have negotiated TLSv1.2 or less', "
    "https://github.com/openssl/openssl/pull/29507"
)
WRONG_VERSIONS_SAID = Expectation(1, Differs(0, Role.CLIENT, "openssl@>=3.6", date(2026, 11, 21), NOT_ASKED))


@scenario(versions=[TLSv1_3], needs=BY_CLIENT)
def test_tls13_has_no_renegotiation(pair):
    done, connection = renegotiated(pair, Role.CLIENT)

    assert not done
    assert connection.messages.handshakes == 1
    assert sum(WRONG_SSL_VERSION in error for error in connection.client.errors) == WRONG_VERSIONS_SAID.of(pair)


AES_128, AES_256 = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"
ILLEGAL_PARAMETER = 47
CIPHER_MISSING = "reason=215 "
"""SSL_R_REQUIRED_CIPHER_MISSING: a server resumes with the session's cipher alone (RFC 5246, 7.4.1.3)."""
CHANGES = {"client": [Capability.CHANGED_RENEGOTIATION]}


@scenario(
    versions=[TLSv1_2],
    client={"ciphers": AES_128},
    server={"tickets": BOTH, "client_renegotiation": True},
    needs=CHANGES,
)
def test_client_renegotiates_with_another_cipher_and_its_session_resumes(pair):
    live = pair.open()
    live.exchange()
    done = live.renegotiate(Role.CLIENT, ciphers=AES_256)
    first = live.close()
    pair.new_client(ciphers=f"{AES_256}:{AES_128}")
    second = pair.connect(offer=first.session)

    before, after = first.messages.server_hellos
    assert done
    assert first.outcome is FULL
    assert (before.cipher_suite, after.cipher_suite) == (0xC02B, 0xC02C)
    assert first.client.cipher == AES_256
    assert second.outcome is RESUMED
    assert second.from_cache is not pair.server_config.tickets
    assert second.messages.server_hello.cipher_suite == after.cipher_suite


@scenario(
    versions=[TLSv1_2],
    client={"ciphers": AES_128},
    server={"tickets": BOTH, "client_renegotiation": True},
    needs=CHANGES,
)
def test_abbreviated_renegotiation_without_the_sessions_cipher_is_refused(pair):
    live = pair.open()
    live.exchange()
    done = live.renegotiate(Role.CLIENT, abbreviated=True, ciphers=AES_256)
    first = live.close()

    assert not done
    assert first.messages.client_hellos[1].session_id != b""
    assert first.messages.alerts[0] == Alert(ILLEGAL_PARAMETER, Role.SERVER)
    assert any(CIPHER_MISSING in error for error in first.server.errors)
