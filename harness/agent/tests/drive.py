"""Two drivers on the two ends of one loopback connection, moved on together; for the tests of drivers."""

from __future__ import annotations

import selectors
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from harness.agent.library import EndError, LackError, TlsError, WantReadError, WantWriteError, accepted
from harness.model.errors import stretched

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.agent.library import Context, Library, Tls
    from harness.model.transcript import ClientHello, ServerHello
    from harness.runtime.pki import Pki
from harness.wire.hellos import client_hello, numbers_of, server_hello

DEADLINE = 5.0
SUPPORTED_GROUPS = 10
HEADERS = 9
"""Bytes of the headers of a record and of a handshake message (RFC 8446, 5.1 and 4)."""

Step = tuple[socket.socket, "Callable[[], Any]"]


def loopback() -> tuple[socket.socket, socket.socket]:
    """Two ends of one TCP connection on 127.0.0.1, both non-blocking."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    ours.settimeout(0)
    theirs.settimeout(0)
    return ours, theirs


def together(*steps: Step) -> list[Any]:
    """Call each step until it no longer wants the socket; what each returned, or the EndError or TlsError it raised."""
    results: dict[int, Any] = {}
    end = time.monotonic() + stretched(DEADLINE)
    while len(results) < len(steps):
        with selectors.DefaultSelector() as selector:
            for number, (sock, step) in enumerate(steps):
                if number not in results:
                    _try(results, number, sock, step, selector)
            if len(results) + len(selector.get_map()) > len(steps) or len(results) == len(steps):
                continue
            if not selector.select(end - time.monotonic()):
                raise TimeoutError(f"waited {stretched(DEADLINE):g} s for steps; so far {results}")
    return [results[number] for number in range(len(steps))]


def _try(
    results: dict[int, Any], number: int, sock: socket.socket, step: Callable[[], Any], selector: selectors.BaseSelector
) -> None:
    try:
        results[number] = step()
    except WantReadError:
        selector.register(sock, selectors.EVENT_READ)
    except WantWriteError:
        selector.register(sock, selectors.EVENT_WRITE)
    except (EndError, TlsError) as error:
        results[number] = error


def make(library: Library, role: str, pki: Pki, **knobs: Any) -> Context:
    """A context with knobs in their JSON form; a server has the certificate ``server``."""
    files: dict[str, str] = {"ca": str(pki.authority())}
    if role == "server":
        issued = pki.issued("server")
        files |= {"certificate": str(issued.certificate), "key": str(issued.key)}
    return library.context(role, accepted(library.name, library.version, role, knobs), files)


class Talk:
    """One connection between a client's and a server's context."""

    def __init__(self, client: Context, server: Context, offer: Mapping[str, Any] | None = None) -> None:
        self.client_socket, self.server_socket = loopback()
        try:
            self.client: Tls = client.connect(self.client_socket, offer)
        except (LackError, TlsError):
            self.client_socket.close()
            self.server_socket.close()
            raise
        self.server: Tls = server.accept(self.server_socket)

    def both(self, client: Callable[[], Any], server: Callable[[], Any]) -> list[Any]:
        """Move both ends on until both steps are done."""
        return together((self.client_socket, client), (self.server_socket, server))

    def handshake(self) -> list[Any]:
        """Both handshakes; None where it was completed, else the error."""
        return self.both(self.client.handshake, self.server.handshake)

    def exchange(self) -> list[Any]:
        """A line each way, so that the client has read all tickets."""
        self.both(lambda: self.client.write(b"ping\n"), lambda: self.server.read(100))
        return self.both(lambda: self.client.read(100), lambda: self.server.write(b"pong\n"))

    def close(self) -> list[Any]:
        """close_notify both ways, then the end of both; what each end read."""
        self.client.shutdown()
        [ending] = together((self.server_socket, lambda: self.server.read(100)))
        self.server.shutdown()
        [other] = together((self.client_socket, lambda: self.client.read(100)))
        self.drop()
        return [other, ending]

    def drop(self) -> None:
        """Free both ends and close the sockets, without another SSL_shutdown."""
        for end, sock in ((self.client, self.client_socket), (self.server, self.server_socket)):
            end.free()
            sock.close()


def whole(client: Context, server: Context, offer: Mapping[str, Any] | None = None) -> tuple[Any, Any, Any]:
    """Handshake, a line each way and close; the client's facts, the server's, and the session that the client took."""
    talk = Talk(client, server, offer)
    talk.handshake()
    talk.exchange()
    facts = talk.client.facts(), talk.server.facts()
    session = talk.client.session()
    talk.close()
    return (*facts, session)


def hello(client: Context, offer: Mapping[str, Any] | None = None) -> ClientHello:
    """The ClientHello that a client sends; the connection is then dropped."""
    return client_hello(_first_flight(client, offer)[HEADERS:])


def groups_of(sent: ClientHello) -> list[int]:
    """The groups of supported_groups (RFC 8446, 4.2.7)."""
    return list(numbers_of(sent.extensions[SUPPORTED_GROUPS][2:]))


def answer(server: Context, client: Context, offer: Mapping[str, Any] | None = None) -> ServerHello:
    """The ServerHello that a server answers to that client's ClientHello; both connections are then dropped."""
    ours, theirs = loopback()
    theirs.send(_first_flight(client, offer))
    tls = server.accept(ours)
    return server_hello(_sent(ours, theirs, tls)[HEADERS:])


def _first_flight(client: Context, offer: Mapping[str, Any] | None) -> bytes:
    ours, theirs = loopback()
    return _sent(ours, theirs, client.connect(ours, offer))


def _sent(ours: socket.socket, theirs: socket.socket, tls: Tls) -> bytes:
    """The first handshake record that an end sends before it wants more, of a hello in one record."""
    theirs.settimeout(stretched(DEADLINE))
    with suppress(WantReadError):
        tls.handshake()
    data = theirs.recv(65536)
    tls.free()
    ours.close()
    theirs.close()
    return data[: 5 + int.from_bytes(data[3:5])]
