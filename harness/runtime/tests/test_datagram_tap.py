"""The tap of datagrams relays and records each one, sets those of others aside, and ends a conversation both ways."""

from __future__ import annotations

import os
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from harness.model.tls import Close, Role
from harness.runtime.datagram_tap import DatagramTap
from harness.runtime.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Ends:
    """A plain UDP client and server with a tap between."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.server = socket.socket(type=socket.SOCK_DGRAM)
        self.server.bind(("127.0.0.1", 0))
        self.tap = DatagramTap(self.loop, self.server.getsockname)
        self.client = self.stranger()

    def stranger(self) -> socket.socket:
        """Another client of the tap."""
        sock = socket.socket(type=socket.SOCK_DGRAM)
        sock.connect(("127.0.0.1", self.tap.port))
        return sock

    def strays(self) -> list[str]:
        """Wait for what the tap sets aside."""
        found: list[str] = []

        def came() -> bool:
            found.extend(self.tap.strays())
            return bool(found)

        self.loop.wait(came, "what is set aside")
        return found

    def close(self) -> None:
        """Close everything."""
        self.tap.close()
        self.client.close()
        self.server.close()
        self.loop.close()


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    made.close()


def test_each_datagram_is_relayed_and_recorded_as_one(ends: Ends) -> None:
    ends.tap.expect(os.getpid)
    ends.client.send(b"one")
    ends.client.send(b"two")
    ends.loop.wait(lambda: bool(ends.tap.connections) and len(ends.tap.connections[0].chunks) == 2, "both")
    first, tap = ends.server.recvfrom(100)
    ends.server.sendto(b"answer", tap)
    ends.loop.wait(lambda: len(ends.tap.connections[0].chunks) == 3, "the answer")

    assert (first, ends.server.recv(100), ends.client.recv(100)) == (b"one", b"two", b"answer")
    assert [(chunk.sender, chunk.data) for chunk in ends.tap.connections[0].chunks] == [
        (Role.CLIENT, b"one"),
        (Role.CLIENT, b"two"),
        (Role.SERVER, b"answer"),
    ]
    assert ends.tap.connections[0].tcp.datagrams


def test_the_port_of_a_conversation_that_is_over_is_nobody_elses(ends: Ends) -> None:
    """A server keeps a socket for what still comes from it, which would swallow a later conversation of that port."""
    ends.tap.expect(os.getpid)
    ends.client.send(b"one")
    ends.loop.wait(lambda: bool(ends.tap.connections) and bool(ends.tap.connections[0].chunks), "its beginning")
    _, tap = ends.server.recvfrom(100)
    for role in Role:
        ends.tap.connections[0].leave(role)
    with socket.socket(type=socket.SOCK_DGRAM) as later:
        with pytest.raises(OSError, match="in use"):
            later.bind(tap)
        ends.tap.close()
        later.bind(tap)

    assert ends.tap.connections[0].ended


def test_a_datagram_that_is_not_expected_is_set_aside(ends: Ends) -> None:
    ends.client.send(b"nobody expects this")

    assert ends.strays() == [f"a datagram from 127.0.0.1:{ends.client.getsockname()[1]}, which is not the client's"]
    assert ends.tap.connections == []


def test_a_datagram_of_another_process_is_set_aside(ends: Ends) -> None:
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as expected, ends.stranger() as other:
        ends.tap.expect(lambda: expected.pid)
        other.send(b"not the one")
        assert len(ends.strays()) == 1

    assert ends.tap.connections == []


def test_an_end_that_leaves_says_so_with_an_empty_datagram(ends: Ends) -> None:
    ends.tap.expect(os.getpid)
    ends.client.send(b"hello")
    ends.client.send(b"")
    ends.loop.wait(lambda: bool(ends.tap.connections) and bool(ends.tap.connections[0].tcp.ends), "the end")
    tapped = ends.tap.connections[0]
    assert ends.server.recv(100) == b"hello"
    left, tap = ends.server.recvfrom(100)
    assert (left, tapped.ended) == (b"", False)
    ends.server.sendto(b"", tap)
    ends.loop.wait(lambda: tapped.ended, "the other end")

    assert [end.sender for end in tapped.tcp.ends] == [Role.CLIENT, Role.SERVER]
    assert [chunk.data for chunk in tapped.chunks] == [b"hello"]


def test_a_cut_tells_both_ends_that_the_other_one_has_left(ends: Ends) -> None:
    ends.tap.expect(os.getpid)
    ends.client.send(b"hello")
    ends.loop.wait(lambda: bool(ends.tap.connections), "the client")
    ends.tap.connections[0].cut(Close.EOF)

    assert [ends.server.recv(100), ends.server.recv(100), ends.client.recv(100)] == [b"hello", b"", b""]


class Program:
    """An end that sends no empty datagram."""

    def __init__(self) -> None:
        self.left: Callable[[], None] = lambda: None
        self.hang_up: Callable[[], bool] = lambda: False


def test_what_a_silent_client_sent_last_comes_before_its_end(ends: Ends) -> None:
    silent = Program()
    ends.tap.expect(os.getpid, {Role.CLIENT: silent})
    ends.client.send(b"hello")
    ends.client.send(b"last")
    silent.left()

    assert [ends.server.recv(100) for _ in range(3)] == [b"hello", b"last", b""]
    assert [end.sender for end in ends.tap.connections[0].tcp.ends] == [Role.CLIENT]


def test_what_a_silent_server_sent_last_comes_before_its_end(ends: Ends) -> None:
    silent = Program()
    ends.tap.expect(os.getpid, {Role.SERVER: silent})
    ends.client.send(b"hello")
    ends.loop.wait(lambda: bool(ends.tap.connections), "the client")
    _, tap = ends.server.recvfrom(100)
    ends.server.sendto(b"last", tap)
    silent.left()

    assert [ends.client.recv(100), ends.client.recv(100)] == [b"last", b""]


@pytest.mark.parametrize(("last", "is_sent"), [(b"\x15 an alert", False), (b"\x17 data", True)])
def test_a_silent_server_gets_no_empty_datagram_after_an_alert(ends: Ends, last: bytes, *, is_sent: bool) -> None:
    """It goes on to its next connection, and the empty datagram would be the first one of that."""
    ends.tap.expect(os.getpid, {Role.SERVER: Program()})
    for datagram in (last, b""):
        ends.client.send(datagram)
    ends.loop.wait(lambda: bool(ends.tap.connections) and bool(ends.tap.connections[0].tcp.ends), "the end")
    assert ends.server.recv(100) == last
    ends.server.settimeout(0)

    if is_sent:
        assert ends.server.recv(100) == b""
    else:
        with pytest.raises(BlockingIOError):
            ends.server.recv(100)


def test_a_conversation_that_never_began_cannot_be_hung_up(ends: Ends) -> None:
    silent = Program()
    ends.tap.expect(os.getpid, {Role.SERVER: silent})
    silent.left()

    assert not silent.hang_up()
    ends.client.send(b"hello")
    ends.loop.wait(lambda: bool(ends.tap.connections), "the client")
    assert silent.hang_up()
    assert [ends.server.recv(100), ends.server.recv(100)] == [b"hello", b""]
