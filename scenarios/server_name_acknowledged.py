"""A server acknowledges server_name in a full handshake; in TLS 1.2 not in a resumption. What both ends then report.

RFC 6066, 3: a server that resumes must not include server_name in its ServerHello. RFC 8446, 4.2: in TLS 1.3 it is in
EncryptedExtensions, also of a resumption (tls_construct_stoc_server_name). SSL_get_servername(3): in TLS 1.2 a resumed
connection reports the session's name, in TLS 1.3 the one that was sent now.
"""

from datetime import date

from harness import (
    BOTH,
    FULL,
    Capability,
    Differs,
    Expectation,
    Mechanism,
    Role,
    TLSv1_2,
    TLSv1_3,
    broken_by,
    cases,
    openssl_chooses,
    scenario,
)

NAME, OTHER = "server.example", "other.example"
NAMED = {"server_name": NAME}
EITHER_WAY = {"tickets": BOTH}
SERVER_NAME = 0
"""The extension's number."""
NEEDED = {"client": [Capability.SERVER_NAME, Capability.SESSION_IMPORT], "server": [Capability.SERVER_NAME]}

SEEN = date(2026, 11, 29)
SENT_NAME = "SSL_get_servername before 1.1.1 (ssl/ssl_lib.c) prefers the name that was set to the session's"
SESSIONS_NAME = (
    "SSL_get_servername of 1.1.1 to 1.1.1d prefers the session's name in every resumption; a server of TLS 1.3 has "
    "overwritten that by the name that it takes now: https://github.com/openssl/openssl/pull/10018"
)
SENT_ONCE = (
    "tls_construct_stoc_server_name before 1.1.1e sends none in a resumption of TLS 1.3 either: "
    "https://github.com/openssl/openssl/pull/10018"
)
AT_CLIENT = Expectation(NAME, Differs(OTHER, Role.CLIENT, "*@<1.1.1", SEEN, SENT_NAME))
OLD_CLIENT = (Role.CLIENT, "*@>=1.1.1,<1.1.1e", SEEN, SESSIONS_NAME)
OLD_SERVER = (Role.SERVER, "*@>=1.1.1,<1.1.1e", SEEN, SESSIONS_NAME)
AGAIN = Expectation(True, Differs(False, Role.SERVER, "*@<1.1.1e", SEEN, SENT_ONCE))  # noqa: FBT003 - what is expected
UNNAMED: Expectation[str | None] = Expectation(None)
OTHER_AT_CLIENT: Expectation[str | None] = Expectation(OTHER, Differs(None, *OLD_CLIENT))
OTHER_AT_SERVER: Expectation[str | None] = Expectation(OTHER, Differs(None, *OLD_SERVER))
NAME_AT_CLIENT = Expectation(OTHER, Differs(NAME, *OLD_CLIENT))
NONE_AT_CLIENT: Expectation[str | None] = Expectation(None, Differs(NAME, *OLD_CLIENT))
NONE_AT_SERVER: Expectation[str | None] = Expectation(None, Differs(NAME, *OLD_SERVER))
NAME_NOT_COMPARED = "a server looks up a session by its ticket or id, and by no name (ssl_get_prev_session)"
NAME_NOT_CHECKED = (
    "tls_construct_ctos_psk looks at hash and age, and at no name: SSL_set_session is the application's choice"
)
NOT_COMPARED = {"other_name_not_resumed": broken_by(Role.SERVER, "*", SEEN, NAME_NOT_COMPARED, tls=TLSv1_2)}
NOT_CHECKED = {
    "name_in_certificate": [
        broken_by(Role.CLIENT, builds, SEEN, NAME_NOT_CHECKED, tls=TLSv1_3) for builds in ("*", "node")
    ]
}


def acknowledged(connection):
    """Whether ServerHello or EncryptedExtensions has server_name."""
    messages = connection.messages
    shown = [m.fields["extensions"] for m in messages.messages if m.type == "EncryptedExtensions"]
    return SERVER_NAME in messages.server_hello.extensions or any("server_name" in text for text in shown)


