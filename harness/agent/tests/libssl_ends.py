"""A libssl client and server of this machine, and whole conversations between them, without a tap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from harness.model.knobs import ClientConfig, ServerConfig
from harness.stacks.libssl import LibsslStack
from harness.tests.raw_agent import libssl_build

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.model.session import Session
    from harness.model.view import EndpointReport
    from harness.runtime.loop import Pending
    from harness.runtime.runtime import Runtime
    from harness.stacks.agent import AgentClientEndpoint, AgentServerEndpoint
    from harness.stacks.agent.agent_links import AgentLink

    During = Callable[[AgentLink, AgentLink], Sequence[Pending[Any]]]

T = TypeVar("T")


@dataclass
class Talked:
    """One connection that is over: what each end reports, and what the client took."""

    server: EndpointReport
    client: EndpointReport
    session: Session | None
    sessions: tuple[Session, ...]
    during: list[Any]

    @property
    def saw(self) -> tuple[str, str]:
        """What the server and the client saw."""
        return self.server.view.saw.value, self.client.view.saw.value


def nothing(_server: AgentLink, _client: AgentLink) -> Sequence[Pending[Any]]:
    """Do nothing more during a connection."""
    return ()


class Ends:
    """Makes libssl endpoints of one stack, and closes them with it."""

    def __init__(self, runtime: Runtime) -> None:
        self._loop = runtime.loop
        self.stack = LibsslStack(libssl_build(), runtime)
        self.clients: list[AgentClientEndpoint] = []

    def server(self, **knobs: Any) -> AgentServerEndpoint:
        """A server with these knobs."""
        return self.stack.server(ServerConfig(**knobs))

    def client(self, **knobs: Any) -> AgentClientEndpoint:
        """A client with these knobs."""
        return self.stack.client(ClientConfig(**knobs))

    def done(self, pending: Pending[T]) -> T:
        """Wait for a result."""
        self._loop.settle([pending])
        return pending.result()

    def talk(
        self,
        client: AgentClientEndpoint,
        server: AgentServerEndpoint,
        offer: Session | None = None,
        during: During = nothing,
    ) -> Talked:
        """Handshake, one line each way, whatever else is to be done, close_notify from both, release."""
        b, a = server.accept(), client.connect(server.port, offer)
        first: list[Pending[Any]] = [
            b.handshake(),
            a.handshake(),
            a.write(b"ping\n"),
            b.read_line(),
            b.write(b"pong\n"),
            a.read_line(),
        ]
        more = list(during(b, a))
        taken, sessions = a.ask("session"), a.ask("sessions")
        last: list[Pending[Any]] = [a.shutdown(), b.await_end(), b.shutdown(), a.await_end()]
        reports = b.release(), a.release()
        self._loop.settle([*first, *more, taken, sessions, *last, *reports])
        results = [pending.result() for pending in more]
        return Talked(reports[0].result(), reports[1].result(), taken.result(), sessions.result(), results)

    def close(self) -> None:
        """End the agents."""
        self.stack.close()
