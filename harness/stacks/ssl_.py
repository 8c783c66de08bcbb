"""The ssl stack: Python's ssl on the OpenSSL that this Python links to, driven by an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.drivers.ssl_.unsupported import missing
from harness.model import capability
from harness.model.tls import Role
from harness.stacks.agent.stack import AgentStack, clock_missing

if TYPE_CHECKING:
    from harness.model.build import Build
    from harness.model.capability import Abilities
    from harness.runtime.runtime import Runtime


def abilities_of(role: Role, version: str) -> Abilities:
    """Return what Python's ssl supports on this OpenSSL, in a role."""
    return capability.abilities_of("ssl", role, version, missing(role.value, version) | clock_missing())


class SslStack(AgentStack):
    """Python's ssl of one build."""

    def __init__(self, build: Build, runtime: Runtime) -> None:
        super().__init__("ssl", build, runtime, {role: abilities_of(role, build.version) for role in Role})