@scenario(versions=[TLSv1_2], client=NAMED, server=EITHER_WAY)
def test_tls12_server_acknowledges_it_in_the_full_handshake_alone(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism in {Mechanism.SESSION_ID, Mechanism.SESSION_TICKET}
    assert [c.messages.client_hello.server_name for c in (first, second)] == [NAME, NAME]
    assert acknowledged(second) is False


@scenario(versions=[TLSv1_2], client=NAMED, server=EITHER_WAY, needs={"server": [Capability.SERVER_NAME]})
@openssl_chooses(Role.SERVER, "it acknowledges each name that it takes")
def test_tls12_server_that_takes_the_name_acknowledges_it(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert acknowledged(first) is True
    assert second.mechanism is not None
    assert acknowledged(second) is False


@scenario(versions=[TLSv1_3], client=NAMED, server=EITHER_WAY, needs={"server": [Capability.SERVER_NAME]})
@openssl_chooses(Role.SERVER, "it acknowledges each name that it takes")
def test_tls13_server_acknowledges_it_in_the_resumption_too(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert acknowledged(first) is True
    assert acknowledged(second) is AGAIN.of(pair)


@scenario(server=EITHER_WAY)
def test_server_acknowledges_nothing_that_was_not_sent(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism is not None
    assert [c.messages.client_hello.server_name for c in (first, second)] == [None, None]
    assert [acknowledged(c) for c in (first, second)] == [False, False]


@scenario(client=NAMED, server=EITHER_WAY, needs=NEEDED)
@openssl_chooses(Role.SERVER, "a resumed connection has the session's name")
def test_both_ends_report_the_name_of_the_full_handshake(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert (first.client.server_name, first.server.server_name) == (NAME, NAME)
    assert second.mechanism is not None
    assert (second.client.server_name, second.server.server_name) == (NAME, NAME)


@scenario(versions=[TLSv1_2], client=NAMED, server=EITHER_WAY, needs=NEEDED, breaks=NOT_COMPARED)
@openssl_chooses(Role.SERVER, "a resumed connection has the session's name")
def test_tls12_resumption_under_another_name_reports_the_sessions(pair):
    first = pair.connect()
    pair.new_client(server_name=OTHER)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism in {Mechanism.SESSION_ID, Mechanism.SESSION_TICKET}
    assert second.messages.client_hello.server_name == OTHER
    assert second.client.server_name == AT_CLIENT.of(pair)
    assert second.server.server_name == NAME
    assert acknowledged(second) is False


@scenario(versions=[TLSv1_2], server=EITHER_WAY, needs=NEEDED)
@openssl_chooses(Role.SERVER, "a resumed connection has the session's name")
def test_tls12_server_has_no_name_where_the_session_has_none(pair):
    first = pair.connect()
    pair.new_client(server_name=OTHER)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.mechanism in {Mechanism.SESSION_ID, Mechanism.SESSION_TICKET}
    assert second.messages.client_hello.server_name == OTHER
    assert second.client.server_name == OTHER_AT_CLIENT.of(pair)
    assert second.server.server_name is None


def resumed_under(pair, later):
    """A full handshake under the client's name, and a resumption under another, or under none."""
    first = pair.connect()
    pair.new_client(server_name=later)
    return first, pair.connect(offer=first.session)


@scenario(versions=[TLSv1_3], server=EITHER_WAY, needs=NEEDED)
@cases("later, at_client, at_server", (OTHER, OTHER_AT_CLIENT, OTHER_AT_SERVER), (None, UNNAMED, UNNAMED))
@openssl_chooses(Role.SERVER, "it acknowledges each name that it takes")
def test_tls13_resumption_of_a_session_without_a_name_reports_its_own(pair, later, at_client, at_server):
    first, second = resumed_under(pair, later)

    assert first.outcome is FULL
    assert first.messages.client_hello.server_name is None
    assert second.mechanism is Mechanism.PSK
    assert second.messages.client_hello.server_name == later
    assert second.client.server_name == at_client.of(pair)
    assert second.server.server_name == at_server.of(pair)
    assert acknowledged(second) is (later is not None and AGAIN.of(pair))


@scenario(versions=[TLSv1_3], client=NAMED, server=EITHER_WAY, needs=NEEDED)
def test_tls13_resumption_without_a_name_reports_none(pair):
    first, second = resumed_under(pair, None)

    assert first.outcome is FULL
    assert first.messages.client_hello.server_name == NAME
    assert second.mechanism is Mechanism.PSK
    assert second.client.server_name == NONE_AT_CLIENT.of(pair)
    assert second.server.server_name == NONE_AT_SERVER.of(pair)
    assert acknowledged(second) is False


@scenario(versions=[TLSv1_3], client=NAMED, server=EITHER_WAY, needs=NEEDED, breaks=NOT_CHECKED)
@openssl_chooses(Role.SERVER, "it acknowledges each name that it takes")
def test_tls13_resumption_reports_the_name_that_was_sent_now(pair):
    first, second = resumed_under(pair, OTHER)

    assert first.outcome is FULL
    assert second.mechanism is Mechanism.PSK
    assert second.client.server_name == NAME_AT_CLIENT.of(pair)
    assert second.server.server_name == OTHER
    assert acknowledged(second) is AGAIN.of(pair)
