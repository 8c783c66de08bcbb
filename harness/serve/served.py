"""A server behind the tap, open to clients that the harness does not drive; each connection is judged as it ends."""

from __future__ import annotations

import errno
import time
from typing import TYPE_CHECKING

from harness.agent.sockets import LOOPBACK
from harness.model.capability import Capability
from harness.model.errors import TimedOutError, UnsupportedError, UsageError
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.setup import Setup
from harness.model.tls import Close, Role, TLSVersion
from harness.pair.foreign import foreign_client
from harness.pair.observe import Observed, observe
from harness.runtime.tap import Tap
from harness.serve.ftps import EXPLICIT, SCHEMES, Foreword, Transfers
from harness.serve.visit import Manner, Visit
from harness.wire.reading import read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.model.connection import Connection, Counters
    from harness.runtime.loop import Loop
    from harness.runtime.runtime import Runtime
    from harness.runtime.tap import Address, Tapped
    from harness.stacks.base import Link, ServerEndpoint, Stack

HOST = "localhost"
"""A name in the server's certificate, which leads to the tap."""
KEPT = 500
"""How many of the latest connections can still explain a later one."""
TURN = 0.1
"""Seconds after which what is due is looked at."""


class _Door:
    """A port of the tap, and what its connections are."""

    def __init__(
        self,
        loop: Loop,
        accept: Callable[[], tuple[Link, int, Address]],
        visit: Callable[[int, Link, Tapped, Manner], Visit],
        port: int = 0,
    ) -> None:
        self.visit = visit
        self.links: list[tuple[Link, int]] = []
        """The server's ends that no connection of the tap has yet, with the number of their server."""
        self._accept = accept
        self.tap = Tap(loop, self._upstream, port=port)

    def _upstream(self) -> Address:
        link, server, address = self._accept()
        self.links.append((link, server))
        return address


