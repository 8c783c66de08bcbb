"""The libssl stack: the C API of a chosen libssl.so, driven by an agent; the reference, with the whole session API."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING

from harness.model.capability import FULLY, Abilities, Capability, Limit, only
from harness.model.errors import UsageError
from harness.model.knobs import PskMode, config_type
from harness.model.tls import Role, TLSVersion
from harness.stacks.agent.stack import AgentStack, clock_missing

if TYPE_CHECKING:
    from harness.model.build import Build
    from harness.runtime.runtime import Runtime

SINCE_1_1_0 = (1, 1, 0)
SINCE_1_1_1 = (1, 1, 1)
SINCE_3_0 = (3, 0, 0)
SINCE_3_3 = (3, 3, 0)
NO_EMS = "OpenSSL before 3.0 has no SSL_OP_NO_EXTENDED_MASTER_SECRET"
NO_REFUSAL = "OpenSSL before 3.0 has no SSL_OP_ALLOW_CLIENT_RENEGOTIATION; a client may always renegotiate"
NEVER_EMS = "OpenSSL before 1.1.0 has no extended master secret"
CLIENT_PSK = "an OpenSSL client always offers psk_dhe_ke (tls_construct_ctos_psk_kex_modes)"
SERVER_PSK = "OpenSSL before 3.3 has no SSL_OP_PREFER_NO_DHE_KEX, so psk_dhe_ke wins where a client offers it"
CURVES_OF_CERTIFICATE = (
    "a server before 1.1.0 uses no certificate whose curve its own groups lack (tls1_check_ec_key), and that is P-256"
)
NO_FRAGMENTS = "OpenSSL before 1.1.1 has no SSL_CTX_set_tlsext_max_fragment_length"
NO_TLS13 = "OpenSSL before 1.1.1 has no TLS 1.3"
TLS13_KNOBS = ("middlebox_compat", "anti_replay", "psk_modes", "num_tickets", "max_early_data", "ciphersuites")
TLS13_CAPABILITIES = {
    Capability.EVERY_TICKET: NO_TLS13,
    Capability.EARLY_DATA: NO_TLS13,
    Capability.RESUMABLE: "OpenSSL before 1.1.1 has no SSL_SESSION_is_resumable",
    Capability.AGE_SERVER_SESSION: "OpenSSL before 1.1.1 has no SSL_CTX_set_session_ticket_cb, to age its tickets",
}
"""What came with TLS 1.3."""


def release_of(version: str) -> tuple[int, int, int]:
    """The numbers of ``3.0.19`` or ``1.1.1w``; UsageError for what is no version."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    if found is None:
        raise UsageError(f"{version!r} is no version of OpenSSL; it should look like 3.0.19 or 1.1.1w")
    return int(found[1]), int(found[2]), int(found[3])


def abilities_of(role: Role, version: str) -> Abilities:
    """All knobs and Capabilities, but for what that OpenSSL has no way to do."""
    release = release_of(version)
    knobs: dict[str, Limit] = {field.name: FULLY for field in fields(config_type(role))}
    if release < SINCE_3_0:
        ems = release >= SINCE_1_1_0
        knobs["extended_master_secret"] = only(ems, reason=NO_EMS if ems else NEVER_EMS)
        if role is Role.SERVER:
            knobs["client_renegotiation"] = only(*{True}, reason=NO_REFUSAL)
    if role is Role.CLIENT:
        knobs["psk_modes"] = only(PskMode.DHE, PskMode.BOTH, reason=CLIENT_PSK)
    elif release < SINCE_3_3:
        knobs["psk_modes"] = only(PskMode.DHE, PskMode.BOTH, reason=SERVER_PSK)
    if role is Role.SERVER and release < SINCE_1_1_0:
        knobs["groups"] = Limit(lambda value: "P-256" in str(value), "lists with P-256", CURVES_OF_CERTIFICATE)
    missing = clock_missing()
    if release < SINCE_1_1_1:
        knobs["versions"] = only((TLSVersion.TLSv1_2,), reason=NO_TLS13)
        missing |= {**dict.fromkeys(TLS13_KNOBS, NO_TLS13), "max_fragment_length": NO_FRAGMENTS}
        missing |= {capability.value: why for capability, why in TLS13_CAPABILITIES.items()}
    for name in missing:
        knobs.pop(name, None)
    lacking = frozenset(capability for capability in Capability if capability.value in missing)
    return Abilities(role, knobs, frozenset(Capability) - lacking, missing)


class LibsslStack(AgentStack):
    """libssl of one build."""

    def __init__(self, build: Build, runtime: Runtime) -> None:
        if build.libssl is None or build.libcrypto is None:
            raise UsageError(f"the build {build.version} ({build.origin}) has no libssl of its own to load")
        abilities = {role: abilities_of(role, build.version) for role in Role}
        paths = ("--libssl", str(build.libssl), "--libcrypto", str(build.libcrypto))
        super().__init__("libssl", build, runtime, abilities, *paths)
