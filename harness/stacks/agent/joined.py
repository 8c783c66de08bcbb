"""Two contexts of one agent that are joined in memory: the connection's ends, and what passed between them."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.agent.joined.joining import MICRO
from harness.model.tls import Role
from harness.model.transcript import Chunk, Tcp, TcpEnd
from harness.stacks.agent.agent_links import AgentLink
from harness.stacks.agent.session_objects import offer_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model.session import Session
    from harness.model.tls import Close
    from harness.runtime.loop import Pending
    from harness.stacks.agent.agent_process import AgentProcess

BETWEEN = 1e-6
"""Seconds between two chunks: in memory no time passes between them."""


class InnerClock:
    """The clock of a context within its agent, without a process of its own."""

    def __init__(self, process: AgentProcess, context: str) -> None:
        self._process = process
        self._context = context

    def _set(self, seconds: int, *, stopped: bool) -> None:
        self._ask("clock", {"seconds": seconds, "stopped": stopped})

    def _ask(self, verb: str, fields: Mapping[str, Any]) -> None:
        """Ask for it; wait for the first reply of the agent, which may say that it cannot set clocks."""
        asked = self._process.ask(verb, {"context": self._context, **fields}, lambda _reply: None)
        if not self._process.sets_clocks:
            self._process.answer(verb, asked)
            self._process.sets_clocks = True

    def move(self, seconds: int) -> None:
        """Set it to the true time plus ``seconds``."""
        self._set(seconds, stopped=False)

    def stop(self, at: int) -> None:
        """Stop it at a time, seconds since the epoch."""
        self._set(at, stopped=True)

    def run(self, at: float, pace: float = 1) -> None:
        """Show this moment, seconds since the epoch, when the context next reads the clock, and run on at this pace."""
        self._ask("running_clock", {"at": round(at * MICRO), "pace": round(pace * MICRO)})


class Joined:
    """A connection in memory, as a tap records one."""

    blocked: str | None = None
    sent: tuple[Chunk, ...] = ()
    tampered: tuple[str, ...] = ()
    holding = False

    def __init__(self, process: AgentProcess, pipe: str) -> None:
        self.chunks: list[Chunk] = []
        self.tcp = Tcp(time.time_ns(), 0, 0, 0)
        self._process = process
        self._pipe = pipe
        self._wire: Pending[bool] | None = None

    def ask(self) -> Pending[bool]:
        """Ask for what passed, which is known once both ends are released."""
        self._wire = self._process.ask("wire", {"of": self._pipe}, self._read)
        return self._wire

    def _read(self, reply: Mapping[str, Any]) -> bool:
        chunks = reply["chunks"]
        self.chunks = [Chunk(Role(role), n * BETWEEN, bytes.fromhex(data)) for n, (role, data) in enumerate(chunks)]
        ends = tuple(
            TcpEnd(Role(role) if role else None, len(chunks) * BETWEEN, reset) for role, reset in reply["ends"]
        )
        self.tcp = replace(self.tcp, ends=ends)
        return True

    @property
    def ended(self) -> bool:
        """Return whether everything that passed is here."""
        return self._wire is not None and self._wire.done

    def cut(self, how: Close) -> None:
        """End the input of both ends, by the end of TCP or a reset."""
        self._process.ask("cut", {"of": self._pipe, "how": how.value}, lambda _reply: None)

    def close(self) -> None:
        """Do nothing: both ends are closed by their release."""

    def drain(self) -> None:
        """Do nothing: in memory each byte has arrived."""

    def release(self) -> None:
        """Do nothing: there is no middlebox in memory."""


def join(
    process: AgentProcess, contexts: tuple[str, str], offer: Session | None, *, can_import: bool
) -> tuple[AgentLink, AgentLink, Joined]:
    """Open a connection between a client's and a server's context of one agent."""
    pipe = process.unique("p")
    server = AgentLink(process, Role.SERVER, "join_server", {"context": contexts[1], "of": pipe})
    session = None if offer is None else offer_object(offer, process, can_import=can_import)
    client = AgentLink(process, Role.CLIENT, "join_client", {"context": contexts[0], "of": pipe, "session": session})
    return client, server, Joined(process, pipe)
