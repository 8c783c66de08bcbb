"""The tap relays and records every byte, ends TCP on request, blocks what a gate blocks, outlives a missing server."""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING

import pytest

from harness.model.tls import Close, Role
from harness.runtime.loop import Loop
from harness.runtime.socket_owner import holds
from harness.runtime.tap import RESET, Tap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Ends:
    """A plain TCP client and server with a tap between."""

    def __init__(self, gate: Callable[[], Refuse] | None = None) -> None:
        self.loop = Loop()
        listener = socket.create_server(("127.0.0.1", 0))
        self.tap = Tap(self.loop, listener.getsockname, gate)
        self.client = socket.create_connection(("127.0.0.1", self.tap.port))
        self.loop.wait(lambda: bool(self.tap.connections), "the tap's connection")
        self.server, _ = listener.accept()
        listener.close()
        self.tapped = self.tap.connections[0]
        for end in (self.client, self.server):
            end.settimeout(0)

    def carry(self, sender: socket.socket, to: socket.socket, data: bytes) -> bytes:
        """Send all of the data while the other end reads; what arrived."""
        got = bytearray()
        left = [memoryview(data)]

        def send() -> None:
            left[0] = left[0][sender.send(left[0]) :]
            if not left[0]:
                self.loop.forget(sender)

        self.loop.watch(sender, send, write=True)
        self.loop.watch(to, lambda: got.extend(to.recv(65536)))
        self.loop.wait(lambda: len(got) == len(data), f"{len(data)} bytes through the tap")
        self.loop.forget(to)
        return bytes(got)

    def close(self) -> None:
        """Close everything."""
        self.tap.close()
        self.client.close()
        self.server.close()
        self.loop.close()


class Refuse:
    """A gate that blocks whatever contains the word."""

    def feed(self, sender: Role, data: bytes) -> str | None:
        """Block the word."""
        return f"the {sender} said it" if b"forbidden" in data else None


@pytest.fixture
def ends() -> Iterator[Ends]:
    opened = Ends()
    yield opened
    opened.close()


@pytest.fixture
def gated() -> Iterator[Ends]:
    opened = Ends(Refuse)
    yield opened
    opened.close()


def recorded(ends: Ends, sender: Role) -> bytes:
    return b"".join(chunk.data for chunk in ends.tapped.chunks if chunk.sender is sender)


def test_both_directions_are_relayed_and_recorded(ends: Ends) -> None:
    there = ends.carry(ends.client, ends.server, b"hello")
    back = ends.carry(ends.server, ends.client, b"welcome")

    assert (there, back) == (b"hello", b"welcome")
    assert recorded(ends, Role.CLIENT) == b"hello"
    assert recorded(ends, Role.SERVER) == b"welcome"


def test_more_than_the_socket_buffers_hold_is_relayed_whole(ends: Ends) -> None:
    data = bytes(range(256)) * 65536
    there = ends.carry(ends.client, ends.server, data)

    assert there == data
    assert recorded(ends, Role.CLIENT) == data


def test_the_end_of_one_direction_leaves_the_other_open(ends: Ends) -> None:
    ends.client.shutdown(socket.SHUT_WR)
    back = ends.carry(ends.server, ends.client, b"still here")

    assert back == b"still here"
    assert ends.server.recv(1) == b""
    assert not ends.tapped.ended


def test_eof_reaches_both_ends(ends: Ends) -> None:
    ends.tapped.cut(Close.EOF)

    assert ends.client.recv(1) == b""
    assert ends.server.recv(1) == b""


@pytest.mark.parametrize("end", ["client", "server"])
def test_a_reset_reaches_both_ends(ends: Ends, end: str) -> None:
    ends.tapped.cut(Close.RST)

    with pytest.raises(ConnectionResetError):
        getattr(ends, end).recv(1)
    assert ends.tapped.ended


def test_ports_and_the_time_of_the_beginning_are_known(ends: Ends) -> None:
    before = time.time_ns()
    tcp = ends.tapped.tcp

    assert tcp.client_port == ends.client.getsockname()[1]
    assert tcp.tap_port == ends.tap.port == ends.client.getpeername()[1]
    assert tcp.server_port == ends.server.getsockname()[1]
    assert before - 60e9 < tcp.began <= before


