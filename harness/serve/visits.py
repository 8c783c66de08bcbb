"""The connections of a client program of the table, as the near end of a scenario: the client and the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.model.errors import DEADLINE, stretched
from harness.model.knobs import ClientConfig, ServerConfig
from harness.runtime.closing import Closing
from harness.serve.command import Command, CommandError, printed
from harness.serve.served import Served

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.model.connection import Connection, Counters
    from harness.model.setup import Action
    from harness.model.tls import Role, TLSVersion
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack
    from harness.stacks.programs.clients import ClientProgram


class Visits(Closing):
    """A server for one client program, which connects two or three times in a row. `reasons` takes it as a pair.

    Two witnesses judge: the server and the wire.
    """

    left: dict[Role, Stack] = {}  # noqa: RUF012 - no end of it ever goes over to another stack
    actions_since: tuple[Action, ...] = ()
    """The program does what it does: no step is asked of it."""

    def __init__(self, program: ClientProgram, stacks: tuple[Stack, Stack], tls: TLSVersion, runtime: Runtime) -> None:
        self.client_stack, self.server_stack = stacks
        self.tls = tls
        self.runtime = runtime
        self.client_config, self.server_config = ClientConfig(versions=(tls,)), ServerConfig(versions=(tls,))
        self.declared: list[Any] = []
        """The declared differences (`harness.Differs`) that were asked for and are about its ends."""
        self.connections: list[Connection] = []
        """Every connection, in the order in which they began."""
        self.read_by_assert: Callable[[], bool] | None = None
        self._program = program
        self._served: Served | None = None

    @property
    def opened(self) -> int:
        """How many connections were begun, which are all over."""
        return len(self.connections)

    def run(self, *, restarts: bool = False, **knobs: object) -> list[Connection]:
        """Run the program once against a server with these knobs; its connections, in the order in which they began.

        With ``restarts`` each later connection meets a new server, without the keys of the last. UsageError for what is
        not a knob; CommandError if the program does not connect, or does not end.
        """
        self.server_config = self.server_config.changed(**knobs)
        keylog, command = self.runtime.path(".keys"), Command(self._program.argv, stretched(DEADLINE))
        self.close()
        served = self._served = Served(self.server_stack, self.runtime, self.server_config, keylog=keylog)
        ended: list[Connection] = []  # of a program that connects more often than a server explains
        served.ended = ended.append
        if restarts:
            served.begun = lambda _number: served.restart()
        values = {
            "{url}": served.url,
            "{host}": served.host,
            "{port}": served.port,
            "{ca}": served.ca,
            "{keylog}": keylog,
        }
        status, output = command.run(self.runtime, values, served.wait, lambda: served.idle, "its server")
        if not ended:
            raise CommandError(f"{self._program.name} ended with {status} and never connected{printed(output)}")
        self.connections = sorted(ended, key=lambda one: one.number)
        for connection in self.connections:
            connection.read_by_assert = self.read_by_assert
        return self.connections

    def last_counters(self) -> Counters | None:
        """The present server's counters; None if there is no server, or its stack has none."""
        return self._served.counters() if self._served else None

    def close(self) -> None:
        """End the server."""
        if self._served is not None:
            self._served.close()
            self._served = None
