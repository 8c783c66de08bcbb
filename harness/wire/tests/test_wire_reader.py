"""The transcript of real connections: whatever the chunking, whatever the damage, with keys that fit or do not."""

from __future__ import annotations

import importlib
import random
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.model.errors import WireFormatError
from harness.model.tls import Alert, Role, TLSVersion
from harness.model.transcript import Chunk
from harness.model.view import Saw
from harness.wire.judge import judge
from harness.wire.messages import new_session_ticket
from harness.wire.reading import read
from harness.wire.tests.tls_in_memory import Captures

if TYPE_CHECKING:
    from harness.model.transcript import Transcript

V12, V13 = TLSVersion.TLSv1_2, TLSVersion.TLSv1_3
C, S = Role.CLIENT, Role.SERVER
EVERY = [(V12, True), (V12, False), (V13, True), (V13, False)]


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Captures:
    return Captures(tmp_path_factory.mktemp("captures"))


def test_the_messages_of_a_full_tls13_handshake_come_in_order(captures: Captures) -> None:
    capture = captures.full(V13)

    transcript = read(capture.chunks, capture.keylog)

    assert transcript.types() == (
        "ClientHello", "ServerHello", "ChangeCipherSpec", "EncryptedExtensions", "Certificate", "CertificateVerify",
        "Finished", "ChangeCipherSpec", "Finished", "NewSessionTicket", "NewSessionTicket", "ApplicationData",
        "ApplicationData", "Alert", "Alert",
    )  # fmt: skip


def test_the_messages_of_a_tls12_ticket_resumption_come_in_order(captures: Captures) -> None:
    capture = captures.resumed(V12)

    transcript = read(capture.chunks)

    assert transcript.types() == (
        "ClientHello", "ServerHello", "ChangeCipherSpec", "EncryptedHandshake", "ChangeCipherSpec",
        "EncryptedHandshake", "ApplicationData", "ApplicationData", "EncryptedAlert", "EncryptedAlert",
    )  # fmt: skip


def test_a_sealed_finished_of_tls12_is_there_as_an_opened_one_is(captures: Captures) -> None:
    capture = captures.full(V12)
    place = [number for number, chunk in enumerate(capture.chunks) if chunk.sender is C][1]

    for secrets in (capture.keylog, ()):
        assert read(capture.chunks, secrets).finished(C)
        assert not read(capture.chunks[:place], secrets).finished(C)
    assert not read(captures.full(V13).chunks).finished(C)


def test_data_are_counted_up_to_the_message_that_begins_something_else(captures: Captures) -> None:
    capture = captures.full(V13)

    transcript = read(capture.chunks, capture.keylog)
    without = replace(transcript, messages=tuple(m for m in transcript.messages if m.type != "ApplicationData"))

    assert transcript.data_before("Alert")
    assert transcript.data_before("ClientHello")
    assert not transcript.data_before("NewSessionTicket")
    assert not without.data_before("Alert")
    assert not replace(transcript, messages=transcript.messages[:6]).data_before("Alert")


