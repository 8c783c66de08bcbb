"""Ends of a connection that do no TLS, for tests of what the real ones make of them."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

from harness.model.build import Build
from harness.model.capability import FULLY, Abilities
from harness.model.knobs import config_type
from harness.model.view import EndpointReport, Saw, View, Witness
from harness.runtime.loop import resolved
from harness.stacks.remote import RemoteLink

if TYPE_CHECKING:
    from harness.model.knobs import ClientConfig, ServerConfig
    from harness.model.session import Session
    from harness.model.tls import Role
    from harness.runtime.loop import Loop, Pending

NOT_ASKED = "a raw end does no more than it was shown"


class RawLink(RemoteLink):
    """Says nothing more than that it did not do TLS."""

    def __init__(self, role: Role) -> None:
        super().__init__("raw@0")
        self._role = role

    def process(self) -> int | None:
        """The test itself."""
        return os.getpid()

    def handshake(self) -> Pending[bool]:
        """None."""
        return resolved(value=False)

    def release(self) -> Pending[EndpointReport]:
        """Its view is ABORTED: it made no handshake."""
        witness = Witness(self._role.value)
        return resolved(EndpointReport(View(witness, Saw.ABORTED, ("it does no TLS",), name="raw@0")))


class RawEndpoint:
    """A TCP peer: sends its bytes, then ends TCP, or keeps silent for good if ``ends`` is False.

    As a server with ``answers`` it waits for bytes of its peer first.
    """

    name = "raw@0"

    def __init__(self, loop: Loop, role: Role, data: bytes, *, ends: bool = True, answers: bool = False) -> None:
        self._loop = loop
        self._answers = answers
        self._role = role
        self._data = data
        self._ends = ends
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        loop.watch(self._listener, self._accept)

    def _accept(self) -> None:
        peer = self._listener.accept()[0]
        if self._answers:
            self._loop.watch(peer, lambda: self._answer(peer))
        else:
            self._speak(peer)

    def _answer(self, peer: socket.socket) -> None:
        self._loop.forget(peer)
        peer.recv(65536)
        self._speak(peer)

    def _speak(self, peer: socket.socket) -> None:
        peer.sendall(self._data)
        self._open.append(peer)
        if self._ends:
            peer.shutdown(socket.SHUT_WR)
            self._loop.watch(peer, lambda: self._drain(peer))

    def _drain(self, peer: socket.socket) -> None:
        """Read what the peer says, so that its TCP ends in order and not with a reset."""
        if not peer.recv(65536):
            self._loop.forget(peer)
            peer.close()

    def connect(self, port: int, offer: Session | None = None) -> RawLink:
        """Connect and speak."""
        if offer is not None:
            raise AssertionError(NOT_ASKED)
        self._speak(socket.create_connection(("127.0.0.1", port)))
        return RawLink(self._role)

    @property
    def address(self) -> tuple[str, int]:
        """Its host and port."""
        return "127.0.0.1", self.port

    def accept(self) -> RawLink:
        """Whoever comes is spoken to."""
        return RawLink(self._role)

    def control(self, verb: str, **fields: object) -> Pending[Any]:
        """None."""
        raise AssertionError(NOT_ASKED, verb, fields)

    def move_clock(self, seconds: int) -> None:
        """None."""
        raise AssertionError(NOT_ASKED, seconds)

    def stop_clock(self, at: int) -> None:
        """None."""
        raise AssertionError(NOT_ASKED, at)

    def run_clock(self, at: float, pace: float = 1) -> None:
        """None."""
        raise AssertionError(NOT_ASKED, at, pace)

    def close(self) -> None:
        """Close everything."""
        self._loop.forget(self._listener)
        self._listener.close()
        for peer in self._open:
            self._loop.forget(peer)
            peer.close()


class RawStack:
    """Plays either role with the same bytes."""

    name = "raw"
    label = "raw@0"
    build = Build("0", "test")

    def __init__(self, loop: Loop, data: bytes, *, ends: bool = True, answers: bool = False) -> None:
        self._loop, self._data, self._ends, self._answers = loop, data, ends, answers

    def abilities(self, role: Role) -> Abilities:
        """All knobs, as none matters."""
        return Abilities(role, dict.fromkeys(config_type(role).__dataclass_fields__, FULLY))

    def prepare(self, _config: object) -> None:
        """Start nothing: it has no process."""

    def client(self, config: ClientConfig) -> RawEndpoint:
        """A client that speaks when it has connected."""
        return self._endpoint(config.role)

    def server(self, config: ServerConfig) -> RawEndpoint:
        """A server that speaks to whoever comes."""
        return self._endpoint(config.role)

    def _endpoint(self, role: Role) -> RawEndpoint:
        return RawEndpoint(self._loop, role, self._data, ends=self._ends, answers=self._answers)

    def close(self) -> None:
        """Nothing is kept."""
