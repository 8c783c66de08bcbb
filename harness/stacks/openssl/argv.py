"""From the knobs to the command lines of s_server and s_client; pure. Which knobs they have stands in abilities.py."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.model.knobs import CacheMode, PskMode, Verify
from harness.model.tls import TLSVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from harness.model.knobs import ClientConfig, Config, ServerConfig
    from harness.pki import Issued

HOST = "127.0.0.1"
VERIFY_DEPTH = "3"
NON_BLOCKING = "-nbio"
"""Else an s_client that completes a renegotiation within SSL_read stays there until data come, and reads no stdin.

Only TLS 1.2 has renegotiation. With TLS 1.3 it would print a ticket that comes early before the connection's facts.
"""


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
    argv += [NON_BLOCKING] if config.versions == (TLSVersion.TLSv1_2,) else []
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
