"""Why a ticket does not resume: unknown key, damage or expiry, each recognised and given as the only reason.

RFC 5077, 4 (the recommended ticket starts with the name of its key) and 5.6; RFC 8446, 4.6.1; OpenSSL's
tls_decrypt_ticket and ssl_get_prev_session. A server treats a ticket that it cannot read as none, and does not count
it.
"""

from datetime import date

from harness import (
    DECLINED,
    FULL,
    RESUMED,
    Capability,
    Differs,
    Expectation,
    Reason,
    Role,
    TLSv1_3,
    cases,
    damaged,
    edited,
    openssl_chooses,
    reasons,
    scenario,
)

LIFETIME = 7200
"""Seconds, the default (SSL_CTX_set_timeout(3))."""

REFUSED = (DECLINED, (Reason.TICKET_DAMAGED,))
PADDED = Differs(
    (RESUMED, ()),
    Role.SERVER,
    "wolfssl@<=5.5.4",
    date(2026, 11, 30),
    "DefTicketEncCb of wolfSSL 5.5.4 writes a tag of 16 bytes into the 32 of WOLFSSL_TICKET_MAC_SZ: the ticket ends "
    "with the other 16, which are zeros that nothing covers",
)
FLIPPED = {at: Expectation(REFUSED, *([PADDED] if at == -1 else [])) for at in (0, 16, 40, -1)}
"""The outcome and the reasons, by the place of the byte."""

EDITS = {"client": [Capability.SESSION_DATA, Capability.SESSION_IMPORT]}


@scenario()
def test_ticket_of_a_server_that_was_restarted_has_an_unknown_key(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_KEY_UNKNOWN,)


@scenario(server={"ticket_keys": "monday"})
def test_ticket_has_an_unknown_key_after_the_keys_were_rotated(pair):
    first = pair.connect()
    pair.new_server(ticket_keys="tuesday")
    second = pair.connect(offer=first.session)
    pair.new_server(ticket_keys="monday")
    third = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_KEY_UNKNOWN,)
    assert third.outcome is RESUMED
    assert third.from_cache is False


@scenario(server={"ticket_keys": "shared"})
def test_ticket_resumes_after_a_restart_with_the_same_keys(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.setup.server_context != first.setup.server_context
    assert second.outcome is RESUMED
    assert second.from_cache is False


@scenario(versions=[TLSv1_3])
def test_key_is_unknown_although_the_other_server_issues_no_ticket(pair):
    first = pair.connect()
    pair.new_server(num_tickets=0)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.tickets == 0
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_KEY_UNKNOWN,)


@scenario(versions=[TLSv1_3])
def test_handle_of_a_cached_session_has_an_unknown_key_for_other_servers(pair):
    pair.new_server(tickets=False)
    first = pair.connect()
    pair.new_server(tickets=True)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert {len(ticket.ticket) for ticket in first.messages.tickets} == {32}
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_KEY_UNKNOWN,)


@cases("at", *FLIPPED)
@scenario(needs=EDITS)
def test_ticket_is_damaged_wherever_one_bit_is_flipped(pair, at):
    first = pair.connect()
    second = pair.connect(offer=damaged(first.session, at))

    assert first.outcome is FULL
    assert (second.outcome, reasons(pair, second)) == FLIPPED[at].of(pair)


@scenario(needs=EDITS)
def test_ticket_that_was_cut_off_is_damaged(pair):
    first = pair.connect()
    second = pair.connect(offer=edited(first.session, ticket=first.session.ticket[:-1]))

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_DAMAGED,)


@scenario(needs=EDITS)
def test_ticket_that_was_re_encoded_unchanged_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=edited(first.session, ticket=first.session.ticket))

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False


@scenario(needs=EDITS)
@openssl_chooses(Role.SERVER, "a ticket begins with the name of its key")
def test_ticket_that_is_damaged_and_of_an_unknown_key_has_both_reasons(pair):
    first = pair.connect()
    pair.new_server()
    second = pair.connect(offer=damaged(first.session))

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.TICKET_KEY_UNKNOWN, Reason.TICKET_DAMAGED)


@scenario(server={"clock": 0})
@openssl_chooses(Role.SERVER, "a lifetime of 7200 seconds")
def test_ticket_has_expired_by_the_servers_clock(pair):
    first = pair.connect()
    pair.server.move_clock(LIFETIME + 60)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.EXPIRED_AT_SERVER,)


@scenario(server={"clock": 0, "timeout": LIFETIME})
def test_ticket_resumes_before_it_expires(pair):
    first = pair.connect()
    pair.server.move_clock(LIFETIME - 60)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
    assert second.from_cache is False


@scenario(server={"clock": 0, "timeout": 100})
def test_ticket_has_expired_by_the_servers_own_timeout(pair):
    first = pair.connect()
    pair.server.move_clock(160)
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.EXPIRED_AT_SERVER,)


@scenario(needs={"server": [Capability.AGE_SERVER_SESSION]})
@openssl_chooses(Role.SERVER, "a lifetime of 7200 seconds")
def test_ticket_that_the_server_issued_as_an_old_one_has_expired(pair):
    pair.server.age_sessions(LIFETIME + 60)
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is DECLINED
    assert reasons(pair, second) == (Reason.EXPIRED_AT_SERVER,)
