"""Connects to the server: one handshake, what is said, and the end, as a Connection with two witnesses."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from harness.model.errors import DEADLINE, DisagreementError, HarnessError, TimedOutError, UnreachableError, stretched
from harness.model.knobs import ClientConfig
from harness.model.tls import USUAL_VERSIONS, Outcome, Role
from harness.model.view import Saw
from harness.pair.pair import Pair
from harness.stacks.remote import RemoteStack
from harness.wire.records import ContentType, records_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.model.connection import Connection
    from harness.model.session import Session
    from harness.model.tls import TLSVersion
    from harness.model.transcript import Chunk
    from harness.pair.control import Client
    from harness.pair.open_connection import OpenConnection
    from harness.probe.limits import Limits
    from harness.probe.say import Said
    from harness.runtime.address import Target
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack

PATIENCE = 3.0
"""Seconds that a server has to answer what is said, and to close TCP."""
ANSWERS = 50
"""How many times as long as its handshake took a server on this machine has to answer."""
QUICK = 1.0
"""Seconds that such a server has at least; PATIENCE is the most."""
ENDLESS = 10
"""How many times as long as its first handshake took a server is waited for that once did not close TCP in time."""
LEAST = 0.25
"""Seconds that such a server is waited for at least: its tickets may come late."""
HELD = 0.5
"""Seconds that the client's Finished is held back at most after early data."""
FLOOD = 4 << 20
"""Bytes that a connection may carry."""
SHOWN = 24
"""Bytes shown of an answer that is not TLS."""


class SilentError(UnreachableError):
    """A server that completed the handshake and closed without an answer, so that its client cannot know."""


class FloodGate:
    """Ends a connection that carries more than FLOOD bytes."""

    def __init__(self) -> None:
        self._carried = 0

    def feed(self, sender: Role, data: bytes) -> str | None:
        """Return why the connection ends, or None."""
        self._carried += len(data)
        return f"the {sender} sent more than {FLOOD >> 20} MiB" if self._carried > FLOOD else None


@dataclass(frozen=True, slots=True)
class Visit:
    """A connection and the answer to what was said; the answer is None if none came in time."""

    connection: Connection
    answer: bytes | None
    early_answer: bool = False
    """Whether the answer to early data began while the client's Finished was held back."""

    @property
    def outcome(self) -> Outcome:
        """The outcome; the caller checks `disagreement` first."""
        return self.connection.observed_outcome()


