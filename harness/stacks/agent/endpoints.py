"""A context in an agent, as a ClientEndpoint or a ServerEndpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.agent.sockets import LOOPBACK
from harness.agent.verbs import VERBS
from harness.model.errors import UnsupportedError
from harness.stacks.agent.agent_links import AgentLink
from harness.stacks.agent.encoding import files_object, knobs_object
from harness.stacks.agent.joined import InnerClock, join
from harness.stacks.agent.reply_results import as_json, result
from harness.stacks.agent.session_objects import offer_object
from harness.stacks.clocked import Clocked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model.knobs import ClientConfig, ServerConfig
    from harness.model.session import Session
    from harness.runtime.loop import Pending
    from harness.stacks.agent.host import AgentHost
    from harness.stacks.agent.joined import Joined


class AgentEndpoint(Clocked):
    """What both roles share: the context, its verbs and its clock. The constructor waits until the agent made it.

    ``needs`` are environment variables that this config requires; with any, the endpoint gets its own agent.
    RefusedError if the TLS library refuses the value of a knob, UnsupportedError if the driver cannot set it.
    """

    def __init__(
        self, host: AgentHost, config: ClientConfig | ServerConfig, needs: Mapping[str, str] | None = None
    ) -> None:
        self.name = host.label
        self._role = config.role
        files = files_object(config, host.runtime)  # before the wait for the agent, which may be starting
        self._process, self._clock = host.process(config.clock, needs)
        self._host = host
        self._context = self._process.unique("c")
        made = self._process.ask(
            "context",
            {
                "as": self._context,
                "role": str(config.role),
                "knobs": knobs_object(config),
                "files": files,
            },
            lambda _reply: None,
        )
        if host.joins and config.clock is not None:
            self._clock = InnerClock(self._process, self._context)
        self._ask_more()
        try:
            self._process.answer("context", made)
            if host.joins and config.clock:
                self.move_clock(config.clock)
        except BaseException:
            host.done(self._process)
            raise

    def _ask_more(self) -> None:
        """Send the further requests of a role in the same burst, before the context is known to exist."""

    def control(self, verb: str, **fields: Any) -> Pending[Any]:
        """Carry out a verb on the context."""
        row = VERBS[verb]

        def read(reply: Mapping[str, Any]) -> Any:
            return result(row, reply, self._process)

        named = {
            name: self._named(value) if isinstance(value, AgentEndpoint) else value for name, value in fields.items()
        }
        return self._process.ask(verb, {"context": self._context, **as_json(named)}, read)

    def _named(self, other: AgentEndpoint) -> str:
        """Return the name of another context of the same agent."""
        if other._process is not self._process:
            raise UnsupportedError(self.name, f"a context of {other.name}", "it is in another process")
        return other._context

    def close(self) -> None:
        """Free the context and its connections; end the agent if no other endpoint can use it."""
        self._process.free(self._context)
        self._host.done(self._process)


class AgentClientEndpoint(AgentEndpoint):
    """A client context; ``can_import`` says whether the driver can offer a session from its DER."""

    def __init__(
        self, host: AgentHost, config: ClientConfig, needs: Mapping[str, str] | None = None, *, can_import: bool
    ) -> None:
        super().__init__(host, config, needs)
        self._can_import = can_import

    def joined(self, server: object, offer: Session | None = None) -> tuple[AgentLink, AgentLink, Joined] | None:
        """Return both ends of a connection in memory, and the connection; None if the server is in another process."""
        if not self._host.joins or not isinstance(server, AgentServerEndpoint) or server._process is not self._process:  # noqa: SLF001 - its other end
            return None
        contexts = self._context, server._context  # noqa: SLF001 - its other end
        return join(self._process, contexts, offer, can_import=self._can_import)

    def connect(self, port: int, offer: Session | None = None) -> AgentLink:
        """Connect to 127.0.0.1:port; the next handshake offers the session."""
        session = None if offer is None else offer_object(offer, self._process, can_import=self._can_import)
        fields = {"context": self._context, "port": port, "session": session}
        return AgentLink(self._process, self._role, "connect", fields)


class AgentServerEndpoint(AgentEndpoint):
    """A server context with its listener, which one that is joined in memory makes only when it is connected to."""

    def __init__(self, host: AgentHost, config: ServerConfig, needs: Mapping[str, str] | None = None) -> None:
        self._listening: Pending[int] | None = None
        super().__init__(host, config, needs)
        if not host.joins:
            self._process.answer("listen", self._listens())

    def _ask_more(self) -> None:
        self._listener = self._process.unique("l")
        if not self._host.joins:
            self._listens()

    def _listens(self) -> Pending[int]:
        """Ask for its listener once; the result is the port."""
        if self._listening is None:
            fields = {"as": self._listener, "context": self._context}
            self._listening = self._process.ask("listen", fields, lambda reply: int(reply["port"]))
        return self._listening

    @property
    def port(self) -> int:
        """Its port, which the kernel chose."""
        return self._process.answer("listen", self._listens())

    @property
    def address(self) -> tuple[str, int]:
        """Its host and port, which the kernel chose."""
        return LOOPBACK, self.port

    def accept(self) -> AgentLink:
        """Take the next connection."""
        self._process.answer("listen", self._listens())
        return AgentLink(self._process, self._role, "accept", {"listener": self._listener})
