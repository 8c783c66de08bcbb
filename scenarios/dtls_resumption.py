"""DTLS resumes by a session id and by a ticket, as TLS 1.2 does, over datagrams (RFC 6347, 4.2; RFC 5077)."""

from harness import DECLINED, FULL, RESUMED, Capability, DTLSv1, DTLSv1_2, Mechanism, Reason, reasons, scenario

pytestmark = scenario(versions=[DTLSv1_2])


@scenario(versions=[DTLSv1, DTLSv1_2])
def test_ticket_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.tickets == 1
    assert first.session.version is pair.tls
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.SESSION_TICKET


@scenario(versions=[DTLSv1, DTLSv1_2], server={"tickets": False})
def test_session_id_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.tickets == 0
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.SESSION_ID
    assert second.messages.server_hello.session_id == first.messages.server_hello.session_id


def test_ticket_of_other_keys_is_declined_and_replaced(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=second.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert Reason.TICKET_KEY_UNKNOWN in reasons(pair, second)
    assert second.tickets == 1
    assert third.outcome is RESUMED
    assert third.mechanism is Mechanism.SESSION_TICKET


@scenario(versions=[DTLSv1_2], server={"tickets": False})
def test_session_of_another_server_is_declined(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert Reason.NOT_IN_CACHE in reasons(pair, second)
    assert second.messages.client_hello.session_id == first.messages.server_hello.session_id


@scenario(versions=[DTLSv1_2], server={"tickets": False}, needs={"server": [Capability.REMOVE_SESSION]})
def test_session_that_was_removed_is_declined(pair):
    first = pair.connect()
    removed = pair.server.remove(first.session.session_id)
    second = pair.connect(offer=first.session)

    assert removed is True
    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert Reason.NOT_IN_CACHE in reasons(pair, second)


@scenario(
    versions=[DTLSv1_2],
    client={"versions": [(DTLSv1, DTLSv1_2)]},
    server={"versions": [(DTLSv1, DTLSv1_2)]},
    needs={"client": [Capability.SESSION_IMPORT]},
)
def test_session_of_dtls12_is_declined_by_a_server_of_dtls10(pair):
    first = pair.connect()
    pair.new_server(versions=(DTLSv1,))
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.session.version is DTLSv1_2
    assert second.outcome is DECLINED
    assert Reason.VERSION_DIFFERS in reasons(pair, second)
    assert second.messages.server_hello.version is DTLSv1
