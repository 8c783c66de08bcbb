"""The knobs as the protocol carries them: which there are in a role, and their types; sets none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.agent.fields import BOOL, INT, TEXT, TEXTS, Field, RequestError, integer, octets, of, word

if TYPE_CHECKING:
    from collections.abc import Mapping

UNSET = "unset"
CACHE_MODES = (
    "off",
    "client",
    "server",
    "both",
    "no_auto_clear",
    "no_internal_lookup",
    "no_internal_store",
    "no_internal",
)
VERSIONS = ("1.2", "1.3")
TICKET_KEYS = 80
"""Bytes: a name of 16, an HMAC key of 32, an AES key of 32."""
COUNT = integer(0, (1 << 32) - 1, "an integer, 0 to 4294967295")


def _some(words: tuple[str, ...]) -> Field:
    def read(raw: Any) -> list[str]:
        if not of(list, raw) or any(each not in words for each in raw):
            raise ValueError(raw)
        return list(raw)

    return Field(read, f"a list of at least one of {', '.join(words)}")


def _hex(most: int, least: int = 0) -> Field:
    def read(raw: Any) -> bytes:
        if not least <= len(octets(raw)) <= most:
            raise ValueError(raw)
        return octets(raw)

    return Field(read, f"{least} to {most} bytes as hexadecimal digits")


def _number(*numbers: int) -> Field:
    def read(raw: Any) -> int:
        if of(int, raw) not in numbers:
            raise ValueError(raw)
        return int(raw)

    return Field(read, f"one of {', '.join(map(str, numbers))}")


COMMON: dict[str, Field] = {
    "versions": _some(VERSIONS),
    "tickets": BOOL,
    "cache_mode": _some(CACHE_MODES),
    "cache_size": COUNT,
    "timeout": INT,
    "middlebox_compat": BOOL,
    "extended_master_secret": BOOL,
    "ciphers": TEXT,
    "ciphersuites": TEXT,
    "groups": TEXT,
    "psk_modes": word("psk_dhe_ke", "psk_ke", "both"),
    "alpn": TEXTS,
    "verify": word("none", "optional", "required"),
    "max_early_data": COUNT,
}
CLIENT: dict[str, Field] = {
    **COMMON,
    "server_name": TEXT,
    "max_fragment_length": _number(512, 1024, 2048, 4096),
}
SERVER: dict[str, Field] = {
    **COMMON,
    "num_tickets": COUNT,
    "session_id_context": Field(
        lambda raw: UNSET if raw == UNSET else octets(raw), f'bytes as hexadecimal digits, or "{UNSET}"'
    ),
    "session_id_prefix": _hex(31),
    "session_id": _hex(32, 1),
    "ticket_keys": _hex(TICKET_KEYS, TICKET_KEYS),
    "anti_replay": BOOL,
    "client_renegotiation": BOOL,
}
ROLES = {"client": CLIENT, "server": SERVER}
FILES = ("ca", "certificate", "key")


def check_knobs(role: str, knobs: Mapping[str, Any]) -> dict[str, Any]:
    """The same knobs, checked and as they came (bytes stay hexadecimal digits); those that are null are left out."""
    table = ROLES[role]
    unknown = [name for name in knobs if name not in table]
    if unknown:
        raise RequestError(f"a {role} has no knob {', '.join(unknown)}; its knobs are: {', '.join(table)}")
    given = {name: raw for name, raw in knobs.items() if raw is not None}
    for name, raw in given.items():
        table[name].value(raw, "knob", name)
    return given


def check_files(files: Mapping[str, Any]) -> dict[str, str]:
    """The paths of the PEM files; those that are null are left out."""
    unknown = [name for name in files if name not in FILES]
    if unknown:
        raise RequestError(f"there is no file {', '.join(unknown)}; the files are: {', '.join(FILES)}")
    return {name: TEXT.value(raw, "file", name) for name, raw in files.items() if raw is not None}
