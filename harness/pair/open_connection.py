"""An open connection: carries out the steps of both endpoints until it is closed and becomes a Connection."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.model.errors import EndpointError, HarnessError, RefusedError, TimedOutError, UnsupportedError
from harness.model.setup import Action
from harness.model.tls import ORDERS, Close, Role
from harness.pair.observe import Observed, observe
from harness.story.carriers import close_that_fits, step_that_fits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from harness.model.connection import Connection
    from harness.model.session import Session
    from harness.model.setup import Setup
    from harness.model.tls import TLSVersion
    from harness.model.view import EndpointReport
    from harness.pair.relay import Recorded, Relay
    from harness.runtime.loop import Loop, Pending
    from harness.stacks.base import Link

PING = b"ping\n"
"""What the client sends once the handshake is done."""

ACCEPTED = "accepted"
"""What a client reports of its early data (SSL_get_early_data_status)."""
ANSWER = b"Stats please\n"
"""What the server answers; s_server prints its counters at a line that begins with S, and sends it all the same."""


LAST = 4000
"""Characters of what an end printed that are shown when it is waited for in vain."""

NEVER_CONNECTED = "ended without connecting"
"""What is wrong with a client that ends before it reaches the tap."""


@dataclass(frozen=True)
class ConnectionSpec:
    """What is given of a connection when it begins; the fields have the meaning that they have in Connection."""

    number: int
    tls: TLSVersion
    offered: Session | None
    setup: Setup
    early: bytes = b""
    """What the client writes as early data, in place of the pattern. Capability.EARLY_DATA_CONTENT."""
    together: int = 0
    """How many handshakes begin with this one, each in a thread of the client; 0 if it has none."""


class OpenConnection:
    """Both ends of one connection. Steps are requested from both ends at once; each carries them out in order.

    A step that fails does not raise: the handshake's failure is what many scenarios are about, and the Connection
    reports it. An end that dies, hangs or breaks its own protocol raises EndpointError or TimedOutError.
    """

    def __init__(
        self,
        spec: ConnectionSpec,
        loop: Loop,
        relay: Relay,
        ends: tuple[Link, Link],
        closed: Callable[[Connection], None],
    ) -> None:
        self.number = spec.number
        self.client, self.server = ends
        self._spec = spec
        self._loop = loop
        self._relay = relay
        self._closed = closed
        self._during: list[Action] = []
        early = [self.client.ask("early_data", data=spec.early)] if spec.early else []
        together = {"together": spec.together} if spec.together else {}
        self._during += [Action("thread", Role.CLIENT, together)] if together else []
        begun = self.client.ask("handshake", **together) if together else self.client.handshake()
        self._handshakes = [begun, self.server.handshake()]
        self._asked: list[Pending[Any]] = [*early, *self._handshakes]
        self._held_sessions: list[Session] = []
        self._client_done: Pending[EndpointReport] | None = None
        self._received: list[tuple[Pending[bytes], Pending[bytes]]] = []
        self._due: list[tuple[Pending[bytes], Pending[bytes]]] = []
        """What was exchanged before any renegotiation: nothing explains it if that does not arrive."""
        self._first = b""
        """What the server read in the first exchange."""
        self._renegotiated = False
        self._steps: list[tuple[Role, str, Pending[Any]]] = []
        """What an end says of a step that the wire shows."""
        self._line: Pending[bytes] | None = None
        """A line that was asked for and is still to be read."""

    def handshake(self) -> bool:
        """Wait for both handshakes; True if both ends say that theirs is complete."""
        self._settle()
        return all(pending.result() for pending in self._handshakes)

    def await_held(self) -> None:
        """Wait until the tap holds a message of this connection; TimedOutError if it never comes."""
        self._loop.wait(
            lambda: (found := self._relay.recorded()) is not None and found.holding,
            f"the message of connection {self.number} that the tap is to hold",
        )

    def release(self) -> None:
        """Let the tap relay what it held."""
        self._tapped().release()

    def ask_exchange(self) -> None:
        """Ask for a line of application data each way; afterwards the client has read every ticket sent before it."""
        self._during.append(Action("exchange"))
        self._asked.append(self.client.write(PING))
        ping = self.server.read_line()
        self._asked.append(self.server.write(ANSWER))
        self._received.append((self.client.read_line(), ping))
        self._due += [] if self._renegotiated else [self._received[-1]]
        self._asked += self._received[-1]

    def exchange(self) -> bool:
        """Exchange a line of application data each way; True if both ends got the other's."""
        self.ask_exchange()
        self._settle()
        if len(self._received) == 1:
            self._read_again()
        return self._arrived(*self._received[-1])

    def _read_again(self) -> None:
        """Read the rest of the lines of early data that the client wrote again before its own, as it was rejected."""
        whole = self._spec.early + PING
        self._first = self._received[0][1].result()
        while self._first.endswith(b"\n") and self._first != whole and whole.startswith(self._first):
            line = self.server.read_line()
            self._asked.append(line)
            self._settle()
            if not line.result():
                break
            self._first += line.result()

    def _arrived(self, answer: Pending[bytes], ping: Pending[bytes], *, again: bool = True) -> bool:
        """Whether both lines came; before the first one, also early data of the user's choice that is written again.

        ``again``: whether there may be such, which a client whose early data were accepted has no reason to write.
        """
        if ping is not self._received[0][1]:
            return (answer.result(), ping.result()) == (ANSWER, PING)
        came = {PING, self._spec.early + PING} if again else {PING}
        return answer.result() == ANSWER and (self._first or ping.result()) in came

    def session(self) -> Session | None:
        """What SSL_get1_session gives the client now; ``taken_from`` is the server's name."""
        self._during.append(Action("session", Role.CLIENT))
        return self._hold(self.client.ask("session"))

    def keep_session(
        self, *, duplicate: bool = False, older: int = 0, timeout: int | None = None, ssl: bool = False
    ) -> Session | None:
        """The same, as an object in the client's memory that what comes may make non-resumable; not as data.

        Only the present client can offer it. Capability.SESSION_IN_MEMORY. ``duplicate``: what SSL_SESSION_dup makes of
        the object (Capability.SESSION_DUPLICATE). ``older`` and ``timeout``, in seconds, change the object:
        SSL_SESSION_set_time and SSL_SESSION_set_timeout (Capability.SESSION_TIMES). ``ssl``: the connection's SSL; the
        one connection that offers it is made with it after SSL_clear (Capability.CLEAR).
        """
        if ssl:
            step_that_fits(self._spec.tls, "clear")
        every = {"duplicate": duplicate, "older": older, "timeout": timeout, "ssl": ssl}
        changes = {name: value for name, value in every.items() if value not in {False, None}}
        self._during.append(Action("keep_session", Role.CLIENT, changes))
        return self._hold(self.client.ask("keep_session", **changes))

    def _hold(self, asked: Pending[Session | None]) -> Session | None:
        self._asked.append(asked)
        self._settle()
        held = asked.result()
        if held is None:
            return None
        session = self._from_peer(held)
        self._held_sessions.append(session)
        return session

    def _from_peer(self, session: Session) -> Session:
        """The session with the server that the client has it from."""
        return replace(session, taken_from=self.server.name)

    def renegotiate(
        self,
        by: Role = Role.CLIENT,
        *,
        abbreviated: bool = False,
        ciphers: str | None = None,
        no_extended_master_secret: bool = False,
    ) -> bool:
        """Make a further TLS 1.2 handshake that this role starts, and exchange a line; True if both worked.

        An end that ignores the peer's no_renegotiation goes on without a second handshake, and that is True as well
        (a server of DTLS before 3.2.5, 3.3.4, 3.4.2 and 3.5.1): `Messages.handshakes` says how many there were.
        ``ciphers`` and ``no_extended_master_secret`` change its end first (SSL_set_cipher_list, SSL_set_options).
        Capability.CHANGED_RENEGOTIATION.
        """
        step_that_fits(self._spec.tls, "renegotiate")
        self._renegotiated = True
        changes: dict[str, Any] = {"ciphers": ciphers} if ciphers is not None else {}
        changes |= {"no_extended_master_secret": True} if no_extended_master_secret else {}
        self._during.append(Action("renegotiate", by, {"abbreviated": abbreviated, **changes}))
        starter = self.client if by is Role.CLIENT else self.server
        started = starter.ask("renegotiate", abbreviated=abbreviated, **changes)
        self._steps.append((by, "renegotiate", started))
        self._asked.append(started)
        exchanged = self.exchange()
        if by is Role.SERVER:
            # The client wrote before it had read HelloRequest; its next write completes the handshake. Without it
            # SSL_shutdown would come within the handshake and fail (SSL_R_SHUTDOWN_WHILE_IN_INIT).
            exchanged = exchanged and self.exchange()
        return bool(started.result()) and exchanged

    def authenticate(self) -> bool:
        """Let the server ask for the client's certificate, then exchange two lines; True if it asked and they arrived.

        The client answers within its first read, and the server reads the answer before the second line
        (RFC 8446, 4.6.2). Capability.AUTHENTICATE.
        """
        step_that_fits(self._spec.tls, "authenticate")
        self._during.append(Action("authenticate", Role.SERVER))
        asked = self.server.ask("authenticate")
        self._steps.append((Role.SERVER, "authenticate", asked))
        self._asked.append(asked)
        exchanged = self.exchange() and self.exchange()
        return bool(asked.result()) and exchanged

    def new_ticket(self) -> bool:
        """Let the server send a further TLS 1.3 ticket with its next write; False if OpenSSL refused.

        Capability.NEW_TICKET.
        """
        step_that_fits(self._spec.tls, "new_ticket")
        self._during.append(Action("new_ticket", Role.SERVER))
        asked = self.server.ask("new_ticket")
        self._asked.append(asked)
        self._settle()
        return bool(asked.result())

    def close(self, how: Close = Close.BOTH) -> Connection:
        """Close it in this way and determine its outcome."""
        close_that_fits(self._spec.tls, how)
        last, sessions = self.client.ask("session"), self.client.ask("sessions")
        self._asked += [last, sessions]
        if how in ORDERS:
            self._ask_in_order(ORDERS[how])
        elif how is Close.UNREAD:
            self._ask_unread()
        elif how in {Close.EOF, Close.RST}:
            self._ask_in_order((how.value, "read"))
        elif quiet := self._quiet():
            self._ask_quietly(how, quiet)
        else:
            self._ask_notifications(how)
        reports = self._release()
        tapped = self._tapped()
        self._loop.wait(lambda: tapped.ended, f"the end of connection {self.number}")
        return self._over(how, last, sessions, reports)

    def request(self, data: bytes, whole: Callable[[bytes], bool], patience: float) -> bytes | None:
        """Send data, if any, and read lines until they are whole, or the input ends.

        None if they are not whole in ``patience`` seconds; the tap then ends TCP. For a server that the harness does
        not drive.
        """
        end = time.monotonic() + patience
        self._during.append(Action("request", Role.CLIENT))
        if data:
            self._asked.append(self.client.write(data))
        answer = b""
        while not whole(answer):
            line, self._line = self._line or self.client.read_line(), None
            self._asked.append(line)
            try:
                self._loop.settle([line], max(0.0, end - time.monotonic()))
            except TimedOutError:
                self._tapped().cut(Close.EOF)
                self._settle()
                return None
            answer += line.result()
            if not line.result().endswith(b"\n"):
                break
        return answer

    def answered_while_held(self, seconds: float) -> bytes | None:
        """Read a line while the tap holds bytes of the client back, for so many seconds, and then let them pass.

        None if none comes in that time; it is then read as the next one. For a server that the harness does not drive.
        """
        line = self._line = self.client.read_line()
        self._asked.append(line)
        try:
            self._loop.settle([line], seconds)
            self._line = None
            return line.result()
        except TimedOutError:
            return None
        finally:
            self._tapped().release()

    def leave(self, patience: float) -> Connection:
        """Send close_notify, read on for up to ``patience`` seconds and end TCP: the server may never close it.

        For a server that the harness does not drive.
        """
        ending: list[Pending[Any]] = [self.client.shutdown(), self.client.await_end()]
        self._asked += ending
        try:
            self._loop.settle(ending, patience)
        except TimedOutError:
            self._tapped().cut(Close.EOF)
        last, sessions = self.client.ask("session"), self.client.ask("sessions")
        self._asked += [last, sessions]
        reports = self._release()
        self._tapped().close()
        return self._over(Close.CLIENT_ONLY, last, sessions, reports)

    def _release(self) -> tuple[Pending[EndpointReport], Pending[EndpointReport]]:
        """Free both ends, once all that was asked for is done."""
        reports = self._client_done or self.client.release(), self.server.release()
        self._client_done = reports[0]
        self._asked += [*reports, *self._relay.asks()]
        self._settle()
        return reports

    def _over(
        self,
        how: Close,
        last: Pending[Session | None],
        sessions: Pending[Sequence[Session]],
        reports: tuple[Pending[EndpointReport], Pending[EndpointReport]],
    ) -> Connection:
        again = reports[0].result().early_data != ACCEPTED
        connection = observe(
            Observed(
                number=self.number,
                tls=self._spec.tls,
                offered=self._spec.offered,
                close=how,
                reports=(reports[0].result(), reports[1].result()),
                last_session=self._from_peer(held) if (held := last.result()) else None,
                sessions=tuple(self._from_peer(session) for session in sessions.result()),
                held_sessions=tuple(self._held_sessions),
                claims=tuple((role, step) for role, step, said in self._steps if said.result()),
                exchanged=all(self._arrived(answer, ping, again=again) for answer, ping in self._due),
                setup=replace(self._spec.setup, during=tuple(self._during)),
            ),
            self._tapped(),
        )
        self._closed(connection)
        return connection

    def _ask_in_order(self, order: Sequence[str]) -> None:
        """Ask both ends for each call; ``eof`` and ``rst`` end TCP in between."""
        for call in order:
            if call in {Close.EOF, Close.RST}:
                self._settle()
                self._tapped().cut(Close(call))
            else:
                ends = (self.client, self.server)
                self._asked += [end.shutdown() if call == "shutdown" else end.await_end() for end in ends]

    def _ask_unread(self) -> None:
        """Let the client close TCP while what the server wrote lies unread."""
        self._asked += [self.client.write(PING), self.server.read_line(), self.server.write(ANSWER)]
        self._settle()
        self._tapped().drain()
        self._asked.append(self.client.ask("leave_unread"))
        self._client_done = self.client.release()
        self._asked += [self._client_done, self.server.await_end()]

    def _quiet(self) -> set[Role]:
        """The ends whose SSL_shutdown sends nothing."""
        configs = {Role.CLIENT: self._spec.setup.client, Role.SERVER: self._spec.setup.server}
        return {role for role, config in configs.items() if config.quiet_shutdown}

    def _ask_quietly(self, how: Close, quiet: set[Role]) -> None:
        """End TCP where a close_notify would, as a quiet end sends none and its SSL_read returns at once."""
        senders = {Close.CLIENT_ONLY: {Role.CLIENT}, Close.SERVER_ONLY: {Role.SERVER}}.get(how, set(Role))
        ends = {Role.CLIENT: self.client, Role.SERVER: self.server}
        self._asked += [ends[role].shutdown() for role in Role if role in senders]
        self._settle()
        self._tapped().cut(Close.EOF)
        self._asked += [ends[role].await_end() for role in Role if role not in quiet & senders]

    def _ask_notifications(self, how: Close) -> None:
        if how is Close.SERVER_ONLY:
            self._asked += [self.server.shutdown(), self.client.await_end(), self.server.await_end()]
            return
        self._asked += [self.client.shutdown(), self.server.await_end()]
        if how is Close.BOTH:
            self._asked.append(self.server.shutdown())
        self._asked.append(self.client.await_end())

    def _tapped(self) -> Recorded:
        recorded = self._relay.recorded()
        if recorded is None:
            raise HarnessError(f"connection {self.number}: the client never reached the tap")
        return recorded

    def _never_connected(self) -> bool:
        """Whether the client's part is over without a connection, so that the server would wait for ever."""
        if self._client_done is None or not self._client_done.done:
            return False
        return self._relay.recorded(look=True) is None

    def _settle(self) -> None:
        """Wait for all that was asked for; a client that ended without connecting is not waited for at the server.

        Nor is anybody where an end cannot do a step: its peer would wait for ever for what that brings about.
        """
        waiting = list(self._asked)

        def settled() -> bool:
            left = [p for p in waiting if not p.done]
            if len(left) < len(waiting) and any(isinstance(p.error, UnsupportedError) for p in waiting):
                return True
            waiting[:] = left
            return not left or self._never_connected()

        def missing() -> str:
            return "; ".join(p.what for p in waiting if not p.done)

        try:
            self._loop.wait(settled, missing)
        except TimedOutError as error:
            error.add_note(
                f"connection {self.number}: done before it: {', '.join(p.what for p in self._asked if p.done)}"
            )
            for end in (self.client, self.server):
                if printed := end.printed_so_far():
                    error.add_note(f"connection {self.number}: {end.name} had printed:\n{printed[-LAST:]}")
            raise
        for asked in self._asked:
            if isinstance(asked.error, EndpointError | RefusedError | UnsupportedError):
                raise asked.error
        if self._never_connected() and self._client_done is not None:
            output = self._client_done.result().output
            raise EndpointError(f"the client of connection {self.number}", NEVER_CONNECTED, output)
