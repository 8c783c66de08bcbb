"""Packets of QUIC: the examples of RFC 9001, and two conversations of OpenSSL, whole, without keys, and damaged."""

from __future__ import annotations

import json
from base64 import b64decode
from typing import NamedTuple

import pytest

from harness.model.errors import WireFormatError
from harness.model.tls import Role, TLSVersion
from harness.model.transcript import CONNECTION_CLOSE, Chunk
from harness.model.view import Saw
from harness.tests.quic_conversations import RECORDED
from harness.wire.judge import judge
from harness.wire.quic.conversation import Ordered
from harness.wire.quic.frames import Frame, frames_of
from harness.wire.quic.packets import PacketType, packets_of
from harness.wire.quic.protection import PacketKeys, initial_keys, whole_number
from harness.wire.reading import read
from harness.wire.suites import SUITES

CLIENT_ID = bytes.fromhex("8394c8f03e515708")
SERVER_INITIAL = bytes.fromhex(
    "cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf7"
    "3c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4cdd93795d77d06edbb7aaf2f"
    "58891850abbdca3d20398c276456cbc42158407dd074ee"
)
"""RFC 9001, A.3."""
SHORT_SECRET = bytes.fromhex("9ac312a7f877468ebe69422748ad00a15443f18203a07d6060f688f30f21632b")
SHORT = bytes.fromhex("4cfe4189655e5cd55c41f69080575d7999c25a5bfb")
"""RFC 9001, A.5: one PING under TLS_CHACHA20_POLY1305_SHA256."""


class Recorded(NamedTuple):
    """One conversation between two OpenSSLs."""

    chunks: list[Chunk]
    keylog: list[str]


@pytest.fixture(scope="module")
def recorded() -> list[Recorded]:
    found = json.loads(RECORDED.read_text())["connections"]
    return [
        Recorded([Chunk(Role(who), at, b64decode(data)) for who, at, data in each["chunks"]], each["keylog"])
        for each in found
    ]


def test_the_initial_packet_of_rfc_9001_opens() -> None:
    [packet] = packets_of(SERVER_INITIAL, 0, 0)

    opened = initial_keys(CLIENT_ID, Role.SERVER).open(packet, -1)

    assert opened is not None
    assert opened.number == 1
    ack, crypto = frames_of(opened.payload, 0)
    assert (ack.type, crypto.type) == (2, 6)
    assert crypto.data.startswith(bytes.fromhex("020000560303eefce7f7b37ba1d163"))
    assert initial_keys(CLIENT_ID, Role.CLIENT).open(packet, -1) is None


def test_the_chacha20_packet_of_rfc_9001_opens() -> None:
    [packet] = packets_of(SHORT, 0, 0)

    opened = PacketKeys(SUITES[0x1303], SHORT_SECRET).open(packet, 654_360_563)

    assert packet.type is PacketType.APPLICATION
    assert opened == (654_360_564, b"\1")
    assert PacketKeys(SUITES[0x1303], SHORT_SECRET).updated().open(packet, 654_360_563) is None


@pytest.mark.parametrize(
    ("short", "bits", "largest", "number"),
    [(0x9B32, 16, 0xA82F30EA, 0xA82F9B32), (0, 8, -1, 0), (0, 8, 255, 256), (255, 8, 256, 255), (2, 8, 0x1FF, 0x202)],
)
def test_a_packet_number_is_the_nearest_to_the_next(short: int, bits: int, largest: int, number: int) -> None:
    assert whole_number(short, bits, largest) == number


def test_parts_that_come_late_and_again_are_given_once() -> None:
    stream = Ordered()

    given = [stream.feed(3, b"de"), stream.feed(0, b"ab"), stream.feed(1, b"bcd"), stream.feed(0, b"abc")]

    assert given == [b"", b"ab", b"cde", b""]
    assert not stream.waits


@pytest.mark.parametrize(
    ("payload", "frame"),
    [
        (b"\x06\x40\x05\x02ab", Frame(6, offset=5, data=b"ab")),
        (b"\x0e\x04\x01\x03abc", Frame(14, 4, 1, b"abc")),
        (b"\x08\x04abc", Frame(8, 4, 0, b"abc")),
        (b"\x1c\x41\x28\x06\x02no", Frame(28, error=0x128, data=b"no")),
        (b"\x1d\x00\x00", Frame(29)),
        (b"\x03\1\2\1\0\3\4\1\2\3", Frame(3)),
        (b"\x18\1\0\4abcd" + bytes(16), Frame(24)),
    ],
)
def test_a_frame_is_read_to_its_end(payload: bytes, frame: Frame) -> None:
    assert list(frames_of(b"\0\0" + payload, 0)) == [frame]


@pytest.mark.parametrize("payload", [b"\x3f", b"\x06\0\5ab", b"\x02\1", b"\x1a1234"])
def test_a_frame_that_is_cut_short_or_unknown_is_an_error(payload: bytes) -> None:
    with pytest.raises(WireFormatError, match="QUIC"):
        list(frames_of(payload, 0))


def test_the_wire_shows_a_full_handshake_and_a_resumed_one(recorded: list[Recorded]) -> None:
    full, resumed = (read(each.chunks, each.keylog) for each in recorded)

    assert [judge(each).view.saw for each in (full, resumed)] == [Saw.FULL, Saw.RESUMED]
    for each, tickets in ((full, 2), (resumed, 1)):
        assert each.quic
        assert each.decrypted
        assert not each.problem
        assert each.closed
        assert each.server_hello.version is TLSVersion.TLSv1_3
        assert len(each.tickets or ()) == tickets
        assert each.types(Role.SERVER).count("Finished") == each.types(Role.CLIENT).count("Finished") == 1
        assert CONNECTION_CLOSE in each.types(Role.CLIENT)
    assert full.tickets
    assert resumed.client_hello.psk_identities[0] in {ticket.ticket for ticket in full.tickets}


def test_initial_packets_speak_without_a_key_log(recorded: list[Recorded]) -> None:
    full, resumed = (read(each.chunks) for each in recorded)

    assert [judge(each).view.saw for each in (full, resumed)] == [Saw.FULL, Saw.RESUMED]
    assert resumed.server_hello.selected_psk == 0
    assert full.tickets is None
    assert not full.decrypted
    assert "Finished" not in full.types()
    assert not full.finished(Role.CLIENT)


def test_the_keys_of_another_connection_open_nothing(recorded: list[Recorded]) -> None:
    swapped = [line.replace(_random(recorded[1]), _random(recorded[0])) for line in recorded[1].keylog]

    shown = read(recorded[0].chunks, swapped)

    assert shown.tickets is None
    assert all(shown.misfits[role] for role in Role)


def _random(of: Recorded) -> str:
    return of.keylog[0].split()[1]


def test_datagrams_that_come_twice_count_once(recorded: list[Recorded]) -> None:
    for each in recorded:
        twice = read([chunk for chunk in each.chunks for _ in range(2)], each.keylog)

        assert twice.types().count("ClientHello") == 1
        assert twice.tickets == read(each.chunks, each.keylog).tickets


def test_damage_and_loss_never_raise(recorded: list[Recorded]) -> None:
    whole = recorded[1]
    for place, chunk in enumerate(whole.chunks):
        for changed in (
            b"",
            chunk.data[: len(chunk.data) // 2],
            chunk.data[:30],
            b"\x40" + chunk.data[1:],
            b"\xff" * 9,
        ):
            chunks = [*whole.chunks[:place], Chunk(chunk.sender, chunk.at, changed), *whole.chunks[place + 1 :]]
            shown = read(chunks, whole.keylog)

            assert judge(shown).view.saw in {*Saw}
