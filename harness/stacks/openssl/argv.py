"""From the knobs to the flags of s_server and s_client, and which knobs they have not; pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.model.capability import FULLY, Abilities, Capability, Limit, only
from harness.model.knobs import CacheMode, PskMode, Verify
from harness.model.tls import Role, TLSVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from harness.model.knobs import ClientConfig, Config, ServerConfig
    from harness.pki import Issued

HOST = "127.0.0.1"
OWN_CACHE_SIZE = 128
"""s_server gives its context this cache size, and has no flag for another."""
LONGEST_CONTEXT = 32
"""SSL_MAX_SID_CTX_LENGTH."""
VERIFY_DEPTH = "3"


def _versions(value: object) -> list[str]:
    versions = [v for v in TLSVersion if isinstance(value, tuple) and v in value]
    if len(versions) == 1:
        return ["-tls1_2" if versions[0] is TLSVersion.TLSv1_2 else "-tls1_3"]
    return ["-min_protocol", versions[0].label, "-max_protocol", versions[-1].label]


def _words(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, tuple) else ()


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


COMMON_FLAGS: Mapping[str, Callable[[object], list[str]]] = {
    "versions": _versions,
    "tickets": lambda value: [] if value else ["-no_ticket"],
    "middlebox_compat": lambda value: [] if value else ["-no_middlebox"],
    "extended_master_secret": lambda value: [] if value else ["-no_ems"],
    "ciphers": lambda value: ["-cipher", str(value)],
    "ciphersuites": lambda value: ["-ciphersuites", str(value)],
    "groups": lambda value: ["-groups", str(value)],
    "psk_modes": lambda value: ["-allow_no_dhe_kex"] if value is PskMode.BOTH else [],
    "alpn": lambda value: ["-alpn", ",".join(_words(value))],
}
"""Flags of the knobs that both roles have; the flags of the others need files, or differ between the roles."""

SERVER_FLAGS: Mapping[str, Callable[[object], list[str]]] = {
    **COMMON_FLAGS,
    "cache_mode": lambda value: ["-no_cache"] if value == {CacheMode.OFF} else [],
    "num_tickets": lambda value: ["-num_tickets", str(value)],
    "session_id_context": lambda value: ["-context", _text(value)],
    "session_id_prefix": lambda value: ["-id_prefix", _text(value)],
    "anti_replay": lambda value: ["-anti_replay" if value else "-no_anti_replay"],
    "max_early_data": lambda value: [*(["-early_data"] if value else []), "-max_early_data", str(value)],
}

CLIENT_FLAGS: Mapping[str, Callable[[object], list[str]]] = {
    **COMMON_FLAGS,
    "server_name": lambda value: ["-servername", str(value)],
}


def version_number(version: str) -> tuple[int, ...]:
    """``(1, 1, 1)`` of ``1.1.1w``."""
    return tuple(map(int, re.findall(r"\d+", version)[:3]))


def server_argv(
    openssl: tuple[str, ...], version: str, config: ServerConfig, certificate: Issued, authority: Path, keylog: Path
) -> list[str]:
    """The command line of an s_server for these knobs; ``authority`` is used only if it verifies its clients."""
    argv = [*openssl, "s_server", "-accept", f"{HOST}:0", "-cert", str(certificate.certificate)]
    argv += ["-key", str(certificate.key), "-keylogfile", str(keylog), *no_default_authorities(version)]
    if config.verify in {Verify.OPTIONAL, Verify.REQUIRED}:
        argv += ["-Verify" if config.verify is Verify.REQUIRED else "-verify", VERIFY_DEPTH]
        argv += ["-verify_return_error", "-CAfile", str(authority)]
    return argv + _flags(config, SERVER_FLAGS)


def client_argv(
    openssl: tuple[str, ...], version: str, config: ClientConfig, certificate: Issued | None, authority: Path
) -> list[str]:
    """The command line of an s_client for these knobs, without what differs between its connections."""
    argv = [*openssl, "s_client", *no_default_authorities(version)]
    if certificate is not None:
        argv += ["-cert", str(certificate.certificate), "-key", str(certificate.key)]
    if config.verify is Verify.REQUIRED:
        argv += ["-verify", VERIFY_DEPTH, "-verify_return_error", "-CAfile", str(authority)]
    return argv + _flags(config, CLIENT_FLAGS)


def connection_argv(port: int, sess_out: Path, sess_in: Path | None, early_data: Path | None) -> list[str]:
    """What an s_client needs for one connection."""
    argv = ["-connect", f"{HOST}:{port}", "-sess_out", str(sess_out)]
    argv += ["-sess_in", str(sess_in)] if sess_in is not None else []
    return argv + (["-early_data", str(early_data)] if early_data is not None else [])


def no_default_authorities(version: str) -> list[str]:
    """Load no default CA bundle: it is most of a naive run's time."""
    return ["-no-CAfile", "-no-CApath"] + (["-no-CAstore"] if version_number(version) >= (3,) else [])


def _flags(config: Config, table: Mapping[str, Callable[[object], list[str]]]) -> list[str]:
    return [flag for name, value in config.given().items() if name in table for flag in table[name](value)]


def _printable(value: object) -> bool:
    return isinstance(value, bytes) and value.isascii() and value.decode("ascii", "replace").isprintable()


def _common_limits(version: str) -> dict[str, Limit]:
    can_switch_off = version_number(version) >= (3, 2)
    return {
        "versions": FULLY,
        "tickets": FULLY,
        "middlebox_compat": FULLY,
        "extended_master_secret": FULLY if can_switch_off else only(True, reason="-no_ems came with OpenSSL 3.2"),  # noqa: FBT003 - a knob's value
        "ciphers": FULLY,
        "ciphersuites": FULLY,
        "groups": FULLY,
        "psk_modes": only(
            PskMode.DHE, PskMode.BOTH, reason="-allow_no_dhe_kex adds psk_ke, nothing removes psk_dhe_ke"
        ),
        "alpn": FULLY,
    }


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
            lambda value: _printable(value) and 0 < len(_text(value)) <= LONGEST_CONTEXT,
            "text of 1 to 32 bytes",
            "-context takes text, s_server always sets a context, and one that OpenSSL refuses ends it",
        ),
        "session_id_prefix": Limit(_printable, "text", "-id_prefix takes text"),
        "anti_replay": FULLY,
        "verify": FULLY,
        "server_certificate": FULLY,
        "max_early_data": FULLY,
    }
    able = {Capability.RUNNING_COUNTERS, Capability.RENEGOTIATION, Capability.EARLY_DATA}
    missing = COMMON_MISSING | {
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
    }
    able = {
        Capability.SESSION_DATA,
        Capability.SESSION_IMPORT,
        Capability.RENEGOTIATION,
        Capability.CLOSE_CLIENT_ONLY,
        Capability.EARLY_DATA,
    }
    missing = COMMON_MISSING | {
        "cache_size": "no flag sets it",
        Capability.SESSION_BEFORE_TICKET.value: "s_client writes -sess_out when a TLS 1.3 ticket arrives, not before",
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
