"""An agent that joins two of its contexts in memory, without TCP, and gives each a clock of its own.

The verbs are an extension of the protocol, for the harness's own agents alone: an agent is started with ``--join``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.agent.agent import Agent, known, unused
from harness.agent.conversation import Conversation
from harness.agent.fields import BOOL, INT, OBJECT, OBJECT_NAME, RequestError, optional, word
from harness.agent.joined.memory import EOF, RESET, Pipe
from harness.agent.library import LackError, facts_after
from harness.agent.verbs import AGENT, CONTEXT, VERBS, Verb
from harness.agent.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.agent.joined.memory import MemoryEnd
    from harness.agent.library import Library, Tls
    from harness.agent.replies import Outbox
    from harness.agent.requests import Request

JOIN = "--join"
MICRO = 1_000_000
"""Microseconds of a second."""
NAMED = OBJECT_NAME.about("the name of a pipe")
_ROWS = (
    Verb(
        "join_server", CONTEXT, "Make a pipe, with a server's connection at its end.", {"as": OBJECT_NAME, "of": NAMED}
    ),
    Verb(
        "join_client",
        CONTEXT,
        "Make a client's connection at the other end of a pipe.",
        {"as": OBJECT_NAME, "of": NAMED, "session": optional(OBJECT)},
    ),
    Verb("wire", AGENT, "Return what passed through a pipe, once both ends are released.", {"of": NAMED}),
    Verb("cut", AGENT, "End the input of both ends of a pipe.", {"of": NAMED, "how": word(EOF, RESET)}),
    Verb(
        "clock",
        CONTEXT,
        "Let the library see the true time plus these seconds for this context, or this time if it is stopped.",
        {"seconds": INT, "stopped": BOOL},
    ),
    Verb(
        "running_clock",
        CONTEXT,
        "Let the library see this time when it next asks, in microseconds, and so many more each true second.",
        {"at": INT, "pace": INT},
    ),
    Verb("memory", AGENT, "Return the bytes that malloc has given out.", result={"in_use": "integer or null"}),
)
JOINING: dict[str, Verb] = {**VERBS, **{row.name: row for row in _ROWS}}
"""The verbs of the protocol and those of the extension."""


class JoinedConversation(Conversation):
    """A connection at one end of a pipe."""

    def __init__(
        self,
        end: MemoryEnd,
        outbox: Outbox,
        opening: Request,
        begin: Callable[[Any], Tls],
        after: Callable[[Tls | None], dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(InMemory(), outbox, opening, begin, after)
        self._end_of_pipe = end

    def run(self) -> None:
        """Carry out queued requests until one has to wait; then the other end gets what was sent."""
        super().run()
        self._end_of_pipe.pump()

    def _close(self) -> None:
        self._end_of_pipe.detach()
        self._sock = None
        super()._close()
        self._end_of_pipe.close(RESET if self._unread else EOF)


class InMemory(Watcher):
    """Waits for the other end of a pipe."""

    def __init__(self) -> None:
        """Open no selector."""

    def want(self, file: Any, ready: Callable[[], None], *, write: bool = False, within: float | None = None) -> None:
        """Call ``ready`` once, when there is something to read; a pipe can always be written to."""
        if write or within is not None:
            raise RequestError("a pipe in memory never fills, and loses nothing")
        file.want(ready)


class JoiningAgent(Agent):
    """Serves the extension as well."""

    verbs = JOINING

    def __init__(self, library: Library, watcher: Watcher, outbox: Outbox) -> None:
        super().__init__(library, watcher, outbox)
        self._pipes: dict[str, Pipe] = {}
        self._own |= {
            "join_server": self._join_server,
            "join_client": self._join_client,
            "wire": self._wire,
            "cut": self._cut,
            "clock": self._clock,
            "running_clock": self._running_clock,
            "memory": self._memory,
        }

    def _join_server(self, request: Request) -> None:
        context = known(self._contexts, request.fields["context"], "context")
        name = unused(self._pipes, request.fields["of"], "pipe")
        self._pipes[name] = pipe = Pipe()
        self._join(request, pipe.server, context.accept, lambda tls: facts_after(context, tls))

    def _join_client(self, request: Request) -> None:
        context = known(self._contexts, request.fields["context"], "context")
        pipe = known(self._pipes, request.fields["of"], "pipe")
        session = request.fields["session"]
        self._join(request, pipe.client, lambda sock: context.connect(sock, session))

    def _join(
        self,
        request: Request,
        end: MemoryEnd,
        begin: Callable[[Any], Tls],
        after: Callable[[Tls | None], dict[str, Any]] | None = None,
    ) -> None:
        name = unused(self._conversations, request.fields["as"], "connection")
        conversation = JoinedConversation(end, self._outbox, request, begin, after)
        conversation.released = lambda: self._conversations.pop(name, None)
        self._conversations[name] = (request.fields["context"], conversation)
        conversation.opened(end)

    def _wire(self, request: Request) -> None:
        pipe = known(self._pipes, request.fields["of"], "pipe")

        def over() -> None:
            del self._pipes[request.fields["of"]]
            chunks = [[role, data.hex()] for role, data in pipe.chunks]
            self._outbox.ok(request.id, {"chunks": chunks, "ends": pipe.ends})

        pipe.when_over(over)

    def _cut(self, request: Request) -> dict[str, Any]:
        known(self._pipes, request.fields["of"], "pipe").end_both(request.fields["how"])
        return {}

    @staticmethod
    def _memory(_request: Request) -> dict[str, Any]:
        from harness.agent.joined.heap import in_use  # noqa: PLC0415 - ctypes is for this alone

        return {"in_use": in_use()}

    def _clock(self, request: Request) -> dict[str, Any]:
        self._clocked(request, "set_clock")(request.fields["seconds"], stopped=request.fields["stopped"])
        return {}

    def _running_clock(self, request: Request) -> dict[str, Any]:
        self._clocked(request, "run_clock")(request.fields["at"] / MICRO, request.fields["pace"] / MICRO)
        return {}

    def _clocked(self, request: Request, name: str) -> Callable[..., None]:
        method: Callable[..., None] | None = getattr(
            known(self._contexts, request.fields["context"], "context"), name, None
        )
        if method is None:
            raise LackError("clock: this driver cannot give a context a clock of its own")
        return method
