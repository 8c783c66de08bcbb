"""The agent processes of one stack: a shared one, and those of endpoints with a clock or their own environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import harness
from harness.model.errors import EndpointError, TimedOutError, stretched
from harness.runtime.clock import Clock
from harness.stacks.agent.agent_process import AgentProcess
from harness.stacks.agent.hello import check_protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.model.build import Build
    from harness.runtime.loop import Pending
    from harness.runtime.runtime import Runtime

PROBE = 2.0
"""Seconds that an agent with unanswered requests gets to answer one that it carries out at once."""


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


SPARES = 8
"""How many processes that no endpoint uses a host keeps, beside the shared one."""


class Own(NamedTuple):
    """A process that one endpoint has for itself, its clock, and what its environment has beside the others'."""

    process: AgentProcess
    clock: Clock | None
    needs: Mapping[str, str]


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
        *,
        packs: bool = False,
        joins: bool = False,
    ) -> None:
        self.runtime = runtime
        self.label = label
        self._packs = packs
        self.joins = joins
        """Whether its shared agent joins contexts in memory, and gives each a clock of its own."""
        self._argv = tuple(argv)
        self._environment = dict(environment)
        self._deadline = deadline
        self._shared: AgentProcess | None = None
        self._starting: Starting | None = None
        self._own: list[Own] = []
        self._spare: list[Own] = []

    def process(self, clock: int | None, needs: Mapping[str, str] | None = None) -> tuple[AgentProcess, Clock | None]:
        """Return the shared process; for an endpoint with a clock or ``needs`` in its environment, one of its own.

        A process that such an endpoint has left is used again by the next one with the same needs.
        """
        if (clock is not None and not self.joins) or needs:
            own = self._left(clock, needs or {}) or self._new(clock, needs or {})
            self._own.append(own)
            return own.process, own.clock
        if self._shared is not None:
            self.runtime.loop.turn(0)  # notices if it died since its last use
        if self._shared is None or not self._answers(self._shared):
            starting, self._starting = self._starting or self._begin(self._environment), None
            self._shared = self._started(starting)
        return self._shared, None

    def _left(self, clock: int | None, needs: Mapping[str, str]) -> Own | None:
        """Return a process that another endpoint has left, with its clock set."""
        for spare in [own for own in self._spare if own.needs == needs and (own.clock is None) is (clock is None)]:
            self._spare.remove(spare)
            if spare.clock is not None and clock is not None:
                spare.clock.move(clock)
            self.runtime.loop.turn(0)  # notices if it died since its last use
            if self._answers(spare.process):
                return spare
        return None

    def _new(self, clock: int | None, needs: Mapping[str, str]) -> Own:
        own = None if clock is None else Clock(self.runtime.path(".clock"), clock)
        environment = {**self._environment, **needs, **(own.environment if own else {})}
        return Own(self._started(self._begin(environment)), own, needs)

    def prepare(self) -> None:
        """Start the shared process, unless there is one, without waiting for it."""
        if self._shared is None and self._starting is None:
            self._starting = self._begin(self._environment)

    def _answers(self, process: AgentProcess) -> bool:
        if process.idle:
            process.child.forget()
        elif process.alive:
            try:
                self.runtime.loop.settle([process.probe()], stretched(PROBE))
            except TimedOutError:
                process.kill("no longer answers")
        if not process.alive:
            process.close()
        return process.alive

    def _begin(self, environment: Mapping[str, str]) -> Starting:
        process = AgentProcess(self.runtime, self.label, self._argv, environment, self._deadline, packs=self._packs)
        return Starting(process, process.ask("hello", {}, check_protocol))

    @staticmethod
    def _started(starting: Starting) -> AgentProcess:
        try:
            starting.process.started(starting.hello)
        except BaseException:
            starting.process.close()
            raise
        return starting.process

    def done(self, process: AgentProcess) -> None:
        """Take back the process of a closed endpoint, unless it is the shared one."""
        for own in [own for own in self._own if own.process is process]:
            self._own.remove(own)
            if process.alive and len(self._spare) < SPARES:
                self._spare.append(own)
            else:
                process.close()

    def close(self) -> None:
        """End every process."""
        starting = self._starting.process if self._starting else None
        own = [own.process for own in (*self._own, *self._spare)]
        for process in (*own, *filter(None, [self._shared, starting])):
            process.close()
        self._own.clear()
        self._spare.clear()
        self._shared = self._starting = None
