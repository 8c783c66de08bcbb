"""The wire's View: of real connections, and of transcripts that lie."""

from __future__ import annotations

import ssl
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.model.session import Session
from harness.model.tls import Alert, Mechanism, Role, TLSVersion
from harness.model.transcript import PRE_SHARED_KEY, Message
from harness.model.view import Saw
from harness.wire.judge import issued_ids, judge
from harness.wire.reading import read
from harness.wire.tests.tls_in_memory import Captures

if TYPE_CHECKING:
    from harness.model.transcript import Transcript
    from harness.wire.tests.tls_in_memory import Capture

V12, V13 = TLSVersion.TLSv1_2, TLSVersion.TLSv1_3


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Captures:
    return Captures(tmp_path_factory.mktemp("captures"))


@pytest.mark.parametrize("with_keys", [True, False])
@pytest.mark.parametrize(
    ("version", "tickets", "mechanism"),
    [
        (V12, True, Mechanism.SESSION_TICKET),
        (V12, False, Mechanism.SESSION_ID),
        (V13, True, Mechanism.PSK),
        (V13, False, Mechanism.PSK),
    ],
)
def test_a_resumed_connection_is_resumed_by_its_mechanism(
    captures: Captures, version: TLSVersion, mechanism: Mechanism, *, tickets: bool, with_keys: bool
) -> None:
    capture = captures.resumed(version, tickets=tickets)

    judgement = judge(read(capture.chunks, capture.keylog if with_keys else ()))

    assert capture.reused
    assert judgement.view.saw is Saw.RESUMED
    assert judgement.mechanism is mechanism
    assert judgement.was_offered


@pytest.mark.parametrize("with_keys", [True, False])
@pytest.mark.parametrize("tickets", [True, False])
@pytest.mark.parametrize("version", [V12, V13])
def test_a_full_handshake_is_full_and_offers_nothing(
    captures: Captures, version: TLSVersion, *, tickets: bool, with_keys: bool
) -> None:
    capture = captures.full(version, tickets=tickets)

    judgement = judge(read(capture.chunks, capture.keylog if with_keys else ()))

    assert judgement.view.saw is Saw.FULL
    assert judgement.mechanism is None
    assert not judgement.was_offered


@pytest.mark.parametrize("tickets", [True, False])
@pytest.mark.parametrize("version", [V12, V13])
def test_an_offer_to_a_server_that_does_not_know_the_session_is_declined(
    captures: Captures, version: TLSVersion, *, tickets: bool
) -> None:
    capture = captures.declined(version, tickets=tickets)

    transcript = read(capture.chunks, capture.keylog)
    judgement = judge(transcript, issued_ids={transcript.client_hello.session_id})

    assert judgement.view.saw is Saw.FULL
    assert judgement.was_offered


@pytest.mark.parametrize("version", [V12, V13])
def test_a_handshake_that_stops_after_the_first_flight_is_aborted(captures: Captures, version: TLSVersion) -> None:
    capture = captures.stopped(version)

    view = judge(read(capture.chunks, capture.keylog)).view

    assert view.saw is Saw.ABORTED
    assert view.evidence == ("no Finished from the client",)


def test_the_evidence_of_a_psk_names_the_field(captures: Captures) -> None:
    view = judge(read(captures.resumed(V13).chunks)).view

    assert view.evidence == ("pre_shared_key in ServerHello (identity 0)",)


def test_the_evidence_of_a_session_id_names_the_fields(captures: Captures) -> None:
    view = judge(read(captures.resumed(V12, tickets=False).chunks)).view

    assert view.evidence == ("no Certificate, session id echoed",)


@pytest.fixture
def resumed13(captures: Captures) -> Transcript:
    capture = captures.resumed(V13)
    return read(capture.chunks, capture.keylog)


@pytest.fixture
def resumed12(captures: Captures) -> Transcript:
    capture = captures.resumed(V12)
    return read(capture.chunks, capture.keylog)


def test_a_psk_that_was_not_offered_is_unknown(resumed13: Transcript) -> None:
    hello = replace(resumed13.client_hello, psk_identities=())

    view = judge(replace(resumed13, client_hellos=(hello,))).view

    assert view.saw is Saw.UNKNOWN


