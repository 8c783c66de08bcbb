"""What the stacks with an agent share: its process, and the check of a config."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from harness.agent.agent import PACK
from harness.agent.joined.joining import JOIN
from harness.model.capability import Capability
from harness.model.errors import UnsupportedError
from harness.model.knobs import show_knob
from harness.model.tls import Role
from harness.runtime.clock import MISSING, library
from harness.stacks.agent.endpoints import AgentClientEndpoint, AgentServerEndpoint
from harness.stacks.agent.host import AgentHost, agent_command, agent_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.model.build import Build
    from harness.model.capability import Abilities
    from harness.model.knobs import ClientConfig, ServerConfig
    from harness.runtime.runtime import Runtime


def clock_missing() -> dict[str, str]:
    """Return why clocks cannot be moved on this machine, by Capability value; empty if they can."""
    return {} if library() else {Capability.CLOCK.value: MISSING}


class AgentStack:
    """One driver on one build; ``options`` are passed to the harness's own agent, unless there is a ``command``.

    If it ``joins``, both ends of a pair are in one agent, and meet in memory.
    """

    def __init__(
        self,
        name: str,
        build: Build,
        runtime: Runtime,
        abilities: Mapping[Role, Abilities],
        *options: str,
        command: Sequence[str] = (),
        joins: bool = False,
    ) -> None:
        self.name = name
        self.build = build
        self._abilities = dict(abilities)
        self._runtime = runtime
        argv = command or agent_command(build, name, PACK, *options, *([JOIN] if joins else []))
        environment = dict(os.environ) if command else agent_environment(build)
        self._host = AgentHost(runtime, self.label, argv, environment, packs=not command, joins=joins)

    @property
    def label(self) -> str:
        """``stack@build``."""
        return f"{self.name}@{self.build.version}"

    def abilities(self, role: Role) -> Abilities:
        """Return the knobs and Capabilities that it supports in a role."""
        return self._abilities[role]

    def _needs(self, _config: ClientConfig | ServerConfig) -> dict[str, str]:
        """Return the environment variables that these knobs require; stacks override it."""
        return {}

    def _check(self, config: ClientConfig | ServerConfig) -> None:
        for name, value in config.given().items():
            reason = self._abilities[config.role].lacks_knob(name, value)
            if reason is not None:
                raise UnsupportedError(self.label, f"{config.role} knob {name}={show_knob(value)}", reason)

    def prepare(self, config: ClientConfig | ServerConfig) -> None:
        """Start the shared agent, without waiting for it, unless an endpoint with this config has its own."""
        if (config.clock is None or self._host.joins) and not self._needs(config):
            self._host.prepare()

    def client(self, config: ClientConfig) -> AgentClientEndpoint:
        """Return a client; UnsupportedError if it lacks a knob, RefusedError if the library refuses its value."""
        self._check(config)
        can_import = self._abilities[Role.CLIENT].lacks(Capability.SESSION_IMPORT) is None
        return AgentClientEndpoint(self._host, config, self._needs(config), can_import=can_import)

    def server(self, config: ServerConfig) -> AgentServerEndpoint:
        """Return a server that accepts connections; errors as for ``client``."""
        self._check(config)
        return AgentServerEndpoint(self._host, config, self._needs(config))

    def memory(self) -> int | None:
        """Return the bytes that malloc has given out in the agent of both ends; None if nobody can say."""
        if not self._host.joins:
            return None
        process, _ = self._host.process(None)
        return process.call("memory", {}, lambda reply: None if reply["in_use"] is None else int(reply["in_use"]))

    def close(self) -> None:
        """End every agent."""
        self._host.close()
