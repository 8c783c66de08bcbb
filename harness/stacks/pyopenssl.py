"""The pyopenssl stack: pyOpenSSL on the OpenSSL inside the installed cryptography, driven by an agent."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from harness.agent.drivers.pyopenssl import unsupported as lacks
from harness.agent.drivers.pyopenssl.conf import conf
from harness.agent.verbs import missing_capabilities
from harness.model.capability import FULLY, Abilities, Capability, only
from harness.model.knobs import PskMode, config_type
from harness.model.tls import Role
from harness.stacks.agent.encoding import knobs_object
from harness.stacks.agent.stack import AgentStack, clock_missing

if TYPE_CHECKING:
    from harness.model.build import Build
    from harness.model.capability import Limit
    from harness.model.knobs import ClientConfig, ServerConfig
    from harness.runtime.runtime import Runtime

MISSING = {
    Capability.RESUMABLE: lacks.IS_RESUMABLE,
    Capability.RUNNING_COUNTERS: lacks.VERBS["counters"],
}
OF_DER = (
    Capability.SESSION_DATA,
    Capability.SESSION_FIELDS,
    Capability.SESSION_COPY,
    Capability.SESSION_IMPORT,
    Capability.EVERY_TICKET,
)
HAS_DER = (3, 4)
"""The OpenSSL of the first cryptography whose library has i2d_SSL_SESSION."""
SINCE_3_0 = (3, 0)
HAS_GROUPS = (4, 0)
"""The OpenSSL of the first cryptography whose library has SSL_CTX_set1_curves_list."""
PREFER_NO_DHE_KEX = (3, 3)
"""The first OpenSSL with SSL_OP_PREFER_NO_DHE_KEX."""


def abilities_of(role: Role, version: str) -> Abilities:
    """What pyOpenSSL and the cffi library below it can do on that OpenSSL."""
    of_verbs = missing_capabilities(lacks.VERBS)
    missing = {**lacks.KNOBS, **{key.value: reason for key, reason in MISSING.items()}, **of_verbs, **clock_missing()}
    if role is Role.CLIENT:
        missing |= {**lacks.CLIENT_KNOBS, Capability.EARLY_DATA.value: lacks.CLIENT_KNOBS["max_early_data"]}
    release = tuple(map(int, version.split(".")[:2]))
    if release < HAS_GROUPS:
        missing["groups"] = lacks.GROUPS
    if release < HAS_DER:
        missing |= {capability.value: lacks.NO_DER for capability in OF_DER}
    knobs: dict[str, Limit] = {f.name: FULLY for f in fields(config_type(role)) if f.name not in missing}
    if role is Role.CLIENT or release < PREFER_NO_DHE_KEX:
        knobs["psk_modes"] = only(PskMode.DHE, PskMode.BOTH, reason=lacks.VALUES["psk_modes"])
    if release < SINCE_3_0:
        knobs["extended_master_secret"] = only(*{True}, reason=lacks.NO_EMS)
        if role is Role.SERVER:
            knobs["client_renegotiation"] = only(*{True}, reason=lacks.NO_REFUSAL)
    capabilities = frozenset(capability for capability in Capability if capability.value not in missing)
    return Abilities(role, knobs, capabilities, missing)


class PyopensslStack(AgentStack):
    """pyOpenSSL of one build. An endpoint with a knob that only an OPENSSL_CONF can set has an agent of its own."""

    def __init__(self, build: Build, runtime: Runtime) -> None:
        super().__init__("pyopenssl", build, runtime, {role: abilities_of(role, build.version) for role in Role})

    def _needs(self, config: ClientConfig | ServerConfig) -> dict[str, str]:
        text = conf(knobs_object(config))
        if text is None:
            return {}
        path = self._runtime.path(".cnf")
        path.write_text(text)
        return {"OPENSSL_CONF": str(path)}
