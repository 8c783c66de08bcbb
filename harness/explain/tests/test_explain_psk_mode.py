"""A client that offers psk_ke alone is declined by OpenSSL; OpenSSL's own clients always offer psk_dhe_ke beside it.

No stack can be such a client, so that this is a test and no scenario: the client is tlslite-ng, in a thread.
"""

from __future__ import annotations

import importlib
import socket
import threading
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from harness.explain import explain
from harness.model.errors import stretched
from harness.model.knobs import ClientConfig, PskMode, ServerConfig
from harness.model.reason import Reason
from harness.model.session import Session
from harness.model.setup import Setup
from harness.model.tls import Close, Outcome, TLSVersion
from harness.model.view import EndpointReport, Saw, View, Witness
from harness.pair.observe import Observed, observe
from harness.runtime.tap import Tap

if TYPE_CHECKING:
    from harness.model.connection import Connection
    from harness.runtime.loop import Pending
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import ServerEndpoint
    from harness.stacks.machine import Machine

DEADLINE = 10.0


def module(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return pytest.importorskip(name, reason="tlslite-ng of the dependency group `test` is missing")


class Peer:
    """A TLS 1.3 client of tlslite-ng that offers the modes it is given, and the ticket that it got last."""

    def __init__(self, *modes: str) -> None:
        settings = module("tlslite.handshakesettings").HandshakeSettings()
        settings.minVersion = settings.maxVersion = (3, 4)
        settings.psk_modes = list(modes)
        settings.cipherNames = ["aes256gcm"]
        self._settings = settings
        self._session: Any = None
        self.resumed = False
        self.failure: BaseException | None = None

    def talk(self, port: int) -> threading.Thread:
        """Handshake, a line each way, and close, in a thread that is running when it is given back."""
        thread = threading.Thread(target=self._talk, args=(port,))
        thread.start()
        return thread

    def _talk(self, port: int) -> None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=stretched(DEADLINE)) as sock:
                connection = importlib.import_module("tlslite.tlsconnection").TLSConnection(sock)
                connection.handshakeClientCert(session=self._session, settings=self._settings)
                connection.write(b"ping\n")
                connection.read(min=1, max=64)
                connection.close()
            self.resumed = bool(connection.resumed)
            self._session = connection.session
            self._session.tickets = connection.tickets or self._session.tickets
        except BaseException as error:  # noqa: BLE001 - it is raised in the test's own thread
            self.failure = error

    def report(self) -> EndpointReport:
        """What it saw, as an endpoint reports it."""
        saw = Saw.RESUMED if self.resumed else Saw.FULL
        return EndpointReport(View(Witness.CLIENT, saw, (f"resumed is {self.resumed}",), "tlslite"))


def connect(number: int, peer: Peer, server: ServerEndpoint, runtime: Runtime, tap: Tap, modes: Any) -> Connection:
    """One connection of the peer, judged by all three witnesses."""
    link = server.accept()
    steps: list[Pending[Any]] = [link.handshake(), link.read_line(), link.write(b"Stats please\n")]
    steps += [link.await_end(), link.shutdown()]
    released = link.release()
    thread = peer.talk(tap.port)
    runtime.loop.settle([*steps, released])
    thread.join(stretched(DEADLINE))
    if peer.failure:
        raise peer.failure
    tapped = tap.connections[number - 1]
    runtime.loop.wait(lambda: tapped.ended, "the end of TCP")
    given = Setup(ClientConfig(), ServerConfig(psk_modes=modes), 1, 1)
    seen = Observed(
        number=number,
        tls=TLSVersion.TLSv1_3,
        offered=Session({}) if number > 1 else None,
        close=Close.BOTH,
        reports=(peer.report(), released.result()),
        last_session=None,
        sessions=(),
        exchanged=True,
        setup=given,
    )
    return observe(seen, tapped)


def both(machine: tuple[Machine, Runtime], stack: str, peer: Peer, modes: PskMode | None) -> list[Connection]:
    """A full connection and one that offers its ticket, at the same server."""
    config = ServerConfig(versions=(TLSVersion.TLSv1_3,), psk_modes=modes)
    server = machine[0].one(stack).server(config)
    tap = Tap(machine[1].loop, lambda: server.address)
    try:
        return [connect(number, peer, server, machine[1], tap, modes) for number in (1, 2)]
    finally:
        tap.close()
        server.close()


SERVERS = ["libssl", "openssl", "pyopenssl", "ssl"]


@pytest.mark.parametrize("stack", SERVERS)
def test_offer_with_psk_ke_alone_is_declined_for_its_mode(machine: tuple[Machine, Runtime], stack: str) -> None:
    first, second = both(machine, stack, Peer("psk_ke"), None)

    assert first.outcome is Outcome.FULL
    assert second.outcome is Outcome.DECLINED
    assert second.transcript.client_hello.psk_modes == (0,)
    assert reasons(first, second) == (Reason.NO_PSK_MODE,)


@pytest.mark.parametrize("stack", SERVERS)
def test_offer_with_psk_dhe_ke_resumes(machine: tuple[Machine, Runtime], stack: str) -> None:
    second = both(machine, stack, Peer("psk_dhe_ke"), None)[1]

    assert second.outcome is Outcome.RESUMED


@pytest.mark.parametrize("stack", SERVERS)
def test_offer_with_psk_ke_alone_resumes_where_the_server_accepts_it(
    machine: tuple[Machine, Runtime], stack: str
) -> None:
    second = both(machine, stack, Peer("psk_ke"), PskMode.BOTH)[1]

    assert second.outcome is Outcome.RESUMED


def reasons(first: Connection, second: Connection) -> tuple[Reason, ...]:
    explanation = explain([first, second], second)
    return explanation.reasons if explanation else ()
