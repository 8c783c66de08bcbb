"""The flags of s_server and s_client by knob, as data; which knobs they have stands in abilities.py."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.model.knobs import CacheMode, PskMode
from harness.model.tls import TLSVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.model.knobs import Config


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
    "client_renegotiation": lambda value: ["-client_renegotiation"] if value else [],
    "max_early_data": lambda value: [*(["-early_data"] if value else []), "-max_early_data", str(value)],
}

CLIENT_FLAGS: Mapping[str, Callable[[object], list[str]]] = {
    **COMMON_FLAGS,
    "server_name": lambda value: ["-servername", str(value)],
    "max_fragment_length": lambda value: ["-maxfraglen", str(value)],
}


def version_number(version: str) -> tuple[int, ...]:
    """``(1, 1, 1)`` of ``1.1.1w``."""
    return tuple(map(int, re.findall(r"\d+", version)[:3]))


def flags(config: Config, table: Mapping[str, Callable[[object], list[str]]]) -> list[str]:
    """The flags of the knobs that were given and are in the table."""
    return [flag for name, value in config.given().items() if name in table for flag in table[name](value)]
