"""The libssl stack, the reference: the whole session API of a given libssl.so, driven by an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.vocabulary import release
from harness.model import capability
from harness.model.capability import Capability
from harness.model.errors import UsageError
from harness.model.tls import Role
from harness.stacks.agent.stack import AgentStack, clock_missing

if TYPE_CHECKING:
    from harness.model.build import Build
    from harness.model.capability import Abilities
    from harness.runtime.runtime import Runtime

SINCE_1_1_1 = (1, 1, 1)
NO_TLS13 = "OpenSSL before 1.1.1 has no TLS 1.3"
TLS13_CAPABILITIES = {
    Capability.EVERY_TICKET: NO_TLS13,
    Capability.EARLY_DATA: NO_TLS13,
    Capability.RESUMABLE: "OpenSSL before 1.1.1 has no SSL_SESSION_is_resumable",
    Capability.AGE_SERVER_SESSION: "OpenSSL before 1.1.1 has no SSL_CTX_set_session_ticket_cb, to age its tickets",
}
"""The Capabilities that need OpenSSL 1.1.1."""


NO_GROUP = "OpenSSL before 3.0 has no SSL_get_negotiated_group"
SINCE_3_0 = (3,)


def abilities_of(role: Role, version: str) -> Abilities:
    """Return what this OpenSSL supports in a role; UsageError if ``version`` is not a version of OpenSSL."""
    try:
        old = release(version) < SINCE_1_1_1
    except ValueError as error:
        message = f"{version!r} is not a version of OpenSSL; it should look like 3.0.19 or 1.1.1w"
        raise UsageError(message) from error
    missing = {ability.value: why for ability, why in TLS13_CAPABILITIES.items()} if old else {}
    if release(version) < SINCE_3_0:
        missing[Capability.NEGOTIATED_GROUP.value] = NO_GROUP
    return capability.abilities_of("libssl", role, version, missing | clock_missing())


class LibsslStack(AgentStack):
    """libssl of one build."""

    def __init__(self, build: Build, runtime: Runtime) -> None:
        if build.libssl is None or build.libcrypto is None:
            raise UsageError(f"the build {build.version} ({build.origin}) has no libssl of its own to load")
        abilities = {role: abilities_of(role, build.version) for role in Role}
        paths = ("--libssl", str(build.libssl), "--libcrypto", str(build.libcrypto))
        super().__init__("libssl", build, runtime, abilities, *paths)