class Served:
    """One server at a time, at one port of 127.0.0.1, for whoever comes.

    Two witnesses judge a connection: the server, and the wire with the server's key log. The client is none. It may
    send an HTTP request, which is answered and ends the connection, or lines, which are sent back. Its secrets, if it
    writes them to the file ``keylog``, are compared with the wire.
    UsageError if the port is taken, if the stack cannot be asked to serve strangers, or for DTLS and QUIC.
    """

    def __init__(
        self,
        stack: Stack,
        runtime: Runtime,
        config: ServerConfig | None = None,
        *,
        port: int = 0,
        manner: Manner = Manner(),  # noqa: B008 - frozen
        keylog: Path | None = None,
        ftps: str = "",
    ) -> None:
        runtime.check_room()
        if why := stack.abilities(Role.SERVER).lacks(Capability.CLOSE_SERVER_ONLY):
            raise UnsupportedError(stack.label, "serving strangers", why)
        self.stack = stack
        self.config = config or ServerConfig()
        self.connections: list[Connection] = []
        """The latest connections that are over, in the order in which they ended."""
        self.ended: Callable[[Connection], None] = lambda _connection: None
        """Called with each connection as it ends."""
        self.begun: Callable[[int], None] = lambda _number: None
        """Called with the number of each connection as it begins."""
        self.manner = manner
        """How later connections end."""
        self._runtime = runtime
        self._keylog = keylog
        self._servers: list[ServerEndpoint] = []
        self._visits: dict[int, tuple[Visit, Setup]] = {}
        self._opened = 0
        self.transfers = Transfers(ftps) if ftps else None
        """Of a server of FTP over TLS, which begins as ``ftps`` says: ``explicit`` or ``implicit``."""
        self._doors: list[_Door] = []
        self._start()
        try:
            self._open(port, ftps)
        except OSError as error:
            self.close()
            if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise
            raise UsageError(
                f"port {port} of {LOOPBACK} cannot be used ({error.strerror}); give another one, or none, and the "
                "kernel chooses"
            ) from error
        self.port = self._doors[0].tap.port
        self._scheme = SCHEMES.get(ftps, "https")

    def _open(self, port: int, ftps: str) -> None:
        """Listen at the port, and for FTP at a second one, for data."""
        loop = self._runtime.loop
        if self.transfers is None:
            self._doors.append(_Door(loop, self._accept, Visit, port))
            return
        self._doors.append(_Door(loop, self._accept, self.transfers.control, port))
        self._doors.append(_Door(loop, self._accept, self.transfers.data))
        self.transfers.port = self._doors[1].tap.port
        if ftps == EXPLICIT:
            self._doors[0].tap.foreword = lambda client, begin: Foreword(loop, client, begin)

    @property
    def host(self) -> str:
        """A name of the server that its certificate has."""
        return HOST

    @property
    def url(self) -> str:
        """Where a client of HTTP, or of FTP, finds it."""
        return f"{self._scheme}://{HOST}:{self.port}/"

    @property
    def ca(self) -> Path:
        """The PEM file of the authority that issued the server's certificate."""
        return self._runtime.pki.authority()

    def _start(self) -> None:
        over_udp = [version for version in self.config.versions or () if version.datagrams]
        if over_udp:
            raise UsageError(
                f"a server of {over_udp[0].label} cannot be kept open for clients of your own, which come over TCP "
                f"alone; `resumption connect --tls {over_udp[0]}` has both ends"
            )
        self._servers.append(self.stack.server(self.config))

    def restart(self, **knobs: object) -> None:
        """Let later connections reach a new server with these knobs changed: it has neither keys nor cache of the last.

        Connections that are open stay with theirs.
        """
        self.config = self.config.changed(**knobs)
        self._start()

    def _accept(self) -> tuple[Link, int, Address]:
        """The present server's end of one connection more, the number of the server, and its address."""
        server = self._servers[-1]
        return server.accept(), len(self._servers), server.address

    def turn(self, seconds: float = TURN) -> bool:
        """Serve for so many seconds at most; False if there was nothing to do. EndpointError if the server died."""
        busy = self._runtime.loop.turn(seconds)
        for door in self._doors:
            while door.tap.connections:
                self._begin(door)
        for number, (visit, setup) in list(self._visits.items()):
            visit.tick()
            if visit.over:
                del self._visits[number]
                self._end(visit, setup)
        return busy

    def wait(self, until: Callable[[], bool], what: str, seconds: float) -> None:
        """Serve until the condition holds; TimedOutError names ``what`` it waited for."""
        end = time.monotonic() + seconds
        while not until():
            if time.monotonic() >= end:
                raise TimedOutError(what, seconds)
            self.turn()

    @property
    def idle(self) -> bool:
        """Whether no connection is open."""
        return not self._visits and not any(door.tap.connections for door in self._doors)

    def _begin(self, door: _Door) -> None:
        tapped = door.tap.connections.pop(0)
        link, server = door.links.pop(0)
        self._opened += 1
        library = self.stack.build.library
        setup = Setup(ClientConfig(), self.config, 1, server, beside=tuple(self._visits), server_library=library)
        number = self._opened
        self.begun(number)  # before its handshake: the client's next connection meets what this one is to change
        self._visits[number] = door.visit(number, link, tapped, self.manner), setup

    def _end(self, visit: Visit, setup: Setup) -> None:
        server = visit.report
        given = tuple(s for c in sorted(self.connections, key=lambda one: one.number) for s in c.sessions)
        connection = observe(
            Observed(
                number=visit.number,
                tls=server.version or TLSVersion.TLSv1_3,
                offered=None,
                close=Close.BOTH,
                reports=(foreign_client(self._client_secrets(visit)), server),
                last_session=None,
                sessions=(),
                exchanged=True,
                setup=setup,
                given=given,
            ),
            visit.tapped,
        )
        self.connections = [*self.connections, connection][-KEPT:]
        self.ended(connection)

    def _client_secrets(self, visit: Visit) -> tuple[str, ...]:
        """The lines of the client's own key log that are about this connection."""
        if self._keylog is None or not self._keylog.exists():
            return ()
        sent = read(tuple(visit.tapped.chunks), ()).client_hellos
        random = sent[0].random.hex() if sent else "-"
        lines = self._keylog.read_text(errors="replace").splitlines()
        return tuple(line for line in lines if line.split(" ")[1:2] == [random])

    def counters(self) -> Counters | None:
        """SSL_CTX_sess_* of the present server; None if its stack has none."""
        if self.stack.abilities(Role.SERVER).lacks(Capability.COUNTERS):
            return None
        counted = self._servers[-1].control("counters")
        self._runtime.loop.wait(lambda: counted.done, f"the counters of {self.stack.label}")
        found: Counters = counted.result()
        return found

    def _stop(self) -> None:
        for server in reversed(self._servers):
            server.close()
        self._servers.clear()

    def close(self) -> None:
        """Close the tap, drop what is open, and end the servers."""
        for visit, _ in self._visits.values():
            visit.tapped.close()
        self._visits.clear()
        for door in self._doors:
            door.tap.close()
        self._stop()
