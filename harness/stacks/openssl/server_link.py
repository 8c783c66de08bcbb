"""One connection of s_server, as it is told by what s_server prints between one connection's end and the next's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.capability import Capability
from harness.model.errors import UnsupportedError, UsageError
from harness.model.tls import Ending
from harness.model.view import EndpointReport
from harness.stacks.openssl.server_output import ServerOutput
from harness.stacks.openssl.steps import Steps
from harness.stacks.openssl.views import server_view

if TYPE_CHECKING:
    from harness.runtime.loop import Pending
    from harness.stacks.openssl.server import OpensslServer

COMMANDS = (b"Q", b"q", b"P", b"r\n", b"R\n", b"K\n", b"k\n", b"c\n")
"""A line that begins so is a command to s_server and is not sent, or not alone. S is one as well, and is sent."""
STATISTICS = b"S"


class OpensslServerLink:
    """One connection of s_server. Its turn comes when the connection before it is over."""

    def __init__(self, server: OpensslServer) -> None:
        self.name = server.name
        self.out = ServerOutput(server.major)
        self.steps = Steps(f"{server.name} (s_server)")
        self.printed: list[bytes] = []
        self._server = server
        self._statistics = 0
        self._renegotiations = 0
        self._serving = True
        self._dropped = False

    def feed(self, line: bytes) -> None:
        """Take a line that s_server printed during this connection."""
        self.printed.append(line)
        self.out.feed(line)

    def printed_so_far(self) -> str:
        """All that s_server printed during this connection."""
        return b"".join(line + b"\n" for line in self.printed).decode(errors="replace")

    def handshake(self) -> Pending[bool]:
        """True when s_server has printed the connection's facts, False when it has given up."""
        return self.steps.ask(
            "the handshake", lambda: self.out.established, ready=lambda: self.out.established or self.out.closed
        )

    def write(self, data: bytes) -> Pending[bool]:
        """Send one line. One that begins with S makes s_server print its counters too, and is waited for.

        UsageError for a line that s_server would take for a command and not send.
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
        """The next line that is none of s_server's own words."""
        return self.steps.ask(
            "a line from the client",
            lambda: self.out.data.popleft() if self.out.data else b"",
            ready=lambda: bool(self.out.data) or self.out.closed,
        )

    def renegotiate(self, *, abbreviated: bool = False) -> Pending[bool]:
        """Send a HelloRequest by the command r; the handshake goes on when the client's ClientHello comes.

        A line that was written just before, and that is no S line, must have been read by the client first: s_server
        takes what its stdin holds together for one line.
        """

        def begin() -> None:
            if abbreviated:
                reason = "its renegotiation command calls SSL_renegotiate"
                raise UnsupportedError(self.name, Capability.ABBREVIATED_RENEGOTIATION, reason)
            self._renegotiations += 1
            if self._is_open:
                self._server.send(b"r\n")

        return self.steps.ask(
            "the beginning of a renegotiation",
            lambda: self.out.renegotiations >= self._renegotiations,
            ready=lambda: not self._is_open or self.out.renegotiations >= self._renegotiations,
            begin=begin,
        )

    def shutdown(self) -> Pending[bool]:
        """True once the client's close_notify was answered, which s_server does by itself; it cannot begin."""

        def give() -> bool:
            if not self.out.closed:
                reason = "s_server has no command that sends close_notify"
                raise UnsupportedError(self.name, Capability.CLOSE_SERVER_ONLY, reason)
            return self.out.ending is Ending.CLOSE_NOTIFY

        return self.steps.ask("close_notify", give)

    def await_end(self) -> Pending[Ending]:
        """How the client ended the connection, when s_server has closed it too."""
        return self.steps.ask(
            "the end of its input", lambda: self.out.ending or Ending.EOF, ready=lambda: self.out.closed
        )

    def release(self) -> Pending[EndpointReport]:
        """Report; a connection that is still open is closed by the command q, which sends no close_notify."""
        return self.steps.ask(
            "its release",
            self._report,
            ready=lambda: self.out.closed or not self._serving,
            begin=self._drop,
        )

    def _drop(self) -> None:
        """The command q only if it will be read: left on stdin, it would end a later connection."""
        self._serving = self.out.begun or self._server.is_in(self)
        if self._serving and self._is_open:
            self._dropped = True
            self._server.send(b"q\n")

    def _report(self) -> EndpointReport:
        self._server.finished(self)
        out = self.out
        return EndpointReport(
            view=server_view(out, self.name),
            version=out.version if out.established else None,
            cipher=out.cipher,
            alpn=out.alpn,
            peer_certificate=out.peer_certificate,
            early_data=out.early_data,
            ending=None if self._dropped else out.ending,
            errors=tuple(map(str, out.errors)),
            keylog=self._server.new_keys(),
            output=self.printed_so_far(),
            commands=(self._server.command,),
            extra={} if out.counters is None else {"counters": out.counters},
        )