def test_a_certificate_beside_the_psk_is_shown_and_no_doubt(resumed13: Transcript) -> None:
    lie = [replace(m, type="Certificate") if m.type == "EncryptedExtensions" else m for m in resumed13.messages]

    view = judge(replace(resumed13, messages=tuple(lie))).view

    assert view.saw is Saw.RESUMED
    assert view.evidence[1] == "Certificate in the server's flight"


def test_an_abbreviated_handshake_without_the_echo_is_unknown(resumed12: Transcript) -> None:
    hello = replace(resumed12.server_hello, session_id=bytes(32))

    view = judge(replace(resumed12, server_hellos=(hello,))).view

    assert view.saw is Saw.UNKNOWN


def test_a_ticket_beside_no_session_id_resumes_without_an_echo(resumed12: Transcript) -> None:
    hello = replace(resumed12.client_hellos[0], session_id=b"")
    answer = replace(resumed12.server_hellos[0], session_id=b"")
    judgement = judge(replace(resumed12, client_hellos=(hello,), server_hellos=(answer,)))

    assert judgement.view.saw is Saw.RESUMED
    assert judgement.mechanism is Mechanism.SESSION_TICKET
    assert "without a session id to echo" in judgement.view.evidence[0]


def test_an_echo_with_a_certificate_is_full(resumed12: Transcript) -> None:
    certificate = replace(resumed12.messages[0], type="Certificate", sender=Role.SERVER)

    view = judge(replace(resumed12, messages=(*resumed12.messages[:2], certificate, *resumed12.messages[2:]))).view

    assert view.saw is Saw.FULL


def test_nothing_at_all_is_aborted() -> None:
    view = judge(read([])).view

    assert view.saw is Saw.ABORTED
    assert view.evidence == ("no ClientHello from the client",)


def _distrusting(captures: Captures, version: TLSVersion) -> Capture:
    """In TLS 1.3 too its alert is in the clear: OpenSSL's client seals only from its own Certificate or Finished on."""
    pair = captures.pair(version)
    pair.client.verify_mode = ssl.CERT_REQUIRED
    return pair.connect()


@pytest.mark.parametrize("version", [V12, V13])
def test_a_client_that_refuses_the_certificate_aborts(captures: Captures, version: TLSVersion) -> None:
    capture = _distrusting(captures, version)

    view = judge(read(capture.chunks, capture.keylog)).view

    assert view.saw is Saw.ABORTED
    assert view.evidence == ("alert unknown_ca (48) from the client",)
    assert view.alert == Alert(48, Role.CLIENT)


def test_without_keys_a_record_as_short_as_an_alert_is_unknown(captures: Captures) -> None:
    transcript = read(captures.stopped(V13).chunks)
    sealed = Message(Role.CLIENT, "EncryptedRecord", 19, 9.0, encrypted=True)

    view = judge(_with(transcript, len(transcript.messages), sealed)).view

    assert view.saw is Saw.UNKNOWN
    assert view.evidence == ("no key opens what the client sent, and it may be an alert",)


def test_no_common_version_is_aborted_by_the_servers_alert(captures: Captures) -> None:
    pair = captures.pair(V12)
    pair.server = captures.pair(V13).server

    view = judge(read(pair.connect().chunks)).view

    assert view.saw is Saw.ABORTED
    assert view.evidence == ("alert protocol_version (70) from the server",)


def _with(transcript: Transcript, index: int, message: Message) -> Transcript:
    messages = transcript.messages
    return replace(transcript, messages=(*messages[:index], message, *messages[index:]))


@pytest.mark.parametrize(("kind", "saw"), [("EncryptedAlert", Saw.UNKNOWN), ("EncryptedHandshake", Saw.RESUMED)])
def test_without_keys_an_alert_before_application_data_is_unknown(captures: Captures, kind: str, saw: Saw) -> None:
    transcript = read(captures.resumed(V12).chunks)
    index = transcript.types().index("ApplicationData")

    view = judge(_with(transcript, index, Message(Role.SERVER, kind, 26, 0.0, encrypted=True))).view

    assert view.saw is saw


def test_an_alert_after_the_other_ends_application_data_aborts(resumed13: Transcript) -> None:
    index = resumed13.types().index("ApplicationData") + 1
    alert = Message(Role.SERVER, "Alert", 2, 0.0, encrypted=True)
    lie = replace(_with(resumed13, index, alert), alerts=(Alert(51, Role.SERVER), *resumed13.alerts))

    view = judge(lie).view

    assert view.saw is Saw.ABORTED
    assert view.evidence == ("alert decrypt_error (51) from the server",)


