"""The libssl stack, the reference: the whole session API of a given libssl.so, driven by an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.drivers.libssl.unsupported import missing
from harness.model import capability
from harness.model.errors import UsageError
from harness.model.tls import Role
from harness.stacks.agent.stack import AgentStack, clock_missing

if TYPE_CHECKING:
    from harness.model.build import Build
    from harness.model.capability import Abilities
    from harness.runtime.runtime import Runtime


def abilities_of(role: Role, version: str) -> Abilities:
    """Return what this OpenSSL supports in a role; UsageError if ``version`` is not a version of OpenSSL."""
    try:
        lacking = missing(role.value, version)
    except ValueError as error:
        message = f"{version!r} is not a version of OpenSSL; it should look like 3.0.19 or 1.1.1w"
        raise UsageError(message) from error
    return capability.abilities_of("libssl", role, version, lacking | clock_missing())


class LibsslStack(AgentStack):
    """libssl of one build."""

    def __init__(self, build: Build, runtime: Runtime, *, joins: bool = False) -> None:
        if build.libssl is None or build.libcrypto is None:
            raise UsageError(f"the build {build.version} ({build.origin}) has no libssl of its own to load")
        abilities = {role: abilities_of(role, build.version) for role in Role}
        paths = ("--libssl", str(build.libssl), "--libcrypto", str(build.libcrypto))
        super().__init__("libssl", build, runtime, abilities, *paths, joins=joins)
