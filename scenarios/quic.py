"""A ticket of TLS 1.3 resumes over QUIC, whose handshake is that of TLS 1.3 (RFC 9001, 4.5; RFC 8446, 2.2).

SSL_free drops the session that a connection holds, unless SSL_shutdown came first (ssl_clear_bad_session), as over TCP.
"""

from harness import (
    ABORTED,
    DECLINED,
    FULL,
    RESUMED,
    Alert,
    Capability,
    Close,
    Mechanism,
    QUICv1,
    Reason,
    Role,
    TLSv1_3,
    cases,
    reasons,
    scenario,
)

pytestmark = scenario(versions=[QUICv1])

NO_APPLICATION_PROTOCOL = 120


def test_ticket_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.tickets == pair.server_default("tickets")
    assert first.session.version is TLSv1_3
    assert [end.version for end in (first.client, first.server)] == [QUICv1, QUICv1]
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.PSK
    assert second.tickets == pair.server_default("tickets_after_resumption")
    assert second.messages.client_hello.psk_identities == (first.session.ticket,)


def test_no_offer_makes_a_full_handshake(pair):
    first = pair.connect()
    second = pair.connect()

    assert first.outcome is FULL
    assert second.outcome is FULL
    assert second.messages.client_hello.psk_identities == ()


def test_ticket_of_other_keys_is_declined_and_replaced(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)
    third = pair.connect(offer=second.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert Reason.TICKET_KEY_UNKNOWN in reasons(pair, second)
    assert second.tickets == pair.server_default("tickets")
    assert third.outcome is RESUMED
    assert third.mechanism is Mechanism.PSK


@scenario(versions=[QUICv1], server={"ticket_keys": "shared"})
def test_ticket_of_shared_keys_resumes_at_another_server(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.PSK


@scenario(versions=[QUICv1], server={"num_tickets": 0}, needs={"client": [Capability.SESSION_BEFORE_TICKET]})
def test_session_without_a_ticket_is_not_offered(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert first.tickets == 0
    assert second.offered is first.session
    assert Reason.NO_TICKET_SENT in reasons(pair, second)
    assert second.outcome is FULL


@scenario(versions=[QUICv1], server={"tickets": False})
def test_session_in_the_cache_resumes_while_its_connection_is_open(pair):
    live = pair.open()
    live.exchange()
    second = pair.connect(offer=live.session())
    first = live.close()

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True


@scenario(versions=[QUICv1], server={"tickets": False})
def test_session_in_the_cache_survives_a_shutdown(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is True


@scenario(
    versions=[QUICv1],
    server={"tickets": False},
    needs={"client": [Capability.EVERY_TICKET]},
    close=Close.CLIENT_ONLY,
)
def test_server_that_frees_its_connection_loses_the_session(pair):
    first = pair.connect()
    last = pair.connect(offer=first.session)
    earlier = pair.connect(offer=first.sessions[0])

    assert first.outcome is FULL
    assert last.outcome is DECLINED
    assert Reason.NOT_IN_CACHE in reasons(pair, last)
    assert earlier.outcome is RESUMED
    assert earlier.from_cache is True


@scenario(versions=[QUICv1], client={"alpn": ("h3",)})
def test_client_of_another_protocol_is_refused(pair):
    only = pair.connect(presume_full=False)

    assert only.outcome is ABORTED
    assert only.alert == Alert(NO_APPLICATION_PROTOCOL, Role.SERVER)
    assert Reason.NO_COMMON_ALPN in reasons(pair, only)


@cases(
    "what, part, sender, which",
    ("drop", None, Role.CLIENT, 1),
    ("drop", None, Role.SERVER, 2),
    ("edit", "last_byte", Role.SERVER, 1),
    ("edit", "last_byte", Role.CLIENT, 2),
)
def test_datagram_that_is_lost_or_damaged_comes_again(pair, what, part, sender, which):
    first = pair.connect()
    pair.tamper(what, sender, "datagram", which, part=part)
    second = pair.connect(offer=first.session)

    done = "dropped" if what == "drop" else "changed last_byte of"
    assert first.outcome is FULL
    assert second.tampered == (f"the tap {done} datagram {which} of the {sender}",)
    assert second.outcome is RESUMED
    assert second.mechanism is Mechanism.PSK


@cases("sender", Role.CLIENT, Role.SERVER)
def test_datagram_that_comes_twice_changes_nothing(pair, sender):
    first = pair.connect()
    pair.tamper("repeat", sender, "datagram", 2)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.tampered == (f"the tap repeated datagram 2 of the {sender}",)
    assert second.mechanism is Mechanism.PSK
    assert second.tickets == pair.server_default("tickets_after_resumption")
