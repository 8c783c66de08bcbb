"""A server of DTLS asks for a cookie, and looks at the offered session when it comes back (RFC 6347, 4.2.1)."""

from harness import ABORTED, FULL, RESUMED, Alert, Cookie, DTLSv1_2, Mechanism, Reason, Role, reasons, scenario

HANDSHAKE_FAILURE = 40


def asks(connection):
    """Whether the server asks for a cookie and gets it.

    Each end's own order counts: DTLSv1_listen answers the first fragment of a hello, and pyOpenSSL sends a long one in
    two, as its BIO_s_socket knows no MTU.
    """
    sent = {role: connection.messages.types(role)[:2] for role in Role}
    return sent == {Role.CLIENT: ("ClientHello", "ClientHello"), Role.SERVER: ("HelloVerifyRequest", "ServerHello")}


@scenario(versions=[DTLSv1_2], server={"cookie": [Cookie.ACCEPT, Cookie.LISTEN], "tickets": [True, False]})
def test_session_is_offered_again_with_the_cookie_and_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    asked, answered = second.messages.client_hellos
    by = Mechanism.SESSION_TICKET if first.tickets else Mechanism.SESSION_ID
    assert first.outcome is FULL
    assert asks(first)
    assert second.outcome is RESUMED
    assert second.mechanism is by
    assert asks(second)
    assert (asked.cookie, len(answered.cookie)) == (b"", 20)
    assert asked.session_id == answered.session_id
    assert asked.session_ticket == answered.session_ticket


@scenario(versions=[DTLSv1_2], server={"cookie": Cookie.NONE})
def test_server_that_asks_for_no_cookie_answers_at_once(pair):
    first = pair.connect()

    assert first.outcome is FULL
    assert first.messages.types()[:2] == ("ClientHello", "ServerHello")
    assert first.messages.client_hello.cookie == b""


@scenario(versions=[DTLSv1_2])
def test_cookie_that_the_server_refuses_aborts_a_resumption(pair):
    first = pair.connect()
    pair.new_server(cookie=Cookie.REFUSE)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is ABORTED
    assert second.alert == Alert(HANDSHAKE_FAILURE, Role.SERVER)
    assert reasons(pair, second) == (Reason.EXTENSION_REJECTED,)


@scenario(versions=[DTLSv1_2], server={"cookie": [Cookie.ACCEPT, Cookie.LISTEN]})
def test_server_that_keeps_nothing_answers_each_hello_without_a_cookie(pair):
    """DTLSv1_listen(3) has no state, in which SSL_accept drops the repeated hello; the session resumes with both."""
    first = pair.connect()
    pair.tamper("repeat", Role.CLIENT, "flight", 1)
    second = pair.connect(offer=first.session)

    listens = pair.server_config.cookie is Cookie.LISTEN
    asked = [kind for kind in second.messages.types(Role.SERVER) if "HelloVerifyRequest" in kind]
    assert first.outcome is FULL
    assert second.tampered == ("the tap repeated flight 1 of the client",)
    assert len(asked) == 1 + listens
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.SESSION_TICKET
