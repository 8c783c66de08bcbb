"""s_server as a server endpoint: one process that serves its connections one after another."""

from __future__ import annotations

import os
import re
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.agent.sockets import LOOPBACK
from harness.agent.vocabulary import release
from harness.model.capability import Capability
from harness.model.connection import Counters
from harness.model.errors import EndpointError, TimedOutError, UnsupportedError, UsageError
from harness.model.tls import Ending, Role
from harness.runtime.clock import Clock
from harness.runtime.loop import resolved
from harness.runtime.process import how_it_ended
from harness.runtime.pty_process import TerminalChild
from harness.stacks.clocked import Clocked
from harness.stacks.openssl.argv import server_argv
from harness.stacks.openssl.commands import lack, refused
from harness.stacks.openssl.files import psk_session
from harness.stacks.openssl.refusal import refusal
from harness.stacks.openssl.server_output import ServerOutput
from harness.stacks.openssl.steps import Steps
from harness.stacks.openssl.views import server_report

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model.build import Build
    from harness.model.capability import Abilities
    from harness.model.knobs import ServerConfig
    from harness.model.view import EndpointReport
    from harness.runtime.loop import Pending
    from harness.runtime.runtime import Runtime

ACCEPT = re.compile(rb"ACCEPT (?:.*:)?(\d+)")

COMMANDS = (b"Q", b"q", b"P", b"r\n", b"R\n", b"K\n", b"k\n", b"c\n")
"""A line that starts with one of these is a command to s_server and is not sent as data. S is sent as well."""
STATISTICS = b"S"


class OpensslServer(Clocked):
    """One running s_server. ``port`` is read from its ACCEPT line; the kernel chooses it."""

    def __init__(self, build: Build, runtime: Runtime, name: str, config: ServerConfig, abilities: Abilities) -> None:
        self.name = name
        self._role = config.role
        self.abilities = abilities
        self.port = 0
        self.major = release(build.version)[0]
        self._keylog = runtime.path(".keys")
        self._keys_read = 0
        self._clock = None if config.clock is None else Clock(runtime.path(".clock"), config.clock)
        self._links: deque[OpensslServerLink] = deque()
        self._unclaimed: deque[OpensslServerLink] = deque()
        self._counters: Counters | None = None
        self.datagrams = any(version.datagrams for version in config.versions or ())
        certificate = None if config.certificate is None else runtime.pki.issued(config.certificate)
        authority = runtime.pki.authority()
        argv = server_argv(build.openssl or (), build.version, config, certificate, authority, self._keylog)
        argv += psk_session(runtime, config)
        self._child = TerminalChild(
            runtime.loop,
            runtime.warden,
            f"{name} (s_server)",
            argv,
            environment=os.environ | dict(build.environment) | (self._clock.environment if self._clock else {}),
            on_line=self._on_line,
        )
        self.command = self._child.command
        self._child.on_end = self._on_end
        self._await_port(runtime)

    def _await_port(self, runtime: Runtime) -> None:
        try:
            runtime.loop.wait(lambda: bool(self.port) or self._child.ended.done, "the line ACCEPT")
        except TimedOutError as error:
            self._child.close()
            what = f"the line ACCEPT of {self._child.name}; it printed: {self._child.output[:2000] or 'nothing'}"
            raise TimedOutError(what, error.seconds) from error
        if not self.port:
            output = self._child.output[:2000]
            self._child.close()
            refused = refusal(self.name, Role.SERVER, output, self.major)
            how = f"{self._how_it_ended()} before it was ready"
            raise refused or EndpointError(self._child.name, how, output, self._status)

    def _how_it_ended(self) -> str:
        error = self._child.ended.error
        return str(error) if error else how_it_ended(self._child.ended.result())

    @property
    def _status(self) -> int | None:
        return None if self._child.ended.error else self._child.ended.result()

    def _on_line(self, line: bytes) -> None:
        if not self.port:
            found = ACCEPT.fullmatch(line)
            self.port = int(found[1]) if found else 0
            return
        link = next((link for link in self._links if not link.out.closed), None)
        if link is None:
            link = OpensslServerLink(self)
            self._links.append(link)
            self._unclaimed.append(link)
        link.feed(line)
        if link.out.counters is not None:
            self._counters = link.out.counters
        if link.out.closed:
            link.left()
        link.steps.advance()

    def _on_end(self) -> None:
        for link in list(self._links):
            if not link.out.closed:
                link.steps.fail(self._how_it_ended(), self._child.output[-2000:], self._status)

    def accept(self) -> OpensslServerLink:
        """Return the next connection; calls get the connections of s_server in order."""
        if self._unclaimed:
            return self._unclaimed.popleft()
        link = OpensslServerLink(self)
        self._links.append(link)
        if self._child.ended.done:
            link.steps.fail(self._how_it_ended(), self._child.output[-2000:], self._status)
        return link

    def send(self, data: bytes) -> None:
        """Write to s_server's stdin."""
        self._child.send(data)

    @property
    def address(self) -> tuple[str, int]:
        """Its host and port, which the kernel chose."""
        return LOOPBACK, self.port

    @property
    def pid(self) -> int:
        """Return the pid of s_server."""
        return self._child.pid

    def is_in(self, link: OpensslServerLink) -> bool:
        """Return whether s_server serves this connection, even if it printed nothing yet: TCP is connected."""
        if link is not next((each for each in self._links if not each.out.closed), None):
            return False
        import psutil  # noqa: PLC0415 - only a server that is released early needs it

        try:
            connections = psutil.Process(self._child.pid).net_connections("tcp4")
        except psutil.Error:
            return False
        return any(c.laddr and c.laddr[1] == self.port and c.raddr for c in connections)

    def finished(self, link: OpensslServerLink) -> None:
        """Forget a closed connection."""
        if link in self._links:
            self._links.remove(link)

    def new_keys(self) -> tuple[str, ...]:
        """Return the lines of the key log since the last connection."""
        try:
            with self._keylog.open() as file:
                file.seek(self._keys_read)
                text = file.read()
                self._keys_read = file.tell()
        except FileNotFoundError:
            return ()
        return tuple(line for line in text.splitlines() if not line.startswith("#"))

    def control(self, verb: str, **fields: Any) -> Pending[Any]:
        """Return the counters that s_server printed last, after the last S line; refuse every other verb."""
        if verb == "counters":
            return resolved(self._counters or Counters(), f"the counters of {self.name}")
        return refused(self.name, verb, fields, self.abilities)

    def close(self) -> None:
        """End s_server and all its connections."""
        self._child.close()


