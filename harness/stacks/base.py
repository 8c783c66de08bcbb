"""The Protocols that every stack implements; the pair, the plugin and the commands know nothing else of a stack.

Rules. Whatever needs time is a Pending: asked for by the call, served by the Loop. Calls on one connection are
carried out in the order in which they are made, so a whole conversation may be asked for at once. An endpoint never
raises for what its TLS library or its peer does: a failed handshake is in the report; EndpointError is for an endpoint
that died or broke its own protocol, and comes out of the Pending.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from harness.model.build import Build
    from harness.model.capability import Abilities
    from harness.model.connection import Counters
    from harness.model.knobs import ClientConfig, ServerConfig
    from harness.model.session import Session
    from harness.model.tls import Ending, Role
    from harness.model.view import EndpointReport
    from harness.runtime.loop import Pending


class LinkEnd(Protocol):
    """One end of one connection."""

    @property
    def name(self) -> str:
        """``stack@build``."""
        ...

    def printed_so_far(self) -> str:
        """What its program printed during this connection, for whoever waits in vain."""
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

    def renegotiate(self, *, abbreviated: bool = False) -> Pending[bool]:
        """Start a further TLS 1.2 handshake and complete it as far as this end can alone; False if it failed."""
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


class ClientLink(LinkEnd, Protocol):
    """The client's end, which can take sessions."""

    def session(self) -> Pending[Session | None]:
        """SSL_get1_session now; None if there is none."""
        ...

    def keep_session(self) -> Pending[Session | None]:
        """SSL_get1_session now, to be offered as the very object that it is then. Capability.SESSION_IN_MEMORY."""
        ...

    def sessions(self) -> Pending[tuple[Session, ...]]:
        """Every session so far, in order, or the last where the stack sees no other; to be called before release."""
        ...


class ServerLink(LinkEnd, Protocol):
    """The server's end."""


class ClientEndpoint(Protocol):
    """A client context (SSL_CTX): the knobs of one ClientConfig."""

    name: str
    """``stack@build``."""

    def connect(self, port: int, offer: Session | None = None) -> ClientLink:
        """Connect to 127.0.0.1:port and SSL_set_session a fresh object made from ``offer``; no handshake yet."""
        ...

    def counters(self) -> Pending[Counters]:
        """SSL_CTX_sess_*; needs Capability.COUNTERS."""
        ...

    def flush(self, at: int) -> Pending[bool]:
        """SSL_CTX_flush_sessions of the client's own cache: what has expired at that time. Capability.FLUSH."""
        ...

    def move_clock(self, seconds: int) -> None:
        """Move this end's clock to so many seconds from the true time. Needs the knob ``clock``, which may be 0."""
        ...

    def stop_clock(self, at: int) -> None:
        """Stop this end's clock at a moment, seconds since the epoch. Needs the knob ``clock``, which may be 0."""
        ...

    def close(self) -> None:
        """Free the context; connections that are still open are dropped."""
        ...


class ServerEndpoint(Protocol):
    """A listening server: the knobs of one ServerConfig."""

    name: str
    port: int
    """The port on 127.0.0.1 that the kernel gave; ready to accept."""

    def accept(self) -> ServerLink:
        """Take the next connection; the handshake is asked for apart. Call it before or after the client's connect."""
        ...

    def counters(self) -> Pending[Counters]:
        """SSL_CTX_sess_* now, or as of the last connection with Capability.RUNNING_COUNTERS alone."""
        ...

    def flush(self, at: int) -> Pending[bool]:
        """SSL_CTX_flush_sessions: forget what has expired at that time, seconds since the epoch. Capability.FLUSH."""
        ...

    def resize_cache(self, size: int) -> Pending[bool]:
        """SSL_CTX_sess_set_cache_size. Capability.RESIZE_CACHE."""
        ...

    def remove(self, session_id: bytes) -> Pending[bool]:
        """SSL_CTX_remove_session of the cached session with this id; False if none. Capability.REMOVE_SESSION."""
        ...

    def age_sessions(self, seconds: int) -> Pending[bool]:
        """Make the cached sessions, and tickets issued from now on, so much older. Capability.AGE_SERVER_SESSION."""
        ...

    def has_session(self, session_id: bytes) -> Pending[bool]:
        """SSL_has_matching_session_id. Capability.MATCHING_SESSION_ID."""
        ...

    def move_clock(self, seconds: int) -> None:
        """Move this end's clock to so many seconds from the true time. Needs the knob ``clock``, which may be 0."""
        ...

    def stop_clock(self, at: int) -> None:
        """Stop this end's clock at a moment, seconds since the epoch. Needs the knob ``clock``, which may be 0."""
        ...

    def close(self) -> None:
        """Stop listening, drop what is open, free everything."""
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

    def client(self, config: ClientConfig) -> ClientEndpoint:
        """Make a client; UnsupportedError if a knob cannot be had."""
        ...

    def server(self, config: ServerConfig) -> ServerEndpoint:
        """Make a server that is ready to accept; UnsupportedError if a knob cannot be had."""
        ...

    def close(self) -> None:
        """End the processes that it kept for reuse."""
        ...
