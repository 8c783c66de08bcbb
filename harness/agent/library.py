"""What a TLS library must offer to be driven by the agent: the Protocols of a driver, and the errors that it raises.

A driver works on connected, non-blocking sockets. Whatever cannot go on raises WantReadError or WantWriteError, and
is called again when the socket is ready. It never waits. It imports nothing of the harness but this module.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping


class WantReadError(Exception):
    """The operation goes on when the socket can be read."""


class WantWriteError(Exception):
    """The operation goes on when the socket can be written."""


class LackError(Exception):
    """The library cannot do what a request asks for; the text names the knob or the verb, and why."""


@dataclass
class TlsError(Exception):
    """The library refused: its error queue, oldest first, each ``{"lib": n, "reason": n, "text": "..."}``."""

    queue: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class EndError(Exception):
    """No more application data: ``kind`` is ``close_notify``, ``eof``, ``reset`` or ``alert``."""

    kind: str
    queue: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Facts:
    """What the library says of one connection now; None is unknown. Becomes the ``facts`` object of the protocol."""

    finished: bool = False
    """The handshake is complete (SSL_is_init_finished)."""
    reused: bool | None = None
    """SSL_session_reused after the first handshake of the connection."""
    reused_at_end: bool | None = None
    """SSL_session_reused after the last one; it differs from ``reused`` only after a renegotiation."""
    evidence: str = ""
    """The call and what it gave, ``SSL_session_reused() == 0``."""
    version: str | None = None
    """``1.2`` or ``1.3``."""
    cipher: str | None = None
    alpn: str | None = None
    server_name: str | None = None
    peer_certificate: bool | None = None
    early_data: str | None = None
    tickets: int | None = None
    """NewSessionTicket messages that a client received or a server sent."""
    alerts: list[dict[str, Any]] = field(default_factory=list)
    """``{"level": 2, "number": 80, "sent": false}`` in order, close_notify included."""
    keylog: list[str] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    """The error queues of every operation that failed on this connection."""
    counters: dict[str, int] | None = None
    """SSL_CTX_sess_* of a server's context once the connection is freed; the agent asks the context for them."""


class Tls(Protocol):
    """One connection of a driver (an SSL)."""

    def handshake(self) -> None:
        """SSL_do_handshake, early data included; raises WantReadError, WantWriteError, TlsError or EndError."""
        ...

    def write(self, data: bytes) -> int:
        """SSL_write; how many bytes were taken."""
        ...

    def read(self, size: int) -> bytes:
        """SSL_read, at least one byte; raises EndError at the end of the data."""
        ...

    def renegotiate(self, *, abbreviated: bool) -> None:
        """SSL_renegotiate or SSL_renegotiate_abbreviated, and what of the handshake can be done alone."""
        ...

    def shutdown(self) -> None:
        """SSL_shutdown once: send close_notify."""
        ...

    def session(self) -> Mapping[str, Any] | None:
        """SSL_get1_session as the protocol's session object, None if there is none."""
        ...

    def sessions(self) -> list[Mapping[str, Any]]:
        """Every session so far, in order, as session objects."""
        ...

    def keep_session(self) -> Mapping[str, Any] | None:
        """SSL_get1_session under a handle, to be offered as the very object that it is then; None if there is none.

        The connection may yet make it non-resumable. It is kept until the context is freed.
        """
        ...

    def facts(self) -> Facts:
        """What is known now."""
        ...

    def free(self) -> None:
        """SSL_free and nothing else; the socket is closed by the agent afterwards."""
        ...


class Context(Protocol):
    """One SSL_CTX of a driver, in one role."""

    def connect(self, sock: socket.socket, session: Mapping[str, Any] | None) -> Tls:
        """A client on a connected socket; ``session`` is a session object to offer, made afresh from its DER."""
        ...

    def accept(self, sock: socket.socket) -> Tls:
        """A server connection on an accepted socket."""
        ...

    def counters(self) -> dict[str, int]:
        """SSL_CTX_sess_* by the names of model.connection.Counters; LackError if there are none."""
        ...

    def control(self, verb: str, arguments: Mapping[str, Any]) -> Any:
        """Carry out flush, resize_cache, remove, age_sessions or has_session; LackError if it cannot."""
        ...

    def free(self) -> None:
        """SSL_CTX_free."""
        ...


class Library(Protocol):
    """A TLS library as loaded in this process."""

    name: str
    """``libssl``, ``pyopenssl`` or ``ssl``."""
    version: str
    """OpenSSL's version number as it was loaded, ``3.0.19``; not the one it was compiled against."""
    description: str
    """OpenSSL_version(OPENSSL_VERSION), whole."""

    def context(self, role: str, knobs: Mapping[str, Any], files: Mapping[str, str]) -> Context:
        """Make a context. ``files`` are paths: ``ca``, and ``certificate`` and ``key`` if this end has one."""
        ...
