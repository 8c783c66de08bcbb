"""The ssl stack: Python's ssl on the OpenSSL that this Python links to, driven by an agent."""

from __future__ import annotations

from dataclasses import fields
from ipaddress import ip_address
from typing import TYPE_CHECKING

from harness.agent.drivers.ssl_ import unsupported as lacks
from harness.agent.verbs import missing_capabilities
from harness.model.capability import FULLY, Abilities, Capability, Limit, only
from harness.model.knobs import PskMode, config_type
from harness.model.tls import Role
from harness.stacks.agent.stack import AgentStack, clock_missing

if TYPE_CHECKING:
    from harness.model.build import Build
    from harness.runtime.runtime import Runtime

MISSING = {
    Capability.SESSION_DATA: lacks.SESSIONS["session data"],
    Capability.SESSION_IMPORT: lacks.SESSIONS["session import"],
    Capability.EVERY_TICKET: lacks.SESSIONS["every ticket"],
    Capability.RESUMABLE: lacks.SESSIONS["is_resumable"],
    Capability.EARLY_DATA: lacks.KNOBS["max_early_data"],
}
HAS_NO_EMS_OPTION = (3, 0)
"""The first OpenSSL with SSL_OP_NO_EXTENDED_MASTER_SECRET."""
PREFER_NO_DHE_KEX = (3, 3)
"""The first OpenSSL with SSL_OP_PREFER_NO_DHE_KEX."""


def _is_host_name(value: object) -> bool:
    try:
        ip_address(str(value))
    except ValueError:
        return bool(value)
    return False


ONE_GROUP = Limit(lambda value: ":" not in str(value), "one group", lacks.VALUES["groups"])
HOST_NAME = Limit(_is_host_name, "a host name", lacks.VALUES["server_name"])
PYTHONS_CONTEXT = only(lacks.SESSION_ID_CONTEXT, reason=lacks.VALUES["session_id_context"])


def abilities_of(role: Role, version: str) -> Abilities:
    """What Python's ssl can do on that OpenSSL."""
    release = tuple(map(int, version.split(".")[:2]))
    of_verbs = missing_capabilities(lacks.VERBS)
    missing = {**lacks.KNOBS, **{key.value: reason for key, reason in MISSING.items()}, **of_verbs, **clock_missing()}
    knobs: dict[str, Limit] = {f.name: FULLY for f in fields(config_type(role)) if f.name not in missing}
    knobs["groups"] = ONE_GROUP
    if role is Role.CLIENT:
        knobs["server_name"] = HOST_NAME
    else:
        knobs["session_id_context"] = PYTHONS_CONTEXT
    if role is Role.CLIENT or release < PREFER_NO_DHE_KEX:
        knobs["psk_modes"] = only(PskMode.DHE, PskMode.BOTH, reason=lacks.VALUES["psk_modes"])
    if release < HAS_NO_EMS_OPTION:
        reason = "OpenSSL before 3.0 has no SSL_OP_NO_EXTENDED_MASTER_SECRET"
        knobs["extended_master_secret"] = Limit(bool, "on", reason)
    capabilities = frozenset(capability for capability in Capability if capability.value not in missing)
    return Abilities(role, knobs, capabilities, missing)


class SslStack(AgentStack):
    """Python's ssl of one build."""

    def __init__(self, build: Build, runtime: Runtime) -> None:
        super().__init__("ssl", build, runtime, {role: abilities_of(role, build.version) for role in Role})
