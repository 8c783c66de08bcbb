"""A server of your own, for a test: connections by a client of the harness, and the answers of a probe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.explain.probing.expectations import EXPECTATIONS, unmet
from harness.model.errors import UsageError
from harness.model.knobs import ClientConfig, Verify
from harness.model.tls import USUAL_VERSIONS
from harness.probe import probing
from harness.probe.limits import MOST, RATE, Limits
from harness.probe.probing import Wanted, eof_ignored
from harness.probe.say import HTTP, Said, get, status
from harness.probe.visitor import Visitor
from harness.runtime.address import target
from harness.runtime.closing import Closing
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from pathlib import Path

    from harness.model.connection import Connection
    from harness.model.probe import Probe
    from harness.model.session import Session
    from harness.pair.pair import Pair
    from harness.stacks.base import Stack


class Probed(Closing):
    """A server that runs already, at HOST:PORT. The fixture `probe` makes it and closes it.

    ``client`` is a stack, further keywords are knobs of the client; both versions are enabled unless ``versions`` says
    otherwise. ``say`` is what the client says after the handshake: ``"http"`` is a GET of /, ``b""`` nothing, other
    bytes are sent as they are; a line of the answer is waited for. ``ca`` is the authority that the server's
    certificate has to verify with (PEM). `reasons` and `titles` take it in place of a pair.
    UsageError for an address that is neither loopback nor private, unless ``allow_public``, and for a stack or knob
    that does not exist; UnreachableError if the host has no address.
    """

    _name = ""
    """What users see of the server; its address if empty."""

    def __init__(
        self,
        host: str,
        port: int,
        client: str | Stack = "libssl",
        *,
        say: str | bytes = HTTP,
        ca: Path | None = None,
        allow_public: bool = False,
        runtime: Runtime | None = None,
        **knobs: Any,
    ) -> None:
        self._target = target(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", allow_public=allow_public)
        if isinstance(say, str) and say != HTTP:
            raise UsageError(f"say cannot be {say!r}; give 'http', or bytes")
        config = ClientConfig().changed(**knobs)
        self._own = Runtime() if runtime is None else None
        self._runtime = runtime or self._own or Runtime()
        self._machine = Machine(self._runtime)
        self._answers: dict[int, bytes] = {}
        self._http = isinstance(say, str)
        self._visitor: Visitor | None = None
        try:
            if ca is not None:
                self._runtime.pki.trust(ca)
            self._stack = self._machine.one(client) if isinstance(client, str) else client
            self._config = config.changed(
                versions=config.versions or USUAL_VERSIONS,
                server_name=config.server_name or self._target.name or None,
                verify=config.verify or (Verify.REQUIRED if ca is not None else None),
                ignore_unexpected_eof=eof_ignored(self._stack, config.ignore_unexpected_eof),
            )
            limits = Limits(self._runtime.loop, None if self._target.loopback else RATE, MOST)
            name = self._config.server_name or self._target.host
            words = Said(get(name), http=True) if isinstance(say, str) else Said(say)
            self._visitor = Visitor(self._runtime, self._stack, self._target, limits, words, name=self._name)
        except BaseException:
            self.close()
            raise

    @property
    def connections(self) -> list[Connection]:
        """Every connection so far, in order, without those of `ask`."""
        return self._open.pair.connections

    @property
    def pair(self) -> Pair:
        """The client, and the server as far as it is known."""
        return self._open.pair

    def status(self, connection: Connection) -> int | None:
        """The HTTP status that a connection got; None if its answer was not of HTTP."""
        return status(self._answers.get(connection.number, b""))

    @property
    def _open(self) -> Visitor:
        if self._visitor is None:
            raise UsageError("the server was closed; probe it again")
        return self._visitor

    def connect(self, offer: Session | None = None, **knobs: Any) -> Connection:
        """Handshake, say something, read a line of the answer, take the session, and leave.

        Two witnesses judge: the client and the wire. ``knobs`` change the client for this connection alone; the Host of
        its GET is the server name.
        UnreachableError if the server cannot be reached or does not answer, DisagreementError if client and wire
        contradict each other.
        """
        config = self._config.changed(**knobs)
        name = config.server_name or self._target.host
        visit = self._open.visit(config, offer, Said(get(name), http=True) if self._http else None)
        self._answers[visit.connection.number] = visit.answer or b""
        return visit.connection

    def ask(self, *, offers: int = 14, seed: int = 0, software: str = "") -> Probe:
        """Ask all questions of `resumption probe`, with so many offers of each mechanism; its ``answers`` are texts.

        ``software`` is the product whose settings they name, as `--software` takes it; by default the Server header's.
        UnreachableError if the server cannot be reached or does not do TLS.
        """
        wanted = Wanted(
            versions=self._config.versions,
            offers=offers,
            seed=seed,
            verify=bool(self._config.verify),
            software=software,
        )
        return probing.probe(self._runtime, self._stack, self._target, wanted)

    def unmet(self, *expected: str, offers: int = 14, seed: int = 0) -> list[str]:
        """A sentence for each of these expectations that does not hold: ``resumes``, ``shared``, ``single-key``.

        They are those of `resumption probe --expect` (docs/probe.md). UsageError for another one.
        """
        if unknown := [word for word in expected if word not in EXPECTATIONS]:
            raise UsageError(f"nothing is known of {unknown[0]!r}; the expectations are: {', '.join(EXPECTATIONS)}")
        return unmet(self.ask(offers=offers, seed=seed), list(expected))

    def close(self) -> None:
        """End the client and its process; a second call does nothing."""
        if self._visitor is not None:
            self._visitor.close()
            self._visitor = None
        self._machine.close()
        if self._own is not None:
            self._own.close()
