"""A listener takes any free port, and on UDP gives each client a socket of its own, with all that the client sends."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from harness.agent import sockets
from harness.agent.watcher import Watcher

if TYPE_CHECKING:
    import pytest

    from harness.agent.conversation import Conversation

RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


class Opened:
    """A conversation that keeps its socket."""

    def __init__(self) -> None:
        self.sock: Any = None

    def opened(self, sock: socket.socket) -> None:
        """Keep it."""
        self.sock = sock

    def not_opened(self, error: BaseException) -> None:
        """The listener was closed first."""


def test_the_second_datagram_of_a_client_begins_no_conversation(monkeypatch: pytest.MonkeyPatch) -> None:
    listener = sockets.DatagramListener(Watcher())
    bound = sockets.bound_socket
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.connect((sockets.LOOPBACK, listener.port))
        client.send(b"one")

        def bound_late(port: int) -> socket.socket:
            """The next socket, with a datagram that comes as soon as there is one."""
            made = bound(port)
            client.send(b"two")
            return made

        monkeypatch.setattr(sockets, "bound_socket", bound_late)
        first, second = Opened(), Opened()
        for conversation in (first, second):
            listener.accept(cast("Conversation", conversation))

        assert [first.sock.recv(9), first.sock.recv(9)] == [b"one", b"two"]
        assert second.sock is None
        first.sock.close()
    listener.close()


def test_the_kernel_gives_no_port_to_two_listeners() -> None:
    with ExitStack() as opened:
        bound = [opened.enter_context(sockets.bound_socket(0)) for _ in range(900)]
        ports = [one.getsockname()[1] for one in bound]
        shared = opened.enter_context(sockets.bound_socket(ports[0]))

        assert len(set(ports)) == len(ports)
        assert shared.getsockname() == bound[0].getsockname()


def test_the_ports_come_from_both_halves_of_the_range() -> None:
    least, greatest = map(int, RANGE.read_text().split())
    with ExitStack() as opened:
        ports = [opened.enter_context(sockets.chosen_port(sockets.BACKLOG)).getsockname()[1] for _ in range(100)]

    assert {port > (least + greatest) // 2 for port in ports} == {False, True}