@pytest.fixture(scope="module")
def tlslite() -> Any:
    """Another parser of hellos, which warns at its import: of asyncore, that Python 3.12 has not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return pytest.importorskip("tlslite.messages", reason="tlslite-ng of the dependency group `test` is missing")


def _parsed(message: Any, stream: bytes) -> Any:
    """What tlslite makes of the first handshake message of a stream; its parser takes the body without the type."""
    codec = importlib.import_module("tlslite.utils.codec")
    return message.parse(codec.Parser(bytearray(stream[6:])))


def _without_times(transcript: Transcript) -> Transcript:
    return replace(transcript, messages=tuple(replace(message, at=0.0) for message in transcript.messages))


@pytest.mark.parametrize("size", [1, 3, 100, 100_000])
@pytest.mark.parametrize(("version", "tickets"), EVERY)
def test_the_chunking_makes_no_difference(captures: Captures, version: TLSVersion, size: int, *, tickets: bool) -> None:
    capture = captures.resumed(version, tickets=tickets)

    assert _without_times(read(capture.rechunked(size), capture.keylog)) == _without_times(
        read(capture.chunks, capture.keylog)
    )


def test_a_message_has_the_time_of_the_chunk_that_completed_it(captures: Captures) -> None:
    hello = captures.full(V12).chunks[0].data

    transcript = read([Chunk(C, 1.0, hello[:50]), Chunk(C, 2.0, hello[50:])])

    assert transcript.messages[0].at == 2.0


@pytest.mark.parametrize(("version", "tickets", "count"), [(V12, True, 1), (V12, False, 0), (V13, True, 2)])
def test_tickets_are_counted(captures: Captures, version: TLSVersion, count: int, *, tickets: bool) -> None:
    capture = captures.full(version, tickets=tickets)

    found = read(capture.chunks, capture.keylog).tickets

    assert found is not None
    assert len(found) == count


def test_without_keys_the_tickets_of_tls13_are_unknown(captures: Captures) -> None:
    assert read(captures.full(V13).chunks).tickets is None


@pytest.mark.parametrize("line", ["", "#", "CLIENT_RANDOM", "CLIENT_RANDOM xx yy", "CLIENT_RANDOM 00 11 22", "\0"])
def test_lines_that_are_no_keys_are_passed_over(captures: Captures, line: str) -> None:
    capture = captures.full(V13)

    assert read(capture.chunks, [line, *capture.keylog]).decrypted


@pytest.mark.parametrize(("version", "tickets"), EVERY)
def test_keys_that_do_not_fit_leave_records_sealed(captures: Captures, version: TLSVersion, *, tickets: bool) -> None:
    capture = captures.full(version, tickets=tickets)
    lies = [f"{line[:-4]}0bad" for line in capture.keylog]

    transcript = read(capture.chunks, lies)

    assert not transcript.decrypted
    assert any(transcript.misfits.values())
    assert replace(transcript, misfits=dict.fromkeys(Role, 0)) == read(capture.chunks)


@pytest.mark.parametrize("label", ["SERVER_TRAFFIC_SECRET_0", "SERVER_HANDSHAKE_TRAFFIC_SECRET"])
def test_a_key_that_is_missing_leaves_the_rest_readable(captures: Captures, label: str) -> None:
    capture = captures.full(V13)

    transcript = read(capture.chunks, [line for line in capture.keylog if not line.startswith(label)])

    assert not transcript.decrypted
    assert transcript.tickets is None
    assert "ApplicationData" in transcript.types(C)
    assert judge(transcript).view.saw is Saw.FULL


@pytest.mark.parametrize(("version", "tickets"), EVERY)
def test_tlslite_reads_the_same_client_hello(
    captures: Captures, tlslite: Any, version: TLSVersion, *, tickets: bool
) -> None:
    capture = captures.resumed(version, tickets=tickets)
    other = _parsed(tlslite.ClientHello(), capture.stream(C))

    ours = read(capture.chunks).client_hello

    assert ours.random == other.random
    assert ours.session_id == other.session_id
    assert list(ours.cipher_suites) == other.cipher_suites
    assert list(ours.extensions) == [extension.extType for extension in other.extensions]
    assert list(ours.extensions.values()) == [extension.extData for extension in other.extensions]


def test_tlslite_reads_the_same_pre_shared_key(captures: Captures, tlslite: Any) -> None:
    capture = captures.resumed(V13)
    other = _parsed(tlslite.ClientHello(), capture.stream(C)).getExtension(41)

    ours = read(capture.chunks).client_hello

    assert list(ours.psk_identities) == [psk.identity for psk in other.identities]
    assert list(ours.psk_ages) == [psk.obfuscated_ticket_age for psk in other.identities]
    assert list(ours.psk_binders) == other.binders


@pytest.mark.parametrize(("version", "tickets"), EVERY)
def test_tlslite_reads_the_same_server_hello(
    captures: Captures, tlslite: Any, version: TLSVersion, *, tickets: bool
) -> None:
    capture = captures.resumed(version, tickets=tickets)
    other = _parsed(tlslite.ServerHello(), capture.stream(S))

    ours = read(capture.chunks).server_hello

    assert ours.session_id == other.session_id
    assert ours.cipher_suite == other.cipher_suite
    assert list(ours.extensions) == [extension.extType for extension in other.extensions]


def _cut(chunks: list[Chunk], size: int) -> list[Chunk]:
    """The first ``size`` bytes of all that was sent."""
    left = []
    for chunk in chunks:
        left.append(replace(chunk, data=chunk.data[:size]))
        size -= len(left[-1].data)
    return left


@pytest.mark.parametrize("version", [V12, V13])
def test_every_truncation_keeps_the_messages_before_it(captures: Captures, version: TLSVersion) -> None:
    capture = captures.full(version)
    whole = read(capture.chunks, capture.keylog).messages
    size = sum(len(chunk.data) for chunk in capture.chunks)

    cut = [read(_cut(capture.chunks, end), capture.keylog).messages for end in range(size)]

    assert all(messages == whole[: len(messages)] for messages in cut)


@pytest.mark.parametrize("version", [V12, V13])
def test_truncation_inside_a_record_is_a_problem_at_its_offset(captures: Captures, version: TLSVersion) -> None:
    hello = captures.full(version).chunks[0].data

    transcript = read([Chunk(C, 0.0, hello + hello[:9])])

    assert (
        transcript.problem == f"the client's stream: ends inside a record, after 9 bytes of it at offset {len(hello)}"
    )


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("version", [V12, V13])
def test_damage_is_never_an_exception(captures: Captures, version: TLSVersion, seed: int) -> None:
    capture = captures.resumed(version)
    chance = random.Random(seed)  # noqa: S311 - damage, not keys
    damaged = []
    for chunk in capture.chunks:
        data = bytearray(chunk.data)
        for _ in range(chance.randrange(4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        damaged.append(replace(chunk, data=bytes(data)))

    transcript = read(damaged, capture.keylog)

    assert judge(transcript).view.witness == "wire"


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_are_a_problem_and_aborted(seed: int) -> None:
    data = random.Random(seed).randbytes(200)  # noqa: S311 - garbage, not keys

    transcript = read([Chunk(C, 0.0, data)])

    assert transcript.problem.startswith("the client's stream: no TLS record but ")
    assert judge(transcript).view.saw is Saw.ABORTED


def test_an_answer_in_clear_http_is_named(captures: Captures) -> None:
    hello = captures.full(V13).chunks[0]

    transcript = read([hello, Chunk(S, 1.0, b"HTTP/1.0 400 Bad Request\r\n\r\n")])

    assert transcript.problem == "the server's stream: no TLS record but b'HTTP/1.0 400 Bad' at offset 0"
    assert judge(transcript).view.evidence == ("no ServerHello from the server", transcript.problem)


def test_an_alert_in_the_clear_is_read_in_tls13(captures: Captures) -> None:
    hello = captures.full(V13).chunks[0]

    transcript = read([hello, Chunk(S, 1.0, bytes.fromhex("15030300020228"))])

    assert transcript.alerts == (Alert(40, S),)
    assert judge(transcript).view.evidence == ("alert handshake_failure (40) from the server",)


def _record(kind: int, payload: bytes) -> bytes:
    return bytes([kind, 3, 3]) + len(payload).to_bytes(2, "big") + payload


def test_messages_are_joined_over_records_and_empty_fragments(captures: Captures) -> None:
    chunk = captures.full(V12).chunks[0]
    body = chunk.data[5:]
    pieces = b"".join(_record(22, body[at : at + 20]) + _record(22, b"") for at in range(0, len(body), 20))

    transcript = read([replace(chunk, data=pieces)])

    assert transcript.client_hello == read([chunk]).client_hello


def test_several_messages_in_one_record_are_distinguished(captures: Captures) -> None:
    capture = captures.full(V12)
    first = capture.chunks[1].data
    bodies, at = b"", 0
    while at < len(first):
        length = int.from_bytes(first[at + 3 : at + 5], "big")
        bodies += first[at + 5 : at + 5 + length]
        at += 5 + length

    transcript = read([capture.chunks[0], Chunk(S, 1.0, _record(22, bodies))])

    assert transcript.types(S) == ("ServerHello", "Certificate", "ServerKeyExchange", "ServerHelloDone")


def test_a_change_cipher_spec_after_sealed_records_does_not_disturb_tls13(captures: Captures) -> None:
    capture = captures.full(V13)
    chunks = [*capture.chunks[:4], Chunk(C, 3.0, _record(20, b"\x01")), *capture.chunks[4:]]

    transcript = read(chunks, capture.keylog)

    assert transcript.decrypted
    assert transcript.change_cipher_specs[C] == 2


def test_sealed_records_before_the_change_cipher_spec_are_read(captures: Captures) -> None:
    capture = captures.full(V13)
    late = _record(20, b"\x01")
    chunks = [replace(c, data=c.data.replace(late, b"") + (late if late in c.data else b"")) for c in capture.chunks]

    assert read(chunks, capture.keylog).decrypted


def test_a_malformed_hello_is_noted_and_reading_goes_on(captures: Captures) -> None:
    chunk = captures.full(V12).chunks[0]
    broken = bytearray(chunk.data)
    broken[43] = 200

    transcript = read([replace(chunk, data=bytes(broken)), Chunk(C, 1.0, _record(21, b"\x02\x32"))])

    assert transcript.types() == ("ClientHello", "Alert")
    assert not transcript.client_hellos
    assert transcript.messages[0].fields["malformed"] == transcript.problem.removeprefix("the client's stream: ")


def test_an_extension_that_comes_twice_is_malformed(captures: Captures) -> None:
    chunk = captures.full(V12).chunks[0]
    broken = chunk.data.replace(bytes.fromhex("00170000"), bytes.fromhex("00160000"))

    transcript = read([replace(chunk, data=broken)])

    assert transcript.problem.startswith("the client's stream: extension encrypt_then_mac comes twice at offset ")
    assert transcript.client_hello.session_ticket is not None


BEHIND_THE_TICKET = {
    b"\0\0\0": "NewSessionTicket has 1 bytes too many",
    b"\0\x07\0\x2a\0\3\0\0\1": "extension early_data is cut short: 4 bytes expected, 3 left",
    b"\0\x08\0\x0d\0\0\0\x0d\0\0": "extension signature_algorithms comes twice",
}


@pytest.mark.parametrize("rest", BEHIND_THE_TICKET)
def test_a_ticket_that_is_malformed_behind_itself_is_still_one(rest: bytes) -> None:
    body = bytes.fromhex("00001c20 00000007 01 02 0004 74657374") + rest
    complaints: list[WireFormatError] = []

    ticket = new_session_ticket(body, 100, tls13=True, complain=complaints.append)

    assert (ticket.lifetime, ticket.age_add, ticket.nonce, ticket.ticket) == (7200, 7, b"\2", b"test")
    assert [str(one).partition(" at offset")[0] for one in complaints] == [BEHIND_THE_TICKET[rest]]
    with pytest.raises(WireFormatError):
        new_session_ticket(body, 100, tls13=True)


def test_a_ticket_that_is_cut_short_is_none() -> None:
    with pytest.raises(WireFormatError, match="NewSessionTicket is cut short"):
        new_session_ticket(bytes.fromhex("00001c20 0005 74657374"), 0, tls13=False, complain=list[object]().append)


@pytest.mark.parametrize("length", [0, 1, 3])
def test_an_alert_of_a_wrong_length_is_a_problem(length: int) -> None:
    transcript = read([Chunk(C, 0.0, _record(21, bytes(length)))])

    assert transcript.problem == f"the client's stream: an alert record of {length} bytes at offset 5"


def test_hellos_of_the_wrong_role_are_not_believed(captures: Captures) -> None:
    capture = captures.full(V12)
    swapped = [replace(chunk, sender=chunk.sender.peer) for chunk in capture.chunks]

    transcript = read(swapped)

    assert not transcript.client_hellos
    assert not transcript.server_hellos


def test_the_fields_of_a_resuming_client_hello_are_shown(captures: Captures) -> None:
    transcript = read(captures.resumed(V13).chunks)
    shown = transcript.messages[0].fields

    assert shown["session_id"] == transcript.client_hello.session_id.hex()
    assert shown["pre_shared_key identity 0"].startswith("208 bytes, obfuscated_ticket_age ")
    assert shown["psk_key_exchange_modes"] == "psk_dhe_ke"
    assert shown["server_name"] == "localhost"
    assert transcript.messages[1].fields["pre_shared_key"] == "selected identity 0"
