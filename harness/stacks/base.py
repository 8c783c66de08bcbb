"""The Protocols that every stack implements, and the only interface of a stack to the rest of the harness.

Rules. Whatever takes time returns a Pending, which the Loop resolves. Calls on one connection are carried out in order,
so a whole conversation can be requested at once. What a TLS library or a peer does never raises an exception: a failed
handshake is in the report. EndpointError is in the Pending if an endpoint died or broke its own protocol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from harness.model.build import Build
    from harness.model.capability import Abilities
    from harness.model.knobs import ClientConfig, ServerConfig
    from harness.model.session import Session
    from harness.model.tls import Ending, Role
    from harness.model.view import EndpointReport
    from harness.runtime.loop import Pending


class Link(Protocol):
    """One end of one connection."""

    @property
    def name(self) -> str:
        """``stack@build``."""
        ...

    def process(self) -> int | None:
        """The process that holds its socket, None if it has not started or has ended."""
        ...

    def printed_so_far(self) -> str:
        """Return what its program printed during this connection, to show if a wait for it fails."""
        ...

    def handshake(self) -> Pending[bool]:
        """Complete the handshake; the result is False if it failed, and the report has the cause."""
        ...

    def write(self, data: bytes) -> Pending[bool]:
        """Send one line of application data, newline included; the result is False if the connection is dead."""
        ...

    def read_line(self) -> Pending[bytes]:
        """Read application data up to a newline; the result is shorter if the input ends before one."""
        ...

    def ask(self, verb: str, **fields: Any) -> Pending[Any]:
        """Carry out any other verb on a connection; harness.agent.verbs lists its fields and its reply.

        The result is the one member of the reply, or None (no session) if the library refused. If the reply has no
        member, the result is True, or False if the library refused. UnsupportedError if the stack lacks the verb.
        """
        ...

    def shutdown(self) -> Pending[bool]:
        """Send close_notify without waiting for an answer."""
        ...

    def await_end(self) -> Pending[Ending]:
        """Read until the peer's close_notify, the end of TCP, a reset or a fatal alert."""
        ...

    def release(self) -> Pending[EndpointReport]:
        """Close TCP, free the connection without another SSL_shutdown, and report everything this end knows."""
        ...


class Endpoint(Protocol):
    """A context (SSL_CTX) in one role, made from one config."""

    name: str
    """``stack@build``."""

    def control(self, verb: str, **fields: Any) -> Pending[Any]:
        """Carry out a verb on a context; harness.agent.verbs lists its fields and its reply.

        The result is the one member of the reply. UnsupportedError if the stack lacks the verb. A server that has
        only Capability.RUNNING_COUNTERS returns the ``counters`` of its last connection.
        """
        ...

    def move_clock(self, seconds: int) -> None:
        """Set this end's clock to the true time plus ``seconds``. It needs the knob ``clock``, which may be 0."""
        ...

    def stop_clock(self, at: int) -> None:
        """Stop this end's clock at a time in seconds since the epoch. It needs the knob ``clock``, which may be 0."""
        ...

    def run_clock(self, at: float, pace: float = 1) -> None:
        """Let this end's clock run on from a moment, which it shows when it is next read. Needs the knob ``clock``."""
        ...

    def close(self) -> None:
        """Free the context and drop its open connections."""
        ...


class ClientEndpoint(Endpoint, Protocol):
    """A client."""

    def connect(self, port: int, offer: Session | None = None) -> Link:
        """Connect to 127.0.0.1:port and pass a new object made from ``offer`` to SSL_set_session; no handshake yet."""
        ...


class ServerEndpoint(Endpoint, Protocol):
    """A listening server."""

    @property
    def address(self) -> tuple[str, int]:
        """Its host and port; the server already accepts there."""
        ...

    def accept(self) -> Link:
        """Take the next connection, without its handshake; call it before or after the client's connect."""
        ...


class Stack(Protocol):
    """One way to drive one build, with the Runtime of this process of the harness."""

    name: str
    """``openssl``, ``libssl``, ``pyopenssl`` or ``ssl``."""
    build: Build

    @property
    def label(self) -> str:
        """Return ``stack@build``, the name that users see."""
        ...

    def abilities(self, role: Role) -> Abilities:
        """Return the knobs and Capabilities that it supports in a role."""
        ...

    def prepare(self, config: ClientConfig | ServerConfig) -> None:
        """Start the process that an endpoint with this config will use, if it is shared, without waiting for it."""
        ...

    def client(self, config: ClientConfig) -> ClientEndpoint:
        """Return a client; UnsupportedError if it does not support a knob."""
        ...

    def server(self, config: ServerConfig) -> ServerEndpoint:
        """Return a server that accepts connections; UnsupportedError if it does not support a knob."""
        ...

    def close(self) -> None:
        """End the processes that it keeps for reuse."""
        ...
