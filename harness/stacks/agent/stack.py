"""What the stacks that are driven by an agent share: its process, and the check of a config before it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.capability import Capability
from harness.model.errors import UnsupportedError
from harness.model.knobs import show_knob
from harness.model.tls import Role
from harness.runtime.clock import MISSING, library
from harness.stacks.agent.endpoints import AgentClientEndpoint, AgentServerEndpoint
from harness.stacks.agent.host import AgentHost, agent_command, agent_environment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.model.build import Build
    from harness.model.capability import Abilities
    from harness.model.knobs import ClientConfig, ServerConfig
    from harness.runtime.runtime import Runtime


def clock_missing() -> dict[str, str]:
    """Why no clock can be moved here, by the value of the Capability; empty if one can."""
    return {} if library() else {Capability.CLOCK.value: MISSING}


class AgentStack:
    """One driver on one build; ``options`` go to the agent's command line."""

    def __init__(
        self, name: str, build: Build, runtime: Runtime, abilities: Mapping[Role, Abilities], *options: str
    ) -> None:
        self.name = name
        self.build = build
        self._abilities = dict(abilities)
        self._runtime = runtime
        self._host = AgentHost(runtime, self.label, agent_command(build, name, *options), agent_environment(build))

    @property
    def label(self) -> str:
        """``stack@build``."""
        return f"{self.name}@{self.build.version}"

    def abilities(self, role: Role) -> Abilities:
        """The knobs and Capabilities in a role."""
        return self._abilities[role]

    def _needs(self, _config: ClientConfig | ServerConfig) -> dict[str, str]:
        """What the agent must have in its environment for these knobs, if anything; a stack overrides it."""
        return {}

    def _check(self, config: ClientConfig | ServerConfig) -> None:
        for name, value in config.given().items():
            reason = self._abilities[config.role].lacks_knob(name, value)
            if reason is not None:
                raise UnsupportedError(self.label, f"{config.role} knob {name}={show_knob(value)}", reason)

    def prepare(self, config: ClientConfig | ServerConfig) -> None:
        """Start the shared agent, without waiting for it, unless an endpoint with this config has its own."""
        if config.clock is None and not self._needs(config):
            self._host.prepare()

    def client(self, config: ClientConfig) -> AgentClientEndpoint:
        """Make a client; UnsupportedError if a knob cannot be had, RefusedError if the library refuses its value."""
        self._check(config)
        can_import = self._abilities[Role.CLIENT].lacks(Capability.SESSION_IMPORT) is None
        return AgentClientEndpoint(self._host, config, self._needs(config), can_import=can_import)

    def server(self, config: ServerConfig) -> AgentServerEndpoint:
        """Make a server that is ready to accept; errors as for a client."""
        self._check(config)
        return AgentServerEndpoint(self._host, config, self._needs(config))

    def close(self) -> None:
        """End the agents."""
        self._host.close()
