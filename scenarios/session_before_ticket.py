"""A TLS 1.3 session taken before the client reads the first ticket cannot be resumed (SSL_get_session(3), NOTES).

RFC 8446, 4.6.1: the ticket comes after the handshake. In TLS 1.2 it is part of the handshake (RFC 5077, 3.1 and 3.3).
"""

from harness import FULL, RESUMED, Capability, TLSv1_2, TLSv1_3, scenario

EARLY = {"client": [Capability.SESSION_BEFORE_TICKET, Capability.SESSION_FIELDS]}
EARLY_AND_RESUMABLE = {"client": [Capability.SESSION_BEFORE_TICKET, Capability.RESUMABLE]}

pytestmark = scenario(versions=[TLSv1_3], needs=EARLY)


def test_session_before_the_first_ticket_has_none_and_is_not_offered(pair):
    live = pair.open()
    early = live.session()
    live.exchange()
    first = live.close()
    second = pair.connect(offer=early)

    assert first.outcome is FULL
    assert second.offered is not None
    assert first.tickets == pair.server_default("tickets")
    assert early.has_ticket is False
    assert second.outcome is FULL
    assert second.was_offered is False
    assert second.messages.client_hello.psk_identities == ()


@scenario(versions=[TLSv1_3], needs={"client": [Capability.SESSION_FIELDS]})
def test_session_after_the_tickets_were_read_resumes(pair):
    live = pair.open()
    live.exchange()
    late = live.session()
    first = live.close()
    second = pair.connect(offer=late)

    assert first.outcome is FULL
    assert late.has_ticket is True
    assert second.outcome is RESUMED


@scenario(versions=[TLSv1_3], needs=EARLY_AND_RESUMABLE)
def test_session_becomes_resumable_with_its_ticket(pair):
    live = pair.open()
    early = live.session()
    live.exchange()
    late = live.session()
    first = live.close()

    assert first.outcome is FULL
    assert early.resumable is False
    assert late.resumable is True


def test_session_before_the_ticket_of_a_resumption_is_the_offered_one(pair):
    first = pair.connect()
    live = pair.open(offer=first.session)
    early = live.session()
    live.exchange()
    second = live.close()
    third = pair.connect(offer=early)

    assert second.outcome is RESUMED
    assert second.tickets == pair.server_default("tickets_after_resumption")
    assert early.has_ticket is True
    assert third.outcome is RESUMED
    assert third.messages.client_hello.psk_identities == (first.messages.tickets[-1].ticket,)


@scenario(versions=[TLSv1_2], needs=EARLY)
def test_tls12_session_has_its_ticket_before_anything_is_read(pair):
    live = pair.open()
    early = live.session()
    first = live.close()
    second = pair.connect(offer=early)

    assert first.outcome is FULL
    assert early.has_ticket is True
    assert second.outcome is RESUMED
    assert second.from_cache is False


@scenario(versions=[TLSv1_2], client={"tickets": False}, needs=EARLY)
def test_tls12_session_has_its_id_before_anything_is_read(pair):
    live = pair.open()
    early = live.session()
    first = live.close()
    second = pair.connect(offer=early)

    assert first.outcome is FULL
    assert early.session_id == first.messages.server_hello.session_id
    assert second.outcome is RESUMED
    assert second.from_cache is True