class OpensslServerLink:
    """One connection of s_server; it is served after the connection before it."""

    def __init__(self, server: OpensslServer) -> None:
        self.name = server.name
        self.out = ServerOutput(server.major, datagrams=server.datagrams)
        self.left: Callable[[], None] = lambda: None
        self.hang_up: Callable[[], bool] = lambda: False
        self.steps = Steps(f"{server.name} (s_server)")
        self.printed: list[bytes] = []
        self._server = server
        self._statistics = 0
        self._renegotiations = 0
        self._serving = True
        self._dropped = False
        self._authenticated = False

    def feed(self, line: bytes) -> None:
        """Take a line that s_server printed during this connection."""
        self.printed.append(line)
        self.out.feed(line)

    def process(self) -> int | None:
        """s_server."""
        return self._server.pid

    def printed_so_far(self) -> str:
        """Return everything that s_server printed during this connection."""
        return b"".join(line + b"\n" for line in self.printed).decode(errors="replace")

    def handshake(self) -> Pending[bool]:
        """Wait for the handshake; the result is True once s_server has printed the facts, False if it failed."""
        return self.steps.ask(
            "the handshake", lambda: self.out.established, ready=lambda: self.out.established or self.out.closed
        )

    def write(self, data: bytes) -> Pending[bool]:
        """Send one line. If it starts with S, s_server also prints its counters, and the result waits for them.

        UsageError if s_server would take the line for a command.
        """

        def begin() -> None:
            if data.startswith(COMMANDS):
                raise UsageError(f"s_server takes {data!r} for a command; begin the line with another letter")
            if self._is_open:
                self._statistics += data.startswith(STATISTICS)
                self._server.send(data)

        return self.steps.ask(
            "a write",
            lambda: self._is_open and self.out.statistics >= self._statistics,
            ready=lambda: not self._is_open or self.out.statistics >= self._statistics,
            begin=begin,
        )

    @property
    def _is_open(self) -> bool:
        return self.out.established and not self.out.closed

    def read_line(self) -> Pending[bytes]:
        """Return the next line that is data, not output of s_server itself."""
        return self.steps.ask(
            "a line from the client",
            lambda: self.out.data.popleft() if self.out.data else b"",
            ready=lambda: bool(self.out.data) or self.out.closed,
        )

    def ask(self, verb: str, **fields: Any) -> Pending[Any]:
        """Renegotiate, authenticate, or refuse: s_server has no other command for a connection."""
        if verb == "renegotiate":
            return self._renegotiate(fields)
        if verb == "authenticate":
            return self._authenticate()
        return refused(self.name, verb, fields, self._server.abilities)

    def _renegotiate(self, fields: Mapping[str, Any]) -> Pending[bool]:
        """Send a HelloRequest with the command r; the handshake continues with the client's ClientHello.

        If the line written before is not an S line, wait until the client has read it: s_server takes everything in
        its stdin for one line.
        """

        def begin() -> None:
            if error := lack(self.name, "renegotiate", fields, self._server.abilities):
                raise error
            self._renegotiations += 1
            if self._is_open:
                self._server.send(b"r\n")

        return self.steps.ask(
            "the beginning of a renegotiation",
            lambda: self.out.renegotiations >= self._renegotiations,
            ready=lambda: not self._is_open or self.out.renegotiations >= self._renegotiations,
            begin=begin,
        )

    def _authenticate(self) -> Pending[bool]:
        """Ask for the client's certificate with the command c; False if OpenSSL refuses."""
        asked = [0, 0]

        def begin() -> None:
            asked[:] = self.out.renegotiations, self.out.refused_requests
            self._authenticated = True
            if self._is_open:
                self._server.send(b"c\n")

        def done() -> bool:
            return self.out.renegotiations > asked[0]

        return self.steps.ask(
            "its request for a certificate",
            done,
            ready=lambda: not self._is_open or done() or self.out.refused_requests > asked[1],
            begin=begin,
        )

    def shutdown(self) -> Pending[bool]:
        """Return whether s_server answered the client's close_notify; it cannot send the first one."""

        def give() -> bool:
            if not self.out.closed:
                reason = "s_server has no command that sends close_notify"
                raise UnsupportedError(self.name, Capability.CLOSE_SERVER_ONLY, reason)
            return self.out.ending is Ending.CLOSE_NOTIFY

        return self.steps.ask("close_notify", give)

    def await_end(self) -> Pending[Ending]:
        """Wait until s_server has closed the connection, and return how the client ended it."""
        return self.steps.ask(
            "the end of its input", lambda: self.out.ending or Ending.EOF, ready=lambda: self.out.closed
        )

    def release(self) -> Pending[EndpointReport]:
        """Report; close an open connection with the command q, which sends no close_notify."""
        return self.steps.ask(
            "its release",
            self._report,
            ready=lambda: self.out.closed or not self._serving,
            begin=self._drop,
        )

    def _drop(self) -> None:
        """Send the command q, but only if s_server reads it now: otherwise it would end a later connection.

        With DTLS 1.2 the command closes the only socket of the program; an empty datagram ends the connection alone.
        """
        if self._server.datagrams:
            self._dropped = self._is_open
            self._serving = self.hang_up()
            return
        self._serving = self.out.begun or self._server.is_in(self)
        if self._serving and self._is_open:
            self._dropped = True
            self._server.send(b"q\n")

    def _report(self) -> EndpointReport:
        self._server.finished(self)
        printed = server_report(self.out, self.name)
        return replace(
            printed,
            peer_certificate=None if self._authenticated else printed.peer_certificate,
            ending=None if self._dropped else printed.ending,
            keylog=self._server.new_keys(),
            output=self.printed_so_far(),
            commands=(self._server.command,),
        )
