"""The Protocols that every stack implements, and the only interface of a stack to the rest of the harness.

Rules. Whatever needs time is a Pending: asked for by the call, served by the Loop. Calls on one connection are
carried out in the order in which they are made, so a whole conversation may be asked for at once. An endpoint never
raises for what its TLS library or its peer does: a failed handshake is in the report; EndpointError is for an endpoint
that died or broke its own protocol, and comes out of the Pending.
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

    def printed_so_far(self) -> str:
        """What its program printed during this connection, to show when a wait for it fails."""
        ...

    def handshake(self) -> Pending[bool]:
        """Complete the handshake; True if it did, False if it failed (the report says how)."""
        ...

    def write(self, data: bytes) -> Pending[bool]:
        """Send one line of application data, which ends in a newline; False if the connection is dead."""
        ...

    def read_line(self) -> Pending[bytes]:
        """Read application data up to a newline; what came so far if the input ends before one."""
        ...

    def ask(self, verb: str, **fields: Any) -> Pending[Any]:
        """Carry out any other verb on a connection; the table of harness.agent.verbs says what it takes and gives.

        The result is the member of the verb's reply, None (or no session) if the library refused. Without a member it
        is True, or False if the library refused. UnsupportedError is in the Pending if the stack lacks the verb.
        """
        ...

    def shutdown(self) -> Pending[bool]:
        """Send close_notify, and wait for nothing."""
        ...

    def await_end(self) -> Pending[Ending]:
        """Read until the peer's close_notify, the end of TCP, a reset or a fatal alert."""
        ...

    def release(self) -> Pending[EndpointReport]:
        """End TCP, free the connection without another SSL_shutdown, and report all that this end knows of it."""
        ...


class Endpoint(Protocol):
    """A context (SSL_CTX) in one role: the knobs of one config."""

    name: str
    """``stack@build``."""

    def control(self, verb: str, **fields: Any) -> Pending[Any]:
        """Carry out a verb on a context; the table of harness.agent.verbs says what it takes and gives.

        The result is the member of the verb's reply. UnsupportedError is in the Pending if the stack lacks the verb.
        ``counters`` at a server with Capability.RUNNING_COUNTERS alone are those of the last connection.
        """
        ...

    def move_clock(self, seconds: int) -> None:
        """Move this end's clock to so many seconds from the true time. Needs the knob ``clock``, which may be 0."""
        ...

    def stop_clock(self, at: int) -> None:
        """Stop this end's clock at a moment, seconds since the epoch. Needs the knob ``clock``, which may be 0."""
        ...

    def run_clock(self, at: float, pace: float = 1) -> None:
        """Let this end's clock run on from a moment, which it shows when it is next read. Needs the knob ``clock``."""
        ...

    def close(self) -> None:
        """Free the context; drop the connections that are still open."""
        ...


class ClientEndpoint(Endpoint, Protocol):
    """A client."""

    def connect(self, port: int, offer: Session | None = None) -> Link:
        """Connect to 127.0.0.1:port and SSL_set_session a fresh object made from ``offer``; no handshake yet."""
        ...


class ServerEndpoint(Endpoint, Protocol):
    """A listening server."""

    port: int
    """The port on 127.0.0.1 that the kernel gave; ready to accept."""

    def accept(self) -> Link:
        """Take the next connection; the handshake is asked for apart. Call it before or after the client's connect."""
        ...


class Stack(Protocol):
    """One way to drive one build, within one process of the harness; made with that process's Runtime."""

    name: str
    """``openssl``, ``libssl``, ``pyopenssl`` or ``ssl``."""
    build: Build

    @property
    def label(self) -> str:
        """``stack@build``, as people are shown it."""
        ...

    def abilities(self, role: Role) -> Abilities:
        """The knobs and Capabilities in a role."""
        ...

    def prepare(self, config: ClientConfig | ServerConfig) -> None:
        """Start the process that an endpoint with this config will use, if it is shared, without waiting for it."""
        ...

    def client(self, config: ClientConfig) -> ClientEndpoint:
        """Make a client; UnsupportedError if a knob cannot be had."""
        ...

    def server(self, config: ServerConfig) -> ServerEndpoint:
        """Make a server that is ready to accept; UnsupportedError if a knob cannot be had."""
        ...

    def close(self) -> None:
        """End the processes that it kept for reuse."""
        ...
