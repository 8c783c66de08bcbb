"""The wire's View: of real connections, and of transcripts that lie."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.model.tls import Mechanism, Role, TLSVersion
from harness.model.view import Saw
from harness.tests.tls_in_memory import Captures
from harness.wire.judge import judge
from harness.wire.reader import read

if TYPE_CHECKING:
    from harness.model.transcript import Transcript

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

    judgement = judge(read(capture.chunks, capture.keylog))

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


def test_a_psk_with_a_certificate_is_unknown(resumed13: Transcript) -> None:
    lie = [replace(m, type="Certificate") if m.type == "EncryptedExtensions" else m for m in resumed13.messages]

    view = judge(replace(resumed13, messages=tuple(lie))).view

    assert view.saw is Saw.UNKNOWN
    assert view.evidence[1] == "Certificate in the server's flight"


def test_an_abbreviated_handshake_without_the_echo_is_unknown(resumed12: Transcript) -> None:
    hello = replace(resumed12.server_hello, session_id=bytes(32))

    view = judge(replace(resumed12, server_hellos=(hello,))).view

    assert view.saw is Saw.UNKNOWN


def test_an_echo_with_a_certificate_is_full(resumed12: Transcript) -> None:
    certificate = replace(resumed12.messages[0], type="Certificate", sender=Role.SERVER)

    view = judge(replace(resumed12, messages=(*resumed12.messages[:2], certificate, *resumed12.messages[2:]))).view

    assert view.saw is Saw.FULL


def test_nothing_at_all_is_aborted() -> None:
    view = judge(read([])).view

    assert view.saw is Saw.ABORTED
    assert view.evidence == ("no ClientHello from the client",)
