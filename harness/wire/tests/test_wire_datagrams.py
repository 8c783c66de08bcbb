"""Datagrams are records and fragments that come in any order, and packets of a capture; garbage is named."""

from __future__ import annotations

import pytest

from harness.model.errors import WireFormatError
from harness.model.tls import Role
from harness.model.transcript import Chunk
from harness.wire.dtls.records import DatagramJoiner, DatagramSplitter
from harness.wire.pcap.segments import SERVER_PORT, checksum, client_port, datagrams
from harness.wire.reading import read


def record(kind: int, number: int, payload: bytes) -> bytes:
    return bytes((kind, 0xFE, 0xFD)) + number.to_bytes(8, "big") + len(payload).to_bytes(2, "big") + payload


def fragment(number: int, body: bytes, start: int, end: int, kind: int = 16) -> bytes:
    sizes = (len(body), number, start, end - start)
    head = bytes([kind]) + b"".join(n.to_bytes(w, "big") for n, w in zip(sizes, (3, 2, 3, 3), strict=True))
    return head + body[start:end]


def test_a_datagram_has_several_records_each_with_its_number() -> None:
    data = record(22, 7, b"one") + record(20, 1 << 48, b"\1")

    found = list(DatagramSplitter().feed(data))

    assert [(each.type, each.number, each.payload) for each in found] == [(22, 7, b"one"), (20, 1 << 48, b"\1")]
    assert found[1].offset == len(record(22, 7, b"one"))


@pytest.mark.parametrize("data", [b"\x16", record(22, 0, b"abc")[:-1], record(99, 0, b""), b"\x16\3\3\0\0"])
def test_what_is_no_record_is_an_error_and_a_problem_of_the_transcript(data: bytes) -> None:
    with pytest.raises(WireFormatError, match="no DTLS record"):
        list(DatagramSplitter().feed(data))
    good = Chunk(Role.CLIENT, 0.0, record(21, 0, b"\2\50"))
    shown = read([good, Chunk(Role.CLIENT, 0.1, data), good])

    assert "the client's stream: no DTLS record" in shown.problem
    assert [alert.number for alert in shown.alerts] == [40, 40]


def test_fragments_join_in_the_order_of_the_numbers() -> None:
    first, second = b"abcdef", b"xyz"
    pieces = [fragment(1, second, 0, 3), fragment(0, first, 4, 6), fragment(0, first, 0, 3), fragment(0, first, 2, 5)]
    joiner = DatagramJoiner()

    found = [message for piece in pieces for message in joiner.feed(piece, 0)]

    assert [(message.body, message.again) for message in found] == [(first, False), (second, False)]
    assert [message.again for message in joiner.feed(fragment(0, first, 0, 6), 0)] == [True]
    joiner.finish()


REQUEST, HELLO, CERTIFICATE, FINISHED = 0, 2, 11, 20


@pytest.mark.parametrize("begins", [0, 1])
def test_a_renegotiation_begins_its_numbers_again(begins: int) -> None:
    """OpenSSL's ServerHello has the number after its HelloRequest's, others' may have the same."""
    sent = [
        (HELLO, 0, 0, False),
        (FINISHED, 1, 1, False),
        (FINISHED, 1, 1, True),
        (REQUEST, 0, 1, False),
        (HELLO, begins, 1, False),
        (FINISHED, 1, 1, True),
        (CERTIFICATE, begins + 1, 1, False),
        (HELLO, begins, 1, True),
        (FINISHED, begins + 2, 2, False),
        (CERTIFICATE, begins + 1, 1, True),
    ]
    joiner = DatagramJoiner()

    found = [
        message
        for kind, number, epoch, _ in sent
        for message in joiner.feed(fragment(number, b"abc", 0, 3, kind), 0, epoch=epoch)
    ]

    assert [(message.type, message.again) for message in found] == [(kind, again) for kind, _, _, again in sent]
    assert [message.sealed for message in found] == [epoch > 0 for _, _, epoch, _ in sent]


def test_a_message_that_never_comes_is_missed() -> None:
    joiner = DatagramJoiner()

    assert list(joiner.feed(fragment(1, b"xyz", 0, 3), 0)) == []
    with pytest.raises(WireFormatError, match="handshake message 0 never came as a whole"):
        joiner.finish()


@pytest.mark.parametrize("data", [b"\x10\0\0", fragment(0, b"abc", 0, 3)[:-1], b"\x10\0\0\1\0\0\0\0\0\0\0\2ab"])
def test_what_is_no_fragment_is_an_error(data: bytes) -> None:
    with pytest.raises(WireFormatError, match="no fragment of a handshake message"):
        list(DatagramJoiner().feed(data, 0))


def test_each_datagram_is_a_packet_with_right_checksums() -> None:
    sent = [Chunk(Role.CLIENT, 0.1, b"one"), Chunk(Role.SERVER, 0.2, b"four")]

    packets = list(datagrams(sent, 3))

    assert [packet.at for packet in packets] == [0.1, 0.2]
    ports = (client_port(3), SERVER_PORT)
    for packet, chunk, (source, target) in zip(packets, sent, (ports, ports[::-1]), strict=True):
        ip, udp = packet.data[:20], packet.data[20:]
        assert ip[9] == 17
        assert (int.from_bytes(udp[:2], "big"), int.from_bytes(udp[2:4], "big")) == (source, target)
        assert int.from_bytes(udp[4:6], "big") == len(udp)
        assert udp[8:] == chunk.data
        assert checksum(ip) == b"\0\0"
        assert checksum(ip[12:] + bytes((0, 17)) + udp[4:6] + udp) == b"\0\0"
