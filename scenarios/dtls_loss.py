"""A flight of DTLS that is lost, doubled or out of order is sent again, and costs no resumption (RFC 6347, 4.2.4)."""

from harness import FULL, RESUMED, Capability, DTLSv1_2, Mechanism, Role, cases, scenario

FAST = {"retransmit_after": 40}
AGAIN = "retransmitted "

pytestmark = scenario(versions=[DTLSv1_2], client=FAST, server=FAST)


@cases("sender, flight", (Role.SERVER, 1), (Role.CLIENT, 2), (Role.SERVER, 2))
def test_full_handshake_loses_a_flight(pair, sender, flight):
    pair.tamper("drop", sender, "flight", flight)
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.tampered == (f"the tap dropped flight {flight} of the {sender}",)
    assert first.outcome is FULL
    assert first.tickets == 1
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.SESSION_TICKET


def test_resumption_loses_the_answer_to_its_hello(pair):
    first = pair.connect()
    pair.tamper("drop", "server", "flight")
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.tampered == ("the tap dropped flight 1 of the server",)
    assert AGAIN + "ClientHello" in second.messages.types(Role.CLIENT)
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.SESSION_TICKET


def test_nothing_is_sent_again_where_nothing_is_lost(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.SESSION_TICKET
    assert not first.tampered
    assert not second.tampered


def test_ticket_that_is_lost_comes_again(pair):
    pair.tamper("drop", "server", "NewSessionTicket")
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.tampered == ("the tap dropped NewSessionTicket 1 of the server",)
    assert AGAIN + "Finished" in first.messages.types(Role.CLIENT)
    assert first.outcome is FULL
    assert first.tickets == 1
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.SESSION_TICKET


@cases("sender, flight", (Role.SERVER, 1), (Role.CLIENT, 2))
def test_flight_comes_in_reverse_order(pair, sender, flight):
    pair.tamper("reverse", sender, "flight", flight)
    first = pair.connect()
    pair.tamper("reverse", sender, "flight", flight)
    second = pair.connect(offer=first.session)

    assert first.tampered == second.tampered == (f"the tap reversed flight {flight} of the {sender}",)
    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.SESSION_TICKET


@cases("sender, flight", (Role.SERVER, 1), (Role.CLIENT, 2))
def test_flight_comes_twice(pair, sender, flight):
    pair.tamper("repeat", sender, "flight", flight)
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.tampered == (f"the tap repeated flight {flight} of the {sender}",)
    assert any(kind.startswith(AGAIN) for kind in first.messages.types(sender))
    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.SESSION_TICKET


@scenario(
    versions=[DTLSv1_2],
    client=FAST,
    server={**FAST, "tickets": False},
    needs={"client": [Capability.SESSION_DATA]},
)
def test_server_hello_that_is_late_resumes_all_the_same(pair):
    first = pair.connect()
    pair.tamper("hold", "server", "ServerHello")
    live = pair.open(offer=first.session)
    live.await_held()
    live.release()
    live.handshake()
    live.exchange()
    second = live.close()

    assert first.outcome is FULL
    assert second.tampered == ("the tap held ServerHello 1 of the server",)
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.SESSION_ID