class Visitor:
    """Makes all connections of a probe by one client; users see ``name`` of the server, its address if empty."""

    def __init__(
        self,
        runtime: Runtime,
        client: Stack,
        target: Target,
        limits: Limits,
        said: Said,
        versions: tuple[TLSVersion, ...] = USUAL_VERSIONS,
        name: str = "",
    ) -> None:
        self.target = target
        self.limits = limits
        self.said = said
        self._runtime = runtime
        self._patience = 0.0
        """Seconds that a server has to close TCP which once did not; 0 while there is none."""
        self.waited = PATIENCE
        """Seconds that the server had to answer what was said last."""
        self._clients: dict[ClientConfig, tuple[Client, ClientConfig]] = {}
        self._first = ClientConfig(versions=versions)
        remote = RemoteStack(name or target.text, (target.ip, target.port))
        self.pair = Pair((client, remote), max(versions), runtime, client=self._first)
        self.pair.put_middlebox(FloodGate)
        self._clients[self._first] = self.pair.client, self._first

    def visit(
        self, config: ClientConfig, offer: Session | None = None, said: Said | None = None, *, early: bool = False
    ) -> Visit:
        """Connect with this client, offer a session, say something, as early data if ``early``, and leave.

        The answer to early data is read if the server is known to answer what is said; the client's Finished is held
        back for HELD seconds at most, so that a server can answer before its handshake is complete.

        UnreachableError if the server cannot be reached or does not answer in time, DisagreementError if client and
        wire contradict each other.
        """
        self.limits.next()
        self._use(config)
        text = self.target.text
        said = said or self.said
        self.pair.tap.holds = ends_early_data if early and self.said.data else None
        live = self.pair.open(offer, early=said.data if early else b"")
        first: bytes | None = None
        begun = time.monotonic()
        try:
            done = self._handshake(live)
            took = time.monotonic() - begun
            answer: bytes | None = b""
            if done and early and self.said.data:
                first = live.answered_while_held(HELD)
                answer = live.request(b"", partial(_begun, first or b"", said.whole), self._answers_within(took))
                answer = None if answer is None else (first or b"") + answer
            elif done and said.data and not early:
                answer = live.request(said.data, said.whole, self._answers_within(took))
            connection = live.leave(stretched(self._patience or PATIENCE))
        except TimedOutError as error:
            raise UnreachableError(f"{text} did not answer the client's handshake in {error.seconds:g} s") from error
        self._learn(connection, took)
        if connection.client.view.saw is Saw.UNKNOWN:
            raise SilentError(f"{text} closed connection {connection.number} without an answer to what was said")
        if connection.disagreement:
            raise DisagreementError(connection.describe())
        return Visit(connection, answer, first is not None and bool(first))

    def _answers_within(self, took: float) -> float:
        """Seconds in which an answer must come: a server on this machine is known by its handshake."""
        quick = min(PATIENCE, max(QUICK, ANSWERS * took)) if self.target.loopback else PATIENCE
        self.waited = stretched(quick)
        return self.waited

    def _learn(self, connection: Connection, took: float) -> None:
        """Wait less for a server that never closes TCP: close_notify has been sent, and its tickets have come."""
        if connection.tcp and any(end.sender is None for end in connection.tcp.ends):
            self._patience = min(self._patience or PATIENCE, PATIENCE, max(LEAST, ENDLESS * took))

    def _handshake(self, live: OpenConnection) -> bool:
        """Whether it is complete; UnreachableError if the tap reached no server, however the client saw that."""
        try:
            return live.handshake()
        finally:
            if error := self.pair.tap.unreachable:
                raise UnreachableError(f"{self.target.text} cannot be reached: {error.strerror or error}") from None

    def full(self, config: ClientConfig, said: Said | None = None) -> Visit:
        """Make a full handshake; UnreachableError if the server does not do TLS."""
        visit = self.visit(config, said=said)
        if why := _no_tls(visit.connection):
            raise UnreachableError(f"{self.target.text} {why}")
        if visit.outcome not in {Outcome.FULL, Outcome.ABORTED}:
            raise HarnessError(f"a handshake without a session was not full:\n{visit.connection.describe()}")
        return visit

    def connected(self) -> socket.socket:
        """A TCP connection to the server past the tap, after the talk of STARTTLS; UnreachableError if there is none.

        The deadline of the run is that of each of its operations.
        """
        self.limits.next()
        try:
            made = socket.create_connection((self.target.ip, self.target.port), stretched(DEADLINE))
        except OSError as error:
            raise UnreachableError(f"{self.target.text} cannot be reached: {error.strerror or error}") from error
        if self.pair.tap.prelude:
            self.pair.tap.prelude(made)
        return made

    def _use(self, config: ClientConfig) -> None:
        """Switch to the client with this configuration; each is made once."""
        if config not in self._clients:
            self.pair.client_config = config
            self._clients[config] = self.pair.new_client(), config
        self.pair.client, self.pair.client_config = self._clients[config]
        self.pair.tls = max(config.versions or USUAL_VERSIONS)

    def close(self) -> None:
        """Close the client's contexts and the tap."""
        self.pair.close()


def _begun(first: bytes, whole: Callable[[bytes], bool], rest: bytes) -> bool:
    """Whether an answer is whole of which a part was read before."""
    return whole(first + rest)


def ends_early_data(chunks: Sequence[Chunk], sender: Role) -> bool:
    """Whether what a client sends now comes after its early data and the server's Finished: its own Finished."""
    return sender is Role.CLIENT and all(
        any(record.type == ContentType.APPLICATION_DATA for record in records_of(chunks, role)) for role in Role
    )


def _no_tls(connection: Connection) -> str:
    """Why the server does not do TLS; empty if it does: it sent a ServerHello or an alert."""
    transcript = connection.transcript
    if transcript.server_hellos or transcript.alerts:
        return ""
    if connection.blocked:
        return f"does not speak TLS, and {connection.blocked}"
    sent = b"".join(chunk.data for chunk in connection.chunks if chunk.sender is not chunk.sender.CLIENT)
    if not sent:
        return "closed the connection without an answer to the ClientHello"
    shown = "".join(chr(byte) if chr(byte).isascii() and chr(byte).isprintable() else "." for byte in sent[:SHOWN])
    return f"does not speak TLS: its answer begins with {shown!r}"