def observed_ends(ends: Ends) -> list[tuple[Role | None, bool]]:
    """Who ended TCP so far, and whether by a reset."""
    return [(end.sender, end.reset) for end in ends.tapped.tcp.ends]


def test_who_ended_tcp_is_reported_in_order(ends: Ends) -> None:
    ends.server.shutdown(socket.SHUT_WR)
    ends.loop.wait(lambda: len(observed_ends(ends)) == 1, "the server's FIN")
    ends.client.close()
    ends.loop.wait(lambda: ends.tapped.ended, "both ends")

    assert observed_ends(ends) == [(Role.SERVER, False), (Role.CLIENT, False)]


def test_an_end_that_resets_is_reported(ends: Ends) -> None:
    ends.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    ends.client.close()
    ends.loop.wait(lambda: ends.tapped.ended, "the reset")

    assert observed_ends(ends) == [(Role.CLIENT, True)]


@pytest.mark.parametrize(("how", "reset"), [(Close.EOF, False), (Close.RST, True)])
def test_an_end_by_the_tap_is_reported_as_its_own(ends: Ends, how: Close, reset: bool) -> None:  # noqa: FBT001 - a table
    ends.tapped.cut(how)

    assert observed_ends(ends) == [(None, reset)]


def test_a_gate_that_blocks_is_an_end_by_the_tap(gated: Ends) -> None:
    gated.client.send(b"forbidden")
    gated.loop.wait(lambda: gated.tapped.ended, "the gate")

    assert observed_ends(gated) == [(None, True)]


def test_what_a_gate_blocks_is_not_relayed(gated: Ends) -> None:
    gated.client.send(b"forbidden")
    gated.loop.wait(lambda: bool(gated.tapped.blocked), "the gate")

    assert gated.tapped.blocked == "the client said it"
    assert recorded(gated, Role.CLIENT) == b""
    with pytest.raises(ConnectionResetError):
        gated.server.recv(1)


def test_what_is_held_back_passes_once_it_is_released() -> None:
    loop = Loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        tap = Tap(loop, listener.getsockname)
        tap.holds = lambda chunks, sender: sender is Role.CLIENT and bool(chunks)
        client = socket.create_connection(("127.0.0.1", tap.port))
        loop.wait(lambda: bool(tap.connections), "the tap's connection")
        server, _ = listener.accept()
    with client, server:
        (tapped,) = tap.connections
        client.sendall(b"one")
        loop.wait(lambda: bool(tapped.chunks), "the first bytes")
        client.sendall(b"two")
        loop.turn(1)

        assert [chunk.data for chunk in tapped.chunks] == [b"one"]
        tapped.release()
        client.sendall(b"three")
        loop.wait(lambda: b"".join(chunk.data for chunk in tapped.chunks) == b"onetwothree", "all bytes")
        assert server.recv(100) == b"onetwothree"
        tap.close()
        loop.close()


def test_a_server_that_is_not_there_resets_the_client() -> None:
    loop = Loop()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        tap = Tap(loop, silent.getsockname)
        client = socket.create_connection(("127.0.0.1", tap.port))
        loop.turn(5)

    with pytest.raises(ConnectionResetError):
        client.recv(1)
    assert tap.connections == []
    tap.close()
    client.close()
    loop.close()


def test_a_client_that_closed_at_once_is_not_set_aside() -> None:
    loop = Loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        tap = Tap(loop, listener.getsockname)
        tap.expect(os.getpid)
        with socket.create_connection(("127.0.0.1", tap.port)) as client:
            client.sendall(b"\x15\x03\x03\x00\x02\x02\x50")
        loop.wait(lambda: bool(tap.connections), "the tap's connection")
        tap.close()
    loop.close()

    assert tap.strays() == ()


def test_a_client_that_closes_while_its_owner_is_looked_for_is_no_stranger(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = Loop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        tap = Tap(loop, listener.getsockname)
        tap.expect(os.getpid)
        client = socket.create_connection(("127.0.0.1", tap.port))

        def close_first(pid: int, socket_inode: int) -> bool:
            client.close()
            return holds(pid, socket_inode)

        monkeypatch.setattr("harness.runtime.tap.holds", close_first)
        tap.accept()

        assert tap.strays() == ()
        assert len(tap.connections) == 1
        tap.close()
    loop.close()
