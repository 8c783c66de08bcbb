"""Which knobs and Capabilities s_server and s_client of a version have, and why not the others; pure."""

from __future__ import annotations

from harness.model.capability import FULLY, Abilities, Capability, Limit, only
from harness.model.knobs import CacheMode, PskMode, Verify
from harness.model.tls import Role
from harness.stacks.openssl.flags import version_number

OWN_CACHE_SIZE = 128
"""s_server gives its context this cache size, and has no flag for another."""
LONGEST_CONTEXT = 32
"""SSL_MAX_SID_CTX_LENGTH."""


def _printable(value: object) -> bool:
    return isinstance(value, bytes) and value.isascii() and value.decode("ascii", "replace").isprintable()


def _common_limits(version: str) -> dict[str, Limit]:
    can_switch_off = version_number(version) >= (3, 2)
    return {
        "versions": FULLY,
        "tickets": FULLY,
        "middlebox_compat": FULLY,
        "extended_master_secret": FULLY
        if can_switch_off
        else only(True, reason="-no_ems is no flag of each OpenSSL before 3.2"),  # noqa: FBT003 - a knob's value
        "ciphers": FULLY,
        "ciphersuites": FULLY,
        "groups": FULLY,
        "psk_modes": only(
            PskMode.DHE, PskMode.BOTH, reason="-allow_no_dhe_kex adds psk_ke, nothing removes psk_dhe_ke"
        ),
        "alpn": FULLY,
    }


IN_MEMORY = "each connection is a process of its own, and its memory ends with it"
"""Why an s_client cannot offer the object that another one held."""

COMMON_MISSING = {
    "timeout": "no flag sets a session timeout",
    Capability.EVERY_TICKET.value: "-sess_out is overwritten by each ticket, only the last is seen",
    Capability.COUNTERS.value: "a running program prints its counters only while a connection is open",
    Capability.CONCURRENT.value: "it has one connection at a time",
    Capability.ABBREVIATED_RENEGOTIATION.value: "its renegotiation command calls SSL_renegotiate",
}


def server_abilities(version: str, clock_missing: str | None) -> Abilities:
    """What s_server of this version can do; ``clock_missing`` says why its clock cannot be moved, None if it can."""
    limits = _common_limits(version) | {
        "cache_mode": Limit(
            lambda value: value in ({CacheMode.OFF}, {CacheMode.SERVER}),
            "off, server",
            "-no_cache is off, and without it the mode is server",
        ),
        "cache_size": only(OWN_CACHE_SIZE, reason="s_server fixes it"),
        "num_tickets": FULLY,
        "session_id_context": Limit(
            lambda value: _printable(value) and isinstance(value, bytes) and 0 < len(value) <= LONGEST_CONTEXT,
            "text of 1 to 32 bytes",
            "-context takes text, s_server always sets a context, and one that OpenSSL refuses ends it",
        ),
        "session_id_prefix": Limit(_printable, "text", "-id_prefix takes text"),
        "anti_replay": FULLY,
        "client_renegotiation": FULLY,
        "verify": FULLY,
        "server_certificate": FULLY,
        "max_early_data": FULLY,
    }
    if version_number(version) < (3,):
        del limits["client_renegotiation"]
    able = {Capability.RUNNING_COUNTERS, Capability.RENEGOTIATION, Capability.EARLY_DATA}
    missing = COMMON_MISSING | {
        "client_renegotiation": "s_server before 3.0 has no -client_renegotiation; it accepts it always",
        "session_id": "-id_prefix sets the beginning of an id, no flag sets all of it",
        "ticket_keys": "no flag sets ticket keys",
        Capability.CLOSE_CLIENT_ONLY.value: "s_server answers a close_notify with its own at once",
        Capability.CLOSE_SERVER_ONLY.value: "s_server has no command that sends close_notify",
    }
    return _with_clock(Role.SERVER, limits, able, missing, clock_missing)


def client_abilities(version: str, clock_missing: str | None) -> Abilities:
    """What s_client of this version can do; ``clock_missing`` says why its clock cannot be moved, None if it can."""
    own_mode = frozenset({CacheMode.CLIENT, CacheMode.NO_INTERNAL_STORE})
    limits = _common_limits(version) | {
        "cache_mode": Limit(lambda value: value == own_mode, "client,no_internal_store", "s_client fixes it"),
        "verify": only(Verify.NONE, Verify.REQUIRED, reason="a client that verifies requires a certificate"),
        "client_certificate": FULLY,
        "server_name": FULLY,
        "max_early_data": FULLY,
        "max_fragment_length": FULLY,
    }
    able = {
        Capability.SESSION_DATA,
        Capability.SESSION_FIELDS,
        Capability.SESSION_COPY,
        Capability.SESSION_IMPORT,
        Capability.RENEGOTIATION,
        Capability.CLOSE_CLIENT_ONLY,
        Capability.EARLY_DATA,
    }
    missing = COMMON_MISSING | {
        "cache_size": "no flag sets it",
        Capability.SESSION_BEFORE_TICKET.value: "s_client writes -sess_out when a TLS 1.3 ticket arrives, not before",
        Capability.SESSION_IN_MEMORY.value: IN_MEMORY,
        Capability.CLOSE_SERVER_ONLY.value: "s_client answers a close_notify with its own at once",
    }
    return _with_clock(Role.CLIENT, limits, able, missing, clock_missing)


def _with_clock(
    role: Role,
    limits: dict[str, Limit],
    able: set[Capability],
    missing: dict[str, str],
    clock_missing: str | None,
) -> Abilities:
    if clock_missing is None:
        limits |= {"clock": FULLY}
        able |= {Capability.CLOCK}
    else:
        missing |= {"clock": clock_missing, Capability.CLOCK.value: clock_missing}
    return Abilities(role, limits, frozenset(able), missing)
