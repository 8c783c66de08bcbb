"""One connection of s_client: one process, driven through its stdin."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.agent.knobs import ALLOW_NO_DHE_KEX
from harness.agent.knobs import early_data as early_data_of
from harness.model.errors import UnsupportedError, UsageError
from harness.model.tls import Ending, Role
from harness.runtime.process import how_it_ended, pasteable
from harness.runtime.pty_process import TerminalChild
from harness.stacks.openssl.client_output import ClientOutput
from harness.stacks.openssl.commands import lack, refused
from harness.stacks.openssl.files import ClientFiles
from harness.stacks.openssl.refusal import refusal
from harness.stacks.openssl.steps import Steps
from harness.stacks.openssl.unsent import Unsent
from harness.stacks.openssl.views import client_report
from harness.wire.session import codec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model.capability import Abilities
    from harness.model.session import Session
    from harness.model.view import EndpointReport
    from harness.runtime.loop import Pending
    from harness.runtime.runtime import Runtime

COMMANDS = (b"Q", b"R", b"K", b"k", b"B")
"""A line that starts with one of these is a command to s_client and is not sent."""


class OpensslClientLink:
    """One run of s_client, from the handshake to the end of the connection."""

    abilities: Abilities
    """What the client supports."""

    def __init__(self, runtime: Runtime, name: str, argv: list[str], environment: dict[str, str], major: int) -> None:
        self.name = name
        self._runtime = runtime
        self._argv = argv
        self._environment = environment
        self._steps = Steps(f"{name} (s_client)")
        self._out = ClientOutput(major)
        self._child: TerminalChild | None = None
        self._killed = False
        self._files = ClientFiles(runtime)
        self._offer: Session | None = None
        self._early_bytes: bytes | None = None
        self._renegotiations = 0
        self._unsent = Unsent(self._give)
        self.forgets = False
        """Whether it loses a line that it gets during a renegotiation: see Unsent."""
        self.datagrams = False
        """Whether UDP carries it."""
        self.left: Callable[[], None] = lambda: None
        self.hang_up: Callable[[], bool] = lambda: False

    def aim(self, port: int, offer: Session | None, early_data: int) -> None:
        """Set the port, the offered session, and the bytes of early data to send if the session allows it."""
        self._offer = offer
        if offer is not None and offer.der is None:
            raise UnsupportedError(self.name, "the offer", f"{offer.taken_by} could not export the session as DER")
        allowed = 0 if offer is None else offer.max_early_data or 0
        sent = early_data if early_data <= allowed else 0
        self._early_bytes = early_data_of(sent) if sent else None
        self._argv += self._files.argv(port, offer.der if offer else None, sent)

    def process(self) -> int | None:
        """s_client."""
        return None if self._child is None or self._child.ended.done else self._child.pid

    def printed_so_far(self) -> str:
        """Return everything that s_client printed."""
        return self._child.output if self._child is not None else ""

    def _start(self) -> None:
        self._child = TerminalChild(
            self._runtime.loop,
            self._runtime.warden,
            f"{self.name} (s_client)",
            self._argv,
            environment=self._environment,
            on_line=self._on_line,
        )
        self._child.on_end = self._on_end

    def _give(self, data: bytes) -> bool:
        return self._child is not None and not self._over and self._out.established and self._child.send(data)

    def _on_line(self, line: bytes) -> None:
        self._out.feed(line)
        if self.forgets:
            self._unsent.heard(line)
        self._steps.advance()

    def _on_end(self) -> None:
        self.left()
        if self._child is None:
            return
        error = self._child.ended.error
        if refused := refusal(self.name, Role.CLIENT, self._child.output, self._out.major):
            self._steps.refuse(refused)
        elif error is not None:
            self._steps.fail(str(error), self._child.output[:2000])
        elif not self._killed and not self._explained(code := self._child.ended.result()):
            what = f"{how_it_ended(code)} without reporting a connection"
            self._steps.fail(what, self._child.output, code)
        self._steps.advance()

    def _explained(self, code: int) -> bool:
        return code >= 0 and (self._out.established or self._out.closing or bool(self._out.trouble))

    @property
    def _over(self) -> bool:
        return self._child is None or self._child.ended.done

    def handshake(self) -> Pending[bool]:
        """Start s_client; the result is True once it has printed the facts of the connection."""
        return self._steps.ask(
            "the handshake",
            lambda: self._out.established,
            ready=lambda: self._out.established or self._over,
            begin=self._start,
        )

    def write(self, data: bytes) -> Pending[bool]:
        """Send one line; UsageError if s_client would take it for a command."""

        def give() -> bool:
            if data.startswith(COMMANDS):
                raise UsageError(f"s_client takes {data!r} for a command; begin the line with another letter")
            self._unsent.wrote(data)
            return self._give(data)

        return self._steps.ask("a write", give)

    def read_line(self) -> Pending[bytes]:
        """Return the next line that is data, not output of s_client itself."""

        def give() -> bytes:
            self._unsent.answered()
            return self._out.data.popleft() if self._out.data else b""

        return self._steps.ask(
            "a line from the server",
            give,
            ready=lambda: bool(self._out.data) or self._over,
        )

    def ask(self, verb: str, **fields: Any) -> Pending[Any]:
        """Carry out a verb for which s_client has a command or a file."""
        if verb == "renegotiate":
            return self._renegotiate(fields)
        if verb == "session":
            return self._steps.ask("the session", self._session)
        if verb == "sessions":
            return self._steps.ask("the sessions", lambda: tuple(s for s in (self._session(),) if s is not None))
        return refused(self.name, verb, fields, self.abilities)

    def _renegotiate(self, fields: Mapping[str, Any]) -> Pending[bool]:
        """Start SSL_renegotiate with the command R; it completes while data is exchanged."""

        def begin() -> None:
            if error := lack(self.name, "renegotiate", fields, self.abilities):
                raise error
            self._renegotiations += 1
            self._unsent.renegotiates()
            self._give(b"R\n")

        def begun() -> bool:
            return self._out.renegotiations >= self._renegotiations

        return self._steps.ask(
            "the beginning of a renegotiation",
            begun,
            ready=lambda: self._over or not self._out.established or begun(),
            begin=begin,
        )

    def _session(self) -> Session | None:
        """Return the session that s_client wrote last; each ticket overwrites the file.

        After a TLS 1.2 resumption s_client writes nothing, because the session did not change. The result is then the
        offered session, byte for byte, as SSL_get1_session would return the same object.
        """
        if written := self._files.session(self.name):
            return written
        if self._out.established and self._out.reused and self._offer is not None and self._offer.der is not None:
            return codec.decode(self._offer.der, taken_by=self.name)
        return None

    def shutdown(self) -> Pending[bool]:
        """Close the stdin of s_client: it sends close_notify and FIN, and waits up to 0.5 s for the end of TCP."""

        def begin() -> None:
            if self._child is not None:
                self._child.end_input()

        return self._steps.ask(
            "close_notify", lambda: self._out.closing, ready=lambda: self._out.closing or self._over, begin=begin
        )

    def await_end(self) -> Pending[Ending]:
        """Wait until s_client ends. After its own close_notify it decodes nothing, so it can only report EOF.

        It reads on for up to half a second, to the end of TCP, which is an empty datagram with UDP.
        """

        def ready() -> bool:
            if self.datagrams and self._out.closing:
                self.hang_up()
            return self._over

        return self._steps.ask("the end of its input", lambda: self._out.ending or Ending.EOF, ready=ready)

    def release(self) -> Pending[EndpointReport]:
        """End the process, without another close_notify, and report."""
        return self._steps.ask("its release", self._report, ready=lambda: self._over, begin=self._kill)

    def _kill(self) -> None:
        if self._child is not None and not self._over:
            self._killed = True
            self._child.kill()

    def close(self) -> None:
        """End the process."""
        if self._child is not None:
            self._killed = True
            self._child.close()

    def _report(self) -> EndpointReport:
        out, child = self._out, self._child
        if child is not None:
            child.close()
        skips = ALLOW_NO_DHE_KEX.flag in self._argv
        return replace(
            client_report(out, self.name, early_bytes=self._early_bytes, skips=skips),
            keylog=self._files.keys(),
            output=child.output if child else "",
            commands=(pasteable(self._argv, self._environment),),
        )
