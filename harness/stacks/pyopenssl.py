"""The pyopenssl stack: pyOpenSSL on the OpenSSL inside the installed cryptography, driven by an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.drivers.pyopenssl import unsupported as lacks
from harness.agent.drivers.pyopenssl.conf import conf
from harness.agent.verbs import missing_capabilities
from harness.agent.vocabulary import release
from harness.model import capability
from harness.model.capability import Capability
from harness.model.tls import Role
from harness.stacks.agent.encoding import knobs_object
from harness.stacks.agent.stack import AgentStack, clock_missing

if TYPE_CHECKING:
    from pathlib import Path

    from harness.model.build import Build
    from harness.model.capability import Abilities
    from harness.model.knobs import ClientConfig, ServerConfig
    from harness.runtime.runtime import Runtime

MISSING = {
    Capability.RESUMABLE: lacks.IS_RESUMABLE,
    Capability.NEW_SESSION_CALLBACK: lacks.NEW_SESSION_CALLBACK,
    Capability.RUNNING_COUNTERS: lacks.VERBS["counters"],
}
OF_DER = (
    Capability.SESSION_DATA,
    Capability.SESSION_FIELDS,
    Capability.SESSION_COPY,
    Capability.SESSION_IMPORT,
    Capability.EVERY_TICKET,
)
HAS_GROUP = (3, 5, 3)
"""The OpenSSL of the first cryptography 46."""
HAS_DER = (3, 4)
"""The OpenSSL in the first release of cryptography that binds i2d_SSL_SESSION."""


def abilities_of(role: Role, version: str) -> Abilities:
    """Return what pyOpenSSL and its cffi library support on this OpenSSL, in a role."""
    missing = {ability.value: reason for ability, reason in MISSING.items()}
    missing |= missing_capabilities(lacks.VERBS) | clock_missing()
    if role is Role.CLIENT:
        missing[Capability.EARLY_DATA.value] = lacks.CLIENT_EARLY_DATA
    else:
        missing[Capability.SERVER_NAME.value] = lacks.SERVER_NAME
    if release(version) < HAS_GROUP:
        missing[Capability.NEGOTIATED_GROUP.value] = lacks.GROUP
    if release(version) < HAS_DER:
        missing |= {ability.value: lacks.NO_DER for ability in OF_DER}
    return capability.abilities_of("pyopenssl", role, version, missing)


class PyopensslStack(AgentStack):
    """pyOpenSSL of one build. An endpoint with a knob that only OPENSSL_CONF can set gets an agent with it."""

    def __init__(self, build: Build, runtime: Runtime) -> None:
        super().__init__("pyopenssl", build, runtime, {role: abilities_of(role, build.version) for role in Role})
        self._written: dict[str, Path] = {}
        """The configuration files, by their text."""

    def _needs(self, config: ClientConfig | ServerConfig) -> dict[str, str]:
        text = conf(config.role, knobs_object(config))
        if text is None:
            return {}
        if text not in self._written:
            self._written[text] = self._runtime.path(".cnf")
            self._written[text].write_text(text)
        return {"OPENSSL_CONF": str(self._written[text])}
