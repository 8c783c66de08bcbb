"""A capture is a well-formed pcapng file of well-formed TCP, carries every byte, and only the connections' secrets."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from harness.case.desk import desk
from harness.model.tls import Close, Role, TLSVersion
from harness.model.transcript import Chunk, Tcp, TcpEnd
from harness.report.capture import capture, key_log
from harness.report.tests.pcapng_reader import read_file
from harness.report.tests.real_cases import connections
from harness.tests.made.connections import connection
from harness.wire.pcap.pcapng import Section, Stamped, pcapng
from harness.wire.pcap.segments import LONGEST, packets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.connection import Connection
    from harness.report.tests.pcapng_reader import File

C, S = Role.CLIENT, Role.SERVER
SYNS = [(C, "SYN"), (S, "SYN ACK"), (C, "ACK")]
SECTION = Section("hardware", "system", "application", "a comment", "tap", "a relay")
BEGAN = 1_795_304_650_468_881_131


@pytest.fixture(scope="module")
def real() -> tuple[Connection, ...]:
    """A full and a resumed connection of two libssls, TLS 1.3."""
    return connections("libssl", "libssl", desk(tls=TLSVersion.TLSv1_3))


def framed(chunks: Sequence[Chunk], *ends: TcpEnd) -> File:
    """One stream out of these chunks."""
    stamped = [Stamped(round(at * 1e9), data, comment) for at, data, comment in packets(chunks, ends, 0)]
    return read_file(pcapng(SECTION, [], stamped))


def made(*ends: TcpEnd, chunks: tuple[Chunk, ...] = (), blocked: str = "") -> File:
    """A capture of one connection that was made by hand."""
    tapped = connection(chunks=chunks, blocked=blocked, tcp=Tcp(BEGAN, 40001, 40002, 40003, ends))
    return read_file(capture([tapped]))


def test_blocks_come_in_the_order_that_a_reader_needs(real: Sequence[Connection]) -> None:
    kinds = [block.kind for block in read_file(capture(real)).blocks]

    assert kinds[:4] == ["section", "interface", "secrets", "packet"]
    assert set(kinds[4:]) == {"packet"}


def test_the_file_says_what_made_it_and_that_its_secrets_are_worthless(real: Sequence[Connection]) -> None:
    section, interface, *_ = read_file(capture(real)).blocks

    assert section.options[4].startswith(b"resumption-harness")
    assert b"Linux" in section.options[3]
    assert b"throw-away test keys" in section.options[1]
    assert interface.head[:2] == struct.pack("<H", 101)
    assert interface.options[9] == b"\x09"


def test_the_key_log_holds_the_secrets_of_each_connection_and_of_no_other(real: Sequence[Connection]) -> None:
    first, second = ([*c.client.keylog, *c.server.keylog] for c in real)
    stray = replace(
        real[1], client=replace(real[1].client, keylog=(*first, *second, "# nonsense", "CLIENT_RANDOM a b"))
    )
    both, one = (read_file(capture(shown)).secrets for shown in (real, [stray]))

    assert both[0].startswith("# The secrets in this file belong to throw-away test keys")
    assert set(both[1:]) == {*first, *second}
    assert set(one[1:]) == set(second)
    assert len(one) == len(set(one))


def test_a_capture_without_secrets_says_so(real: Sequence[Connection]) -> None:
    mute = replace(real[0], client=replace(real[0].client, keylog=()), server=replace(real[0].server, keylog=()))
    file = read_file(capture([mute]))

    assert "secrets" not in [block.kind for block in file.blocks]
    assert file.segments[0].comment.endswith("Neither end logged its secrets, so encrypted messages stay encrypted.")


@pytest.mark.parametrize("number", [0, 1])
def test_a_session_has_the_tls12_secret_that_no_key_log_has(number: int) -> None:
    made = connections("libssl", "libssl", desk(tls=TLSVersion.TLSv1_2))[number]
    silent = replace(made, client=replace(made.client, keylog=()), server=replace(made.server, keylog=()))

    assert [line.lower() for line in key_log(silent)] == [line.lower() for line in key_log(made)]
    assert len(key_log(made)) == 1


def test_each_connection_is_a_stream_that_says_whose_it_is(real: Sequence[Connection]) -> None:
    comments = [segment.comment for segment in read_file(capture(real)).segments if segment.flags == "SYN"]

    assert [comment.partition(",")[0] for comment in comments] == [
        f"connection {c.number}: client {c.client.view.name}" for c in real
    ]


@pytest.mark.parametrize("sender", Role)
@pytest.mark.parametrize("number", [0, 1])
def test_a_real_connection_is_carried_whole(real: Sequence[Connection], number: int, sender: Role) -> None:
    said = b"".join(chunk.data for chunk in real[number].chunks if chunk.sender is sender)

    assert read_file(capture(real)).stream(sender, 60000 + number) == said


def test_times_are_those_of_the_tap(real: Sequence[Connection]) -> None:
    tcp = real[0].tcp
    assert tcp is not None
    stamps = [segment.at for segment in read_file(capture(real[:1])).segments if segment.data]

    assert stamps == [tcp.began + round(chunk.at * 1e9) for chunk in real[0].chunks]


CHUNKINGS = {
    "one byte each": [(C, b"a"), (S, b"b"), (C, b"c")],
    "odd lengths": [(C, b"abc"), (S, b"\xff" * 7), (C, b"\0" * 9)],
    "all ones": [(C, b"\xff" * 1000), (S, b"\xff" * 1001)],
    "an MSS": [(C, bytes(LONGEST)), (S, b"x")],
    "more than an MSS": [(C, bytes(LONGEST + 1)), (S, b"x" * 65536)],
    "more than the window": [(S, bytes(range(256)) * 300), *[(S, b"y" * 40000)] * 20, (C, b"x")],
    "one direction": [(S, bytes([n])) for n in range(200)],
    "nothing": [],
}


@pytest.mark.parametrize("chunking", CHUNKINGS.values(), ids=CHUNKINGS)
@pytest.mark.parametrize("sender", Role)
def test_the_payload_of_each_direction_is_its_chunks(chunking: list[tuple[Role, bytes]], sender: Role) -> None:
    chunks = [Chunk(role, number / 1000, data) for number, (role, data) in enumerate(chunking)]
    file = framed(chunks, TcpEnd(C, 1, reset=False), TcpEnd(S, 1, reset=False))

    assert file.stream(sender) == b"".join(data for role, data in chunking if role is sender)
    assert file.acknowledged()
    assert max(len(segment.data) for segment in file.segments) <= LONGEST


def test_no_more_than_a_window_is_unacknowledged() -> None:
    file = framed([Chunk(S, 0.1, bytes(65536)), Chunk(S, 0.2, bytes(65536))])

    assert [len(s.data) for s in file.segments[3:]] == [65495, 0, 41, 0, 65495, 0, 41]


LINE = (Chunk(C, 0.1, b"ping"), Chunk(S, 0.2, b"pong"))
FIN_C, FIN_S = [(C, "FIN ACK"), (S, "ACK")], [(S, "FIN ACK"), (C, "ACK")]
ENDINGS = {
    "nobody ended it": ([], []),
    "the client, then the server": ([(C, 0.3, False), (S, 0.4, False)], [*FIN_C, *FIN_S]),
    "the server, then the client": ([(S, 0.3, False), (C, 0.4, False)], [*FIN_S, *FIN_C]),
    "the server alone": ([(S, 0.3, False)], FIN_S),
    "the tap": ([(None, 0.3, False), (C, 0.4, False), (S, 0.5, False)], [*FIN_C, *FIN_S]),
    "a reset by the client": ([(C, 0.3, True)], [(C, "RST ACK")]),
    "a reset after the other's end": ([(S, 0.3, False), (C, 0.4, True)], [*FIN_S, (C, "RST ACK")]),
    "a reset by the tap": ([(None, 0.3, True)], [(C, "RST ACK"), (S, "RST ACK")]),
}


@pytest.mark.parametrize(("ends", "flags"), ENDINGS.values(), ids=ENDINGS)
def test_tcp_ends_as_the_tap_met_it(ends: list[tuple[Role | None, float, bool]], flags: list[tuple[Role, str]]) -> None:
    file = made(*(TcpEnd(*end) for end in ends), chunks=LINE)

    assert file.flags() == [*SYNS, *flags]


def test_what_an_end_sends_after_the_tap_ended_tcp_is_there_and_marked() -> None:
    chunks = (*LINE, Chunk(C, 0.31, b"late"))
    file = made(TcpEnd(None, 0.3, reset=False), TcpEnd(C, 0.4, reset=False), chunks=chunks)
    late = [segment for segment in file.segments if segment.data == b"late"]

    assert file.stream(C) == b"pinglate"
    assert [segment.comment for segment in late] == [
        "sent after the tap had ended TCP towards both ends; the other end did not get it"
    ]


def test_a_middlebox_that_blocked_is_named_where_tcp_ends() -> None:
    file = made(TcpEnd(None, 0.3, reset=True), chunks=LINE, blocked="no change_cipher_spec")

    assert file.segments[-1].comment == "the tap ended TCP towards both ends: no change_cipher_spec"


def test_connections_that_overlap_are_in_the_order_of_time() -> None:
    first, second = (
        connection(number=n, chunks=LINE, tcp=Tcp(BEGAN + 50_000_000 * n, 40000 + n, 40002, 40003)) for n in (1, 2)
    )
    stamps = [segment.at for segment in read_file(capture([first, second])).segments]

    assert stamps == sorted(stamps)


def test_connections_that_passed_no_tap_are_no_capture() -> None:
    assert capture([connection()]) == b""


def test_a_text_that_is_too_long_for_an_option_is_cut_between_characters() -> None:
    section, _ = read_file(pcapng(replace(SECTION, comment="x" + "ä" * 40000), [], [])).blocks

    assert section.options[1].decode() == "x" + "ä" * 32767


HEADERS = 40
"""Bytes of IPv4 and TCP before the data of a packet."""


@pytest.mark.parametrize("place", [-HEADERS + 8, -HEADERS + 10, -HEADERS + 24, -HEADERS + 36, 0], ids=str)
def test_the_reader_of_these_tests_refuses_a_packet_with_one_bit_changed(place: int) -> None:
    whole = bytearray(pcapng(SECTION, [], [Stamped(0, list(packets(LINE, [], 0))[3].data)]))
    whole[whole.index(b"ping") + place] ^= 1

    with pytest.raises(AssertionError):
        read_file(bytes(whole))


def test_the_reader_of_these_tests_misses_a_segment() -> None:
    file = framed([*LINE, *LINE])
    file.segments.pop(3)

    with pytest.raises(AssertionError):
        file.stream(C)


@pytest.mark.parametrize("how", [Close.BOTH, Close.EOF, Close.RST])
def test_real_ends_are_what_the_case_asked_for(how: Close) -> None:
    [closed] = connections("libssl", "libssl", desk(tls=TLSVersion.TLSv1_2, close=how, times=0))
    flags = [flags for _, flags in read_file(capture([closed])).flags()[3:]]

    assert flags == (["RST ACK"] * 2 if how is Close.RST else ["FIN ACK", "ACK"] * 2)
