"""A tap between a client and a server that the harness does not drive: the wire is the only witness."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from harness.agent.sockets import LOOPBACK
from harness.model.errors import DEADLINE, TimedOutError, UnreachableError, stretched
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.setup import Setup
from harness.model.tls import Close, Role, TLSVersion
from harness.pair.foreign import foreign_client
from harness.pair.observe import Observed, observe
from harness.runtime.tap import Tap
from harness.stacks.remote import foreign_server
from harness.wire.judge import issued_ids
from harness.wire.reading import read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.model.connection import Connection
    from harness.model.transcript import Transcript
    from harness.runtime.address import Target
    from harness.runtime.runtime import Runtime
    from harness.runtime.tap import Address, Tapped

HOST = "localhost"
"""What a client connects to in place of the server's name."""
LARGEST = 64 << 20
"""Bytes that a connection may carry: all of them are kept until it is judged."""
TURN = 0.1
"""Seconds after which a wait looks whether it is over."""


class LargeGate:
    """Ends a connection that carries more than LARGEST bytes."""

    def __init__(self) -> None:
        self._carried = 0

    def feed(self, sender: object, data: bytes) -> str | None:
        """Return why the connection ends, or None."""
        self._carried += len(data)
        return f"the {sender} sent more than {LARGEST >> 20} MiB" if self._carried > LARGEST else None


class Between:
    """Relays whoever connects to its port of 127.0.0.1 to the server ``target``, and records the bytes.

    ``keylog`` is a file that either end may write its secrets to; what it opens is read, the rest stays sealed.
    """

    def __init__(self, runtime: Runtime, target: Target, keylog: Path) -> None:
        runtime.check_room()
        self.target = target
        self.keylog = keylog
        self.asked = 0
        """How many connections were begun, also those that did not reach the server."""
        self._answered: set[int] = set()
        """The numbers of connections that the server is known to have answered."""
        self._runtime = runtime
        self._tap = Tap(runtime.loop, self._upstream, LargeGate)

    def _upstream(self) -> Address:
        self.asked += 1
        return self.target.ip, self.target.port

    @property
    def port(self) -> int:
        """The port, of the kernel's choice."""
        return self._tap.port

    @property
    def host(self) -> str:
        """Where a client connects to: an IP address if the server was given by one, so that no name is sent then."""
        return HOST if self.target.name else LOOPBACK

    @property
    def url(self) -> str:
        """Where a client of HTTP finds it."""
        return f"https://{self.host}:{self.port}/"

    @property
    def idle(self) -> bool:
        """Whether no connection is open."""
        return all(tapped.ended for tapped in self._tap.connections)

    def wait(self, until: Callable[[], bool], what: str, seconds: float) -> None:
        """Relay until the condition holds; TimedOutError names ``what`` it waited for.

        UnreachableError if the server does not answer a client's first bytes with TLS in DEADLINE seconds, or by then.
        """
        end = time.monotonic() + seconds
        while not until():
            over = time.monotonic() >= end
            for number, one in enumerate(self._tap.connections, 1):
                self._expect_answer(number, one, over=over)
            if over:
                raise TimedOutError(what + self._silences, seconds)
            self._runtime.loop.turn(TURN)

    def _expect_answer(self, number: int, one: Tapped, *, over: bool) -> None:
        """Raise UnreachableError if the server owes the client its first answer of TLS for too long."""
        asked = next((chunk for chunk in one.chunks if chunk.sender is Role.CLIENT), None)
        if one.ended or asked is None or number in self._answered:
            return
        waited = one.since(asked)
        if not over and waited < stretched(DEADLINE):
            return
        if _answers(read(tuple(one.chunks), ())):
            self._answered.add(number)
            return
        raise UnreachableError(
            f"{self.target.text} did not answer the handshake of connection {number} in {waited:.2g} s"
        )

    @property
    def _silences(self) -> str:
        """Which connections wait for the server, and how long, in parentheses; empty if none does."""
        texts = [
            f"connection {number} has had no answer for {one.since(one.chunks[-1]):.2g} s"
            for number, one in enumerate(self._tap.connections, 1)
            if not one.ended and one.chunks and one.chunks[-1].sender is Role.CLIENT
        ]
        return f" ({', '.join(texts)})" if texts else ""

    def connections(self) -> tuple[Connection, ...]:
        """Every connection so far, in the order in which they began, judged by the wire and the key log as it is now.

        UnreachableError if there is none because the server could not be reached, or if nothing of TLS came from it.
        """
        tapped = self._tap.connections
        if not tapped and self._tap.unreachable is not None:
            why = self._tap.unreachable.strerror or self._tap.unreachable
            raise UnreachableError(f"{self.target.text} cannot be reached: {why}")
        lines = self._lines()
        found: list[Connection] = []
        for number, one in enumerate(tapped, 1):
            found.append(_judged(number, one, lines, found, self.target.text))
        if found and all(map(_unanswered, found)):
            raise UnreachableError(f"{self.target.text} answered none of {len(found)} connections with TLS")
        return tuple(found)

    def _lines(self) -> tuple[str, ...]:
        try:
            return tuple(self.keylog.read_text(errors="replace").splitlines())
        except FileNotFoundError:  # nobody wrote any
            return ()

    def close(self) -> None:
        """Close the tap and what is open."""
        self._tap.close()


def _unanswered(connection: Connection) -> bool:
    """Whether nothing of TLS came from the server, although the client spoke TLS, or had not spoken yet."""
    transcript = connection.transcript
    other = not transcript.client_hellos and any(chunk.sender is Role.CLIENT for chunk in connection.chunks)
    return not _answers(transcript) and not other


def _answers(transcript: Transcript) -> bool:
    """Whether the server sent a ServerHello or an alert."""
    return bool(transcript.server_hellos) or any(alert.sender is Role.SERVER for alert in transcript.alerts)


def _judged(number: int, tapped: Tapped, lines: tuple[str, ...], earlier: list[Connection], name: str) -> Connection:
    transcript = read(tuple(tapped.chunks), ())
    random = transcript.client_hello.random.hex() if transcript.client_hellos else "-"
    secrets = tuple(line for line in lines if line.split(" ")[1:2] == [random])
    answer = next((hello for hello in transcript.server_hellos if not hello.hello_retry_request), None)
    ids = frozenset[bytes]().union(*(issued_ids(one.transcript) for one in earlier))
    return observe(
        Observed(
            number=number,
            tls=(answer.version if answer else None) or TLSVersion.TLSv1_3,
            offered=None,
            close=Close.BOTH,
            reports=(foreign_client(secrets), foreign_server(name, secrets)),
            last_session=None,
            sessions=(),
            exchanged=True,
            setup=Setup(ClientConfig(), ServerConfig(), 1, 1, issued_ids=ids),
            given=tuple(session for one in earlier for session in one.sessions),
        ),
        tapped,
    )
