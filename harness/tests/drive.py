"""Two drivers on the two ends of one loopback connection, moved on together; for the tests of drivers."""

from __future__ import annotations

import selectors
import socket
import time
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from harness.agent.library import EndError, LackError, TlsError, WantReadError, WantWriteError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.agent.library import Context, Library, Tls
    from harness.pki import Pki

with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # tlslite imports asyncore
    from tlslite.messages import ClientHello
    from tlslite.utils.codec import Parser

DEADLINE = 5.0

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
    end = time.monotonic() + DEADLINE
    while len(results) < len(steps):
        with selectors.DefaultSelector() as selector:
            for number, (sock, step) in enumerate(steps):
                if number not in results:
                    _try(results, number, sock, step, selector)
            if len(results) + len(selector.get_map()) > len(steps) or len(results) == len(steps):
                continue
            if not selector.select(end - time.monotonic()):
                raise TimeoutError(f"waited {DEADLINE} s for steps; so far {results}")
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
    return library.context(role, knobs, files)


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


def hello(client: Context, offer: Mapping[str, Any] | None = None) -> Any:
    """The ClientHello that a client sends, as tlslite-ng parses it; the connection is then dropped."""
    ours, theirs = loopback()
    tls = client.connect(ours, offer)
    with suppress(WantReadError):
        tls.handshake()
    theirs.settimeout(DEADLINE)
    data = theirs.recv(65536)
    tls.free()
    ours.close()
    theirs.close()
    return ClientHello().parse(Parser(bytearray(data[6:])))
