"""One connection reads as its golden text, and reading it does not count as an assert that looked at it."""

from __future__ import annotations

import pytest

from harness.model.session import Session
from harness.model.tls import Close
from harness.model.transcript import Transcript
from harness.model.view import Saw, View, Witness
from harness.report.text.connection_text import connection_text
from harness.report.text.witnesses_text import disagreement_text, outcome_line, witnesses_text
from harness.tests.made.connections import SESSION, aborted, connection, disagreeing

RESUMED = """\
Connection 2 of 2: resumed by psk
  client  openssl@3.0.19       resumed   Reused, TLSv1.3
  server  pyopenssl@4.0.3      resumed   SSL_session_reused() == 1
  wire                         resumed   pre_shared_key in ServerHello
  offered session 0001020304050607… taken by openssl@3.0.19 from pyopenssl@4.0.3
  tickets 1
  close   both
  session
    version                   TLSv1.3
    cipher                    0x1302  TLS_AES_256_GCM_SHA384
    session_id                32 bytes  000102030405060708090a0b0c0d0e0f10111213…
    time                      1795294686  2026-11-21T20:58:06Z
    timeout                   7200 s, until 2026-11-21T22:58:06Z
    peer_certificate          empty
    verify_result             21  X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE
    server_name               server.example
    has_ticket                yes
    ticket                    208 bytes  abababababababababababababababababababab…
    ticket_length             208 bytes
    alpn                      2 bytes  6832  "h2"
    kex_group                 29  x25519
    unknown: protocol, session_id_context, master_key_length, lifetime_hint, age_add,
    max_early_data, max_fragment_length_mode, flags, extended_master_secret, compression,
    psk_identity_hint, psk_identity, srp_username, peer_rpk, key_arg, unknown_fields,
    ticket_appdata, resumable
  messages
         ms  from    bytes  message (* was encrypted)
        0.1  client    487  ClientHello
              session_id empty; server_name server.example
        1.2  server    124  ServerHello
              pre_shared_key selected identity 0
       10.5  server    229  NewSessionTicket*
              lifetime 7200 s"""

DISAGREEMENT = """\
Connection 2: Disagreement
  client  openssl@3.0.19       resumed   Reused, TLSv1.3
  server  pyopenssl@4.0.3      full      SSL_session_reused() == 0
                                         0 hits
  wire                         resumed   pre_shared_key in ServerHello
  offered session"""

ABORTED = """\
Connection 2: aborted
  client  openssl@3.0.19       aborted   Reused, TLSv1.3
  server  pyopenssl@4.0.3      aborted   SSL_session_reused() == 1
  wire                         aborted   Alert internal_error (80) sent by the server
  offered session 0001020304050607… taken by openssl@3.0.19 from pyopenssl@4.0.3
  alert   internal_error (80) sent by the server
  tickets 1
  close   both
  messages
    none
    not read to the end: the server's bytes end within a record"""


def test_a_resumed_connection_reads_so() -> None:
    assert connection_text(connection(), of=2).plain == RESUMED


def test_a_disagreement_shows_all_evidence() -> None:
    assert connection_text(disagreeing()).plain.startswith(DISAGREEMENT)


def test_an_aborted_connection_shows_its_alert() -> None:
    assert connection_text(aborted()).plain == ABORTED


def test_witnesses_that_agree_are_no_disagreement() -> None:
    assert disagreement_text(connection()).plain == ""


@pytest.mark.parametrize("saw", list(Saw))
def test_reading_does_not_count_as_looking(saw: Saw) -> None:
    made = connection(saw)
    connection_text(made)

    assert made.asserted is False


def test_a_witness_that_could_not_know_is_named() -> None:
    assert outcome_line(connection(Saw.UNKNOWN)).plain == (
        "Connection 2: No verdict: client, server, wire could not know"
    )


def test_an_offer_that_was_not_sent_is_reported() -> None:
    text = connection_text(connection(Saw.FULL, was_offered=False)).plain

    assert "from pyopenssl@4.0.3; not sent\n" in text


def test_a_session_that_nobody_described_is_reported_all_the_same() -> None:
    text = connection_text(connection(offered=Session({}))).plain

    assert "\n  offered session\n" in text


def test_tickets_that_are_counted_differently_are_both_shown() -> None:
    made = connection(transcript=Transcript(tickets=()))

    assert "tickets the client counted 1, the wire shows 0\n" in connection_text(made).plain


def test_how_it_was_closed_is_shown() -> None:
    assert "\n  close   rst\n" in connection_text(connection(close=Close.RST)).plain


def test_a_middlebox_that_blocked_is_shown() -> None:
    assert "\n  blocked no TLS 1.3\n" in connection_text(connection(blocked="no TLS 1.3")).plain


@pytest.mark.parametrize("width", [80, 100])
def test_evidence_with_a_long_word_stands_below_its_witness(width: int) -> None:
    shown = View(Witness.WIRE, Saw.RESUMED, ("it was", "error:" + "x" * 60))
    lines = witnesses_text(connection(wire=shown), width=width).plain.splitlines()

    assert lines[3:6] == ["  wire                         resumed", "      it was", f"      error:{'x' * 60}"]


def test_evidence_that_is_long_is_folded() -> None:
    shown = View(Witness.WIRE, Saw.RESUMED, ("evidence " * 20,))
    text = connection_text(connection(last_session=SESSION, wire=shown), of=2).plain

    assert max(map(len, text.splitlines())) <= 100
