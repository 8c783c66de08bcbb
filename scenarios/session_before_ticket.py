"""A TLS 1.3 session taken before the client reads the first ticket cannot be resumed (SSL_get_session(3), NOTES).

RFC 8446, 4.6.1: the ticket comes after the handshake. In TLS 1.2 it is part of the handshake (RFC 5077, 3.1 and 3.3).
"""

from datetime import date

from harness import (
    FULL,
    RESUMED,
    Capability,
    Differs,
    Expectation,
    Role,
    TLSv1_2,
    TLSv1_3,
    openssl_chooses,
    scenario,
)

EARLY = {"client": [Capability.SESSION_BEFORE_TICKET, Capability.SESSION_FIELDS]}
EARLY_AND_RESUMABLE = {"client": [Capability.SESSION_BEFORE_TICKET, Capability.RESUMABLE]}

WRITES_LATER = (
    "https://github.com/openssl/openssl/issues/10210: a session that others hold is not written to; measured: 1.1.1d "
    "has the connection's master secret in it, 1.1.1g nothing (tls13_generate_master_secret writes s->master_secret)"
)
MASTER_KEY_LENGTH = Expectation(0, Differs(48, Role.CLIENT, "*@<1.1.1e", date(2026, 11, 30), WRITES_LATER))

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


@scenario(versions=[TLSv1_3], needs={"client": [Capability.SESSION_BEFORE_TICKET, Capability.SESSION_DATA]})
@openssl_chooses(Role.SERVER, "a TLS 1.3 suite with SHA-384 if the client has one")
def test_session_has_no_secret_before_its_ticket(pair):
    live = pair.open()
    early = live.session()
    live.exchange()
    late = live.session()
    first = live.close()

    assert first.outcome is FULL
    assert early.master_key_length == MASTER_KEY_LENGTH.of(pair)
    assert late.master_key_length == 48


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
