"""Client programs offer what a server gives them, and go on after a decline (RFC 8446, 2.2; RFC 5246, 7.3).

Two witnesses judge, the server and the wire: the programs report nothing. What is not installed is UNSUPPORTED.
gnutls-cli may leave before a ticket of TLS 1.3 has come; with --waitresumption it waits for one, and for ever.
"""

from harness import DECLINED, FULL, RESUMED, Mechanism, Reason, TLSv1_2, TLSv1_3, reasons, scenario

PROGRAMS = ["curl", "gnutls-cli-waits"]

pytestmark = scenario(programs=PROGRAMS)


@scenario(programs=PROGRAMS, versions=[TLSv1_2])
def test_it_offers_a_session_id(client_program):
    first, *later = client_program.run(tickets=False)

    assert first.outcome is FULL
    assert {one.outcome for one in later} == {RESUMED}
    assert {one.mechanism for one in later} == {Mechanism.SESSION_ID}


@scenario(programs=PROGRAMS, versions=[TLSv1_3])
def test_it_offers_a_ticket(client_program):
    first, *later = client_program.run()

    assert first.outcome is FULL
    assert {one.outcome for one in later} == {RESUMED}
    assert {one.mechanism for one in later} == {Mechanism.PSK}


@scenario(programs=["curl", "gnutls-cli"], versions=[TLSv1_3])
def test_it_offers_nothing_if_it_gets_nothing(client_program):
    first, *later = client_program.run(num_tickets=0)

    assert first.outcome is FULL
    assert {one.outcome for one in later} == {FULL}


def unknown_to_new_server(connection):
    """What a new server lacks: the key of the offered ticket, or the session itself (curl offers no TLS 1.2 ticket)."""
    hello = connection.messages.client_hello
    return Reason.TICKET_KEY_UNKNOWN if hello.psk_identities or hello.session_ticket else Reason.NOT_IN_CACHE


def test_it_goes_on_after_a_decline(client_program):
    first, *later = client_program.run(restarts=True)

    assert first.outcome is FULL
    assert {one.outcome for one in later} == {DECLINED}
    assert [reasons(client_program, one) for one in later] == [(unknown_to_new_server(one),) for one in later]
