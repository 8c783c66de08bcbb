"""The pyopenssl stack: pyOpenSSL on the OpenSSL inside the installed cryptography, driven by an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.drivers.pyopenssl.conf import conf
from harness.agent.drivers.pyopenssl.unsupported import missing
from harness.model import capability
from harness.model.tls import Role
from harness.stacks.agent.encoding import knobs_object
from harness.stacks.agent.stack import AgentStack, clock_missing

if TYPE_CHECKING:
    from pathlib import Path

    from harness.model.build import Build
    from harness.model.capability import Abilities
    from harness.model.knobs import ClientConfig, ServerConfig
    from harness.runtime.runtime import Runtime


def abilities_of(role: Role, version: str) -> Abilities:
    """Return what pyOpenSSL and its cffi library support on this OpenSSL, in a role."""
    return capability.abilities_of("pyopenssl", role, version, missing(role.value, version) | clock_missing())


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
