"""The ssl stack: Python's ssl on the OpenSSL that this Python links to, driven by an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.drivers.ssl_ import unsupported as lacks
from harness.agent.verbs import missing_capabilities
from harness.model import capability
from harness.model.capability import Capability
from harness.model.tls import Role
from harness.stacks.agent.stack import AgentStack, clock_missing

if TYPE_CHECKING:
    from harness.model.build import Build
    from harness.model.capability import Abilities
    from harness.runtime.runtime import Runtime

MISSING = {
    Capability.SESSION_DATA: lacks.SESSIONS["session data"],
    Capability.SESSION_IMPORT: lacks.SESSIONS["session import"],
    Capability.EVERY_TICKET: lacks.SESSIONS["every ticket"],
    Capability.RESUMABLE: lacks.SESSIONS["is_resumable"],
    Capability.EARLY_DATA: lacks.NO_EARLY_DATA,
    Capability.NEW_SESSION_CALLBACK: lacks.NEW_SESSION_CALLBACK,
    Capability.SERVER_NAME: lacks.SERVER_NAME,
    Capability.NEGOTIATED_GROUP: lacks.GROUP,
    Capability.EXPORTER: lacks.EXPORTER,
}


def abilities_of(role: Role, version: str) -> Abilities:
    """Return what Python's ssl supports on this OpenSSL, in a role."""
    missing = {ability.value: reason for ability, reason in MISSING.items()}
    missing |= missing_capabilities(lacks.VERBS) | clock_missing()
    return capability.abilities_of("ssl", role, version, missing)


class SslStack(AgentStack):
    """Python's ssl of one build."""

    def __init__(self, build: Build, runtime: Runtime) -> None:
        super().__init__("ssl", build, runtime, {role: abilities_of(role, build.version) for role in Role})
