"""QUIC: an end of one connection, driven by its events, and what its CONNECTION_CLOSE says (openssl-quic(7))."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Any, NoReturn

from harness.agent.drivers.libssl.connection import LibsslTls
from harness.agent.drivers.libssl.datagrams import SET_CONNECTED, address_of
from harness.agent.library import EndError, Facts, TlsError, WantReadError

if TYPE_CHECKING:
    from harness.agent.drivers.libssl.native import Native
    from harness.agent.drivers.libssl.quic.connections import Connections

RAPID, NO_STREAM_FLUSH = 1, 2
"""SSL_SHUTDOWN_FLAG_RAPID, which does not wait after CONNECTION_CLOSE, and SSL_SHUTDOWN_FLAG_NO_STREAM_FLUSH."""
NO_BLOCK = 1
"""SSL_ACCEPT_CONNECTION_NO_BLOCK."""
LOCAL, OF_TRANSPORT = 1, 2
"""SSL_CONN_CLOSE_FLAG_LOCAL and SSL_CONN_CLOSE_FLAG_TRANSPORT."""
ALERTS = range(0x100, 0x200)
"""Error codes of the transport with an alert in their low byte (RFC 9001, 4.8)."""
FATAL = 2


def attach(native: Native, ssl: Any, sock: socket.socket) -> None:
    """Let a connection or a listener speak through a connected UDP socket, without waiting.

    BIO_new_dgram takes the socket for connected, and QUIC then learns no address from it, without which a listener
    sends no Retry (port_update_addressing_mode): the BIO is set to be none.
    """
    bio = native.crypto.BIO_new_dgram(sock.fileno(), 0)
    native.crypto.BIO_ctrl(bio, SET_CONNECTED, 0, native.ffi.NULL)
    native.ssl.SSL_set_bio(ssl, bio, bio)
    native.must(native.ssl.SSL_set_blocking_mode(ssl, 0), "connection")


class QuicTls(LibsslTls):
    """One end of a connection; a server's is its listener until the client's first packet is validated."""

    _connections: Connections
    _sock: socket.socket
    _left = False
    """Whether the peer has left, of which OpenSSL knows nothing."""
    listener: Any = None
    """Of a server, what its connection comes from; the socket gets the datagrams of one client alone."""

    def use(self, sock: socket.socket) -> None:
        """Speak through a UDP socket; a server takes its connection from what arrives there."""
        attach(self._native, self.ssl, sock)
        self._sock = sock
        if self.role == "server":
            self.listener = self.ssl
        else:
            address = address_of(self._native, sock)
            self._native.must(self._native.ssl.SSL_set1_initial_peer_addr(self.ssl, address), "connection")

    def _begin(self) -> None:
        """Prepare for an operation; look whether the peer has left, before OpenSSL drops what says it."""
        super()._begin()
        self._connections.called = self
        with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
            if not self._sock.recv(1, socket.MSG_PEEK):
                self._sock.recv(1)
                self._left = True

    def _wait(self) -> NoReturn:
        """Wait for a datagram; EndError if none will come."""
        if self._left:
            raise EndError("eof")
        raise WantReadError

    @property
    def accepted(self) -> bool:
        """Whether there is a connection, and not only its listener."""
        return self.listener is None or self.ssl != self.listener

    def time_left(self) -> float | None:
        """Return the seconds until SSL_handle_events has to be called again; None if a datagram alone brings it on."""
        self._begin()
        time, infinite = self._native.ffi.new("long[2]"), self._native.ffi.new("int *")
        self._native.ssl.SSL_get_event_timeout(self.ssl, time, infinite)
        return None if infinite[0] else float(time[0] + time[1] / 1_000_000)

    def handshake(self) -> None:
        """SSL_accept_connection at a server, then SSL_do_handshake."""
        if not self.accepted:
            self._begin()
            self._native.ssl.SSL_handle_events(self.ssl)
            found = self._native.ssl.SSL_accept_connection(self.ssl, NO_BLOCK)
            self._native.check_callbacks()
            if found == self._native.ffi.NULL:
                self._wait()
            self.ssl = found
            self._connections[found] = self
            self._native.must(self._native.ssl.SSL_set_blocking_mode(found, 0), "connection")
        super().handshake()

    def _done(self, result: int) -> None:
        """Check the result of an operation: what fails because the connection is closed says how that came."""
        try:
            super()._done(result)
        except WantReadError:
            self._wait()
        except TlsError as error:
            closed = self._closed()
            if closed is None:
                raise
            code, flags = closed
            if code == 0:
                self.errors = [entry for entry in self.errors if entry not in error.queue]
                raise EndError("close_notify") from None
            if flags & OF_TRANSPORT and code in ALERTS:
                alert = {"level": FATAL, "number": code - ALERTS.start, "sent": bool(flags & LOCAL)}
                self.alerts += [] if alert in self.alerts else [alert]
                if self.finished:
                    raise EndError("alert", error.queue) from None
            raise

    def _closed(self) -> tuple[int, int] | None:
        """The error code and the flags of the CONNECTION_CLOSE; None while the connection is open."""
        info = self._native.ffi.new("SSL_CONN_CLOSE_INFO *")
        if (
            self._native.ssl.SSL_get_conn_close_info(self.ssl, info, self._native.ffi.sizeof("SSL_CONN_CLOSE_INFO"))
            != 1
        ):
            return None
        return int(info.error_code), int(info.flags)

    def shutdown(self) -> None:
        """SSL_shutdown_ex, until what was written is acknowledged and CONNECTION_CLOSE is sent.

        A peer that has closed acknowledges nothing more, and the call would never come to what marks the TLS connection
        as shut down, without which SSL_free drops its session (SSL_SENT_SHUTDOWN, ssl_clear_bad_session).
        """
        self._begin()
        result = self._native.ssl.SSL_shutdown_ex(self.ssl, RAPID, self._native.ffi.NULL, 0)
        if result < 0:
            self._done(result)
        if self._closed() is None:
            self._wait()
        self._native.ssl.SSL_shutdown_ex(self.ssl, RAPID | NO_STREAM_FLUSH, self._native.ffi.NULL, 0)

    def facts(self) -> Facts:
        """Return the facts so far; of a listener there are few."""
        if self.accepted:
            return super().facts()
        return Facts(alerts=self.alerts, keylog=self.keylog, errors=self.errors, tickets=self.tickets)

    def free(self) -> None:
        """SSL_free of the connection, and of its listener."""
        listener = self.listener if self.accepted else None
        super().free()
        self._connections.called = None
        if listener is not None:
            self._connections.pop(listener, None)
            self._native.ssl.SSL_free(listener)
