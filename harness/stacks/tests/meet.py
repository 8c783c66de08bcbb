"""Endpoints of stacks that meet without a tap, for the tests of stacks."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.model.errors import stretched
from harness.wire.hellos import client_hello

if TYPE_CHECKING:
    from harness.model.session import Session
    from harness.model.tls import Ending
    from harness.model.transcript import ClientHello
    from harness.model.view import EndpointReport
    from harness.runtime.loop import Pending
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import ClientEndpoint, ServerEndpoint

DEADLINE = 5.0
HEADERS = 9
"""Bytes of the headers of a record and of a handshake message (RFC 8446, 5.1 and 4)."""


@dataclass
class Met:
    """What both ends reported, and what the client took."""

    client: EndpointReport
    server: EndpointReport
    session: Session | None
    sessions: tuple[Session, ...]
    endings: tuple[Ending, Ending]


def meet(runtime: Runtime, client: ClientEndpoint, server: ServerEndpoint, offer: Session | None = None) -> Met:
    """Handshake, a line each way, close_notify both ways."""
    at_server, at_client = server.accept(), client.connect(server.address[1], offer)
    steps: list[Pending[Any]] = [at_client.handshake(), at_server.handshake()]
    steps += [at_client.write(b"ping\n"), at_server.read_line()]
    steps += [at_server.write(b"pong\n"), at_client.read_line()]
    session, sessions = at_client.ask("session"), at_client.ask("sessions")
    steps += [at_client.shutdown()]
    server_end, shut, client_end = at_server.await_end(), at_server.shutdown(), at_client.await_end()
    reports = at_client.release(), at_server.release()
    runtime.loop.settle([*steps, session, sessions, server_end, shut, client_end, *reports])
    endings = client_end.result(), server_end.result()
    return Met(reports[0].result(), reports[1].result(), session.result(), sessions.result(), endings)


def first_hello(runtime: Runtime, client: ClientEndpoint, offer: Session | None = None) -> ClientHello:
    """The ClientHello that an endpoint sends; the connection is then dropped."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        link = client.connect(listener.getsockname()[1], offer)
        handshake = link.handshake()
        listener.settimeout(0)
        runtime.loop.watch(listener, lambda: None)
        accepted: list[socket.socket] = []

        def received() -> bool:
            if not accepted:
                try:
                    accepted.append(listener.accept()[0])
                except BlockingIOError:
                    return False
            return True

        runtime.loop.wait(received, "a connection of the client")
        runtime.loop.forget(listener)
        with accepted[0] as sock:
            sock.settimeout(stretched(DEADLINE))
            data = sock.recv(65536)
        released = link.release()
        runtime.loop.settle([handshake, released])
    return client_hello(data[HEADERS : 5 + int.from_bytes(data[3:5])])
