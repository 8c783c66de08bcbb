"""The agent processes of one stack: a shared one, and one for each endpoint that needs its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import harness
from harness.model.errors import EndpointError, TimedOutError
from harness.runtime.clock import Clock
from harness.runtime.loop import stretched
from harness.stacks.agent.agent_process import AgentProcess

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.model.build import Build
    from harness.runtime.loop import Pending
    from harness.runtime.runtime import Runtime

PROTOCOL = 1
"""The version of the protocol that the harness speaks."""
PROBE = 2.0
"""Seconds that an agent with unanswered requests gets to answer ``hello``."""


def agent_command(build: Build, stack: str, *options: str) -> tuple[str, ...]:
    """Return the command line of the agent for a stack; EndpointError if the build names no interpreter."""
    if build.python is None:
        raise EndpointError(f"{stack}@{build.version}", "its build names no Python interpreter to run the agent")
    return (*build.python, "-P", "-m", "harness.agent", stack, *options)


def agent_environment(build: Build) -> dict[str, str]:
    """Return this process's environment and the build's, with a PYTHONPATH on which the agent finds this harness."""
    root = Path(harness.__file__).parent.parent
    path = os.pathsep.join(filter(None, (str(root), build.environment.get("PYTHONPATH", os.environ.get("PYTHONPATH")))))
    return {**os.environ, **build.environment, "PYTHONPATH": path}


class Starting(NamedTuple):
    """A process that was started, and its reply to the first ``hello``."""

    process: AgentProcess
    hello: Pending[None]


class AgentHost:
    """Starts the shared agent on first use, and again if it died or no longer answers."""

    def __init__(
        self,
        runtime: Runtime,
        label: str,
        argv: Sequence[str],
        environment: Mapping[str, str],
        deadline: float | None = None,
    ) -> None:
        self.runtime = runtime
        self.label = label
        self._argv = tuple(argv)
        self._environment = dict(environment)
        self._deadline = deadline
        self._shared: AgentProcess | None = None
        self._starting: Starting | None = None
        self._own: list[AgentProcess] = []

    def process(self, clock: int | None, needs: Mapping[str, str] | None = None) -> tuple[AgentProcess, Clock | None]:
        """Return the shared process, or a new one for an endpoint with a clock or with ``needs`` in its environment."""
        if clock is not None or needs:
            own = None if clock is None else Clock(self.runtime.path(".clock"), clock)
            environment = {**self._environment, **(needs or {}), **(own.environment if own else {})}
            process = self._started(self._begin(environment))
            self._own.append(process)
            return process, own
        if self._shared is not None:
            self.runtime.loop.turn(0)  # notices if it died since its last use
        if self._shared is None or not self._answers(self._shared):
            starting, self._starting = self._starting or self._begin(self._environment), None
            self._shared = self._started(starting)
        return self._shared, None

    def prepare(self) -> None:
        """Start the shared process, unless there is one, without waiting for it."""
        if self._shared is None and self._starting is None:
            self._starting = self._begin(self._environment)

    def _answers(self, process: AgentProcess) -> bool:
        if process.idle:
            process.child.forget()
        elif process.alive:
            probe = process.ask("hello", {}, lambda _reply: True)
            try:
                self.runtime.loop.settle([probe], stretched(PROBE))
            except TimedOutError:
                process.kill("no longer answers")
        if not process.alive:
            process.close()
        return process.alive

    def _begin(self, environment: Mapping[str, str]) -> Starting:
        process = AgentProcess(self.runtime, self.label, self._argv, environment, self._deadline)
        return Starting(process, process.ask("hello", {}, self._check))

    @staticmethod
    def _started(starting: Starting) -> AgentProcess:
        try:
            starting.process.answer("hello", starting.hello)
        except BaseException:
            starting.process.close()
            raise
        return starting.process

    @staticmethod
    def _check(reply: Mapping[str, object]) -> None:
        if reply["protocol"] != PROTOCOL:
            raise ValueError(f"protocol {reply['protocol']} is not spoken here, but {PROTOCOL}")

    def done(self, process: AgentProcess) -> None:
        """End the process of a closed endpoint, unless it is the shared one."""
        if process in self._own:
            self._own.remove(process)
            process.close()

    def close(self) -> None:
        """End every process."""
        starting = self._starting.process if self._starting else None
        for process in (*self._own, *filter(None, [self._shared, starting])):
            process.close()
        self._own.clear()
        self._shared = self._starting = None
