"""A man in the middle changes the message that it is to change, and nothing else."""

from __future__ import annotations

import pytest

from harness.model.tampering import SEALED, Part, Tamper, Tampering
from harness.model.tls import Role
from harness.wire.gates.man_in_the_middle import ManInTheMiddle
from harness.wire.hellos import client_hello
from harness.wire.records import ContentType, HandshakeJoiner, RecordSplitter

HELLO = (
    bytes.fromhex("0303")
    + bytes(32)
    + b"\x04abcd"
    + b"\0\x02\x13\x01"
    + b"\x01\0"
    + b"\0\x0d"
    + b"\0\x23\0\0"
    + b"\0\x29\0\x05\0\0\0\0\x20"
)
"""A body with a session id, session_ticket and a pre_shared_key of no meaning."""


def record(kind: int, payload: bytes) -> bytes:
    return bytes((kind, 3, 3)) + len(payload).to_bytes(2, "big") + payload


def message(kind: int, body: bytes) -> bytes:
    return bytes((kind,)) + len(body).to_bytes(3, "big") + body


SENT = record(ContentType.HANDSHAKE, message(1, HELLO))
DATA = [record(ContentType.APPLICATION_DATA, bytes((number,)) * 4) for number in range(3)]


def body_of(data: bytes) -> bytes:
    (found,) = RecordSplitter().feed(data)
    (hello,) = HandshakeJoiner().feed(found.payload, 0)
    return hello.body


def test_what_is_not_named_passes_as_it_is() -> None:
    middle = ManInTheMiddle([Tampering(Tamper.DROP, Role.SERVER, "NewSessionTicket")])

    assert middle.feed(Role.CLIENT, SENT[:7]) == b""
    assert middle.feed(Role.CLIENT, SENT[7:]) == SENT
    assert middle.feed(Role.SERVER, b"no record") == b"no record"
    assert middle.done == []


@pytest.mark.parametrize(
    ("part", "value", "wanted"),
    [
        (Part.SESSION_ID, bytes(33), HELLO.replace(b"\x04abcd", b"\x21" + bytes(33))),
        (Part.TRAILING, b"\xff", HELLO + b"\xff"),
        (Part.BINDER, b"", HELLO[:-1] + b"\x21"),
        (Part.EXTENSION, b"\0\x23", HELLO.replace(b"\0\x0d\0\x23\0\0", b"\0\x09")),
    ],
)
def test_a_part_of_a_hello_is_changed(part: Part, value: bytes, wanted: bytes) -> None:
    middle = ManInTheMiddle([Tampering(Tamper.EDIT, Role.CLIENT, "ClientHello", 1, part, value)])

    assert body_of(middle.feed(Role.CLIENT, SENT)) == wanted
    assert middle.done == [f"the tap changed {part} of ClientHello 1 of the client"]
    assert middle.feed(Role.CLIENT, SENT) == SENT


def test_the_hello_of_these_tests_can_be_read() -> None:
    assert client_hello(HELLO[:-9].replace(b"\0\x0d", b"\0\x04")).session_id == b"abcd"


def test_a_held_record_keeps_those_behind_it_waiting() -> None:
    middle = ManInTheMiddle([Tampering(Tamper.HOLD, Role.SERVER, SEALED, 2)])

    assert middle.feed(Role.SERVER, b"".join(DATA)) == DATA[0]
    assert middle.feed(Role.SERVER, DATA[0]) == b""
    assert middle.feed(Role.CLIENT, SENT) == SENT
    assert middle.holding
    assert middle.release() == {Role.SERVER: DATA[1] + DATA[2] + DATA[0]}
    assert middle.feed(Role.SERVER, DATA[1]) == DATA[1]


def test_records_are_dropped_inserted_and_cut() -> None:
    middle = ManInTheMiddle(
        [
            Tampering(Tamper.DROP, Role.SERVER, SEALED, 1),
            Tampering(Tamper.INSERT, Role.SERVER, SEALED, 2, value=b"more"),
            Tampering(Tamper.CUT, Role.SERVER, SEALED, 3),
        ]
    )

    assert middle.feed(Role.SERVER, DATA[0] + DATA[1]) == DATA[1] + b"more"
    assert not middle.cut
    assert middle.feed(Role.SERVER, DATA[2]) == b""
    assert middle.cut


def test_the_last_byte_of_a_sealed_record_is_changed() -> None:
    middle = ManInTheMiddle([Tampering(Tamper.EDIT, Role.CLIENT, SEALED, 1, Part.LAST_BYTE)])

    assert middle.feed(Role.CLIENT, DATA[1]) == DATA[1][:-1] + b"\0"
