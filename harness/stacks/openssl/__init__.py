"""The ``openssl`` stack: s_server and s_client of one build, driven through stdin and stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.errors import UnsupportedError, UsageError
from harness.model.knobs import show_knob
from harness.model.tls import Role
from harness.runtime import clock
from harness.stacks.openssl.abilities import program_abilities
from harness.stacks.openssl.client import OpensslClient
from harness.stacks.openssl.server import OpensslServer

if TYPE_CHECKING:
    from harness.model.build import Build
    from harness.model.capability import Abilities
    from harness.model.knobs import ClientConfig, Config, ServerConfig
    from harness.runtime.runtime import Runtime


class OpensslStack:
    """The command-line programs of one build."""

    name = "openssl"

    def __init__(self, build: Build, runtime: Runtime) -> None:
        if build.openssl is None:
            raise UsageError(f"the OpenSSL {build.version} of {build.origin} has no `openssl` program")
        self.build = build
        self._runtime = runtime
        missing = None if clock.library() else clock.MISSING
        self._abilities = {role: program_abilities(role, build.version, missing) for role in Role}

    @property
    def label(self) -> str:
        """``openssl@3.0.19``."""
        return f"{self.name}@{self.build.version}"

    def abilities(self, role: Role) -> Abilities:
        """Return what s_client or s_server of this version supports."""
        return self._abilities[role]

    def _check(self, role: Role, config: Config) -> None:
        for name, value in config.given().items():
            if reason := self._abilities[role].lacks_knob(name, value):
                raise UnsupportedError(self.label, f"{role} knob {name}={show_knob(value)}", reason)

    def prepare(self, config: ClientConfig | ServerConfig) -> None:
        """Start nothing: each endpoint has programs of its own."""

    def client(self, config: ClientConfig) -> OpensslClient:
        """Return a client that runs one s_client per connection; UnsupportedError if it lacks a knob."""
        self._check(Role.CLIENT, config)
        return OpensslClient(self.build, self._runtime, self.label, config, self._abilities[Role.CLIENT])

    def server(self, config: ServerConfig) -> OpensslServer:
        """Return a running s_server; UnsupportedError if it lacks a knob, TimedOutError if it never accepts."""
        self._check(Role.SERVER, config)
        return OpensslServer(self.build, self._runtime, self.label, config, self._abilities[Role.SERVER])

    def close(self) -> None:
        """Do nothing: no process is kept for reuse."""