def test_an_alert_after_its_senders_application_data_aborts_no_handshake(resumed13: Transcript) -> None:
    lie = replace(resumed13, alerts=(Alert(20, Role.CLIENT), *resumed13.alerts[1:]))

    view = judge(lie).view

    assert view.saw is Saw.RESUMED
    assert view.alert == Alert(20, Role.CLIENT)


def test_a_tls13_alert_is_fatal_at_the_level_of_a_warning(captures: Captures) -> None:
    capture = _distrusting(captures, V13)
    transcript = read(capture.chunks, capture.keylog)
    warned = replace(transcript, alerts=(replace(transcript.alerts[0], level=1),))

    assert judge(warned).view.saw is Saw.ABORTED


def _session(session_id: bytes) -> Session:
    return Session({"session_id": session_id})


def test_a_random_session_id_is_no_offer(captures: Captures) -> None:
    transcript = read(captures.full(V13).chunks)

    assert transcript.client_hello.session_id
    assert not judge(transcript, _session(bytes(32))).was_offered


@pytest.mark.parametrize("offered", [None, Session({"session_id": bytes(32)}), Session({})])
def test_a_random_id_of_a_client_without_tls13_is_no_offer(captures: Captures, offered: Session | None) -> None:
    transcript = read(captures.declined(V12, tickets=False).chunks)

    assert transcript.client_hello.session_id
    assert TLSVersion.TLSv1_3.wire not in transcript.client_hello.supported_versions
    assert not judge(transcript, offered, issued_ids={bytes(32)}).was_offered


def test_an_id_that_a_server_issued_before_is_an_offer(captures: Captures) -> None:
    pair = captures.pair(V12, tickets=False)
    first = pair.connect()
    issued = issued_ids(read(first.chunks))
    again = read(pair.connect(first.session).chunks)

    assert issued == {again.client_hello.session_id}
    assert judge(again, issued_ids=issued).was_offered


def test_a_session_id_that_is_the_sessions_own_is_an_offer(captures: Captures) -> None:
    transcript = read(captures.full(V13).chunks)

    assert judge(transcript, _session(transcript.client_hello.session_id)).was_offered


def test_an_offer_is_one_whatever_version_is_negotiated(captures: Captures) -> None:
    pair = captures.pair(V13)
    session = pair.connect().session
    pair.server = captures.pair(V12).server
    pair.client.minimum_version = ssl.TLSVersion.TLSv1_2

    judgement = judge(read(pair.connect(session).chunks))

    assert judgement.view.saw is Saw.FULL
    assert judgement.was_offered


def test_a_hello_that_cannot_be_read_is_unknown(captures: Captures) -> None:
    transcript = replace(read(captures.full(V12).chunks), client_hellos=())

    assert judge(transcript).view.saw is Saw.UNKNOWN


def test_an_offer_that_a_retry_made_the_client_take_back_was_an_offer(captures: Captures) -> None:
    capture = captures.declined(V13, tickets=True)
    seen = read(capture.chunks, capture.keylog)
    retry = replace(seen.server_hello, hello_retry_request=True)
    without = {n: body for n, body in seen.client_hello.extensions.items() if n != PRE_SHARED_KEY}
    second = replace(seen.client_hello, extensions=without, psk_identities=(), psk_binders=())
    retried = replace(seen, client_hellos=(seen.client_hello, second), server_hellos=(retry, seen.server_hello))

    assert judge(retried).was_offered
    assert not judge(replace(retried, client_hellos=(second, second))).was_offered


def test_an_alert_in_place_of_awaited_data_aborts_whoever_had_written(captures: Captures) -> None:
    transcript = read(captures.full(V13).chunks, captures.full(V13).keylog)
    alert = Alert(47, Role.CLIENT)
    others = [message for message in transcript.messages if message.type != "Alert"]
    refused = replace(
        transcript, alerts=(alert,), messages=(*others, Message(Role.CLIENT, "Alert", 2, 1.0, encrypted=True))
    )

    assert "ApplicationData" in refused.types(Role.CLIENT)
    assert judge(refused, exchanged=True).view.saw is Saw.FULL
    assert judge(refused, exchanged=False).view.saw is Saw.ABORTED
    assert judge(refused, exchanged=False).view.alert == alert
