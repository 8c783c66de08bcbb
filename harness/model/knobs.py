"""The knobs: the fields of ClientConfig and ServerConfig, typed and documented; None is the stack's default."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from harness.model.errors import UsageError
from harness.model.tls import Role, TLSVersion

if TYPE_CHECKING:
    from collections.abc import Callable


class CacheMode(StrEnum):
    """Flags of SSL_CTX_set_session_cache_mode."""

    OFF = "off"
    CLIENT = "client"
    SERVER = "server"
    BOTH = "both"
    NO_AUTO_CLEAR = "no_auto_clear"
    NO_INTERNAL_LOOKUP = "no_internal_lookup"
    NO_INTERNAL_STORE = "no_internal_store"
    NO_INTERNAL = "no_internal"


class PskMode(StrEnum):
    """What psk_key_exchange_modes offers (client) or accepts (server): RFC 8446, 4.2.9."""

    DHE = "psk_dhe_ke"
    KE = "psk_ke"
    BOTH = "both"


class Verify(StrEnum):
    """What an endpoint asks of its peer's certificate."""

    NONE = "none"
    OPTIONAL = "optional"
    """A server asks and verifies what comes (SSL_VERIFY_PEER)."""
    REQUIRED = "required"
    """SSL_VERIFY_PEER with SSL_VERIFY_FAIL_IF_NO_PEER_CERT at a server, SSL_VERIFY_PEER at a client."""


class Unset(StrEnum):
    """The value of a knob that is to be switched off, where None means the stack's default."""

    UNSET = "none"


UNSET = Unset.UNSET


def knob(parse: Callable[[str], Any], values: str, doc: str) -> Any:
    """A field of a config: how its text is read, which values there are, what it means."""
    return field(default=None, metadata={"parse": parse, "values": values, "doc": doc})


def _switch(text: str) -> bool:
    allowed = {"on": True, "off": False}
    if text not in allowed:
        raise ValueError(text)
    return allowed[text]


def _versions(text: str) -> tuple[TLSVersion, ...]:
    return tuple(sorted({TLSVersion(part) for part in text.split(",")}))


def _cache_mode(text: str) -> frozenset[CacheMode]:
    return frozenset(CacheMode(part) for part in text.split(","))


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[4:]) if text.startswith("hex:") else text.encode()


def _bytes_or_unset(text: str) -> bytes | Unset:
    return UNSET if text == UNSET.value else _bytes(text)


def _words(text: str) -> tuple[str, ...]:
    words = tuple(text.split(","))
    if not all(words):
        raise ValueError(text)
    return words


def _within(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not least <= int(text) <= most:
            raise ValueError(text)
        return int(text)

    return number


def _fragment(text: str) -> int:
    if int(text) not in MAX_FRAGMENT_LENGTHS:
        raise ValueError(text)
    return int(text)


_count = _within(0, (1 << 32) - 1)
_seconds = _within(-(1 << 63), (1 << 63) - 1)


MAX_FRAGMENT_LENGTHS = (512, 1024, 2048, 4096)
"""Bytes, in the order of their codes 1 to 4 (RFC 6066, 4)."""

BYTES = "text, or hex:0a0b"

DEFAULT = "unset"
"""What a user types to leave a knob at the stack's default, also where an earlier setting changed it."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """The knobs that both roles have."""

    role: ClassVar[Role]

    versions: tuple[TLSVersion, ...] | None = knob(
        _versions, "1.2 | 1.3 | 1.2,1.3", "protocol versions that are enabled"
    )
    tickets: bool | None = knob(
        _switch,
        "on | off",
        "off sets SSL_OP_NO_TICKET: no TLS 1.2 tickets, stateful TLS 1.3 tickets at a server",
    )
    cache_mode: frozenset[CacheMode] | None = knob(
        _cache_mode, ",".join(CacheMode), "flags of SSL_CTX_set_session_cache_mode, joined by commas"
    )
    cache_size: int | None = knob(_count, "entries, 0 to 4294967295; 0 is no limit", "SSL_CTX_sess_set_cache_size")
    timeout: int | None = knob(_seconds, "seconds, 64 bits with sign", "SSL_CTX_set_timeout")
    middlebox_compat: bool | None = knob(_switch, "on | off", "SSL_OP_ENABLE_MIDDLEBOX_COMPAT (RFC 8446, D.4)")
    extended_master_secret: bool | None = knob(
        _switch, "on | off", "off sets SSL_OP_NO_EXTENDED_MASTER_SECRET (RFC 7627)"
    )
    ciphers: str | None = knob(str, "an OpenSSL cipher list", "TLS 1.2 ciphers (SSL_CTX_set_cipher_list)")
    ciphersuites: str | None = knob(str, "names joined by colons", "TLS 1.3 ciphers (SSL_CTX_set_ciphersuites)")
    groups: str | None = knob(str, "names joined by colons", "key exchange groups (SSL_CTX_set1_groups_list)")
    psk_modes: PskMode | None = knob(
        PskMode, " | ".join(PskMode), "key exchange with a TLS 1.3 PSK; psk_ke sets SSL_OP_ALLOW_NO_DHE_KEX"
    )
    alpn: tuple[str, ...] | None = knob(_words, "names joined by commas", "ALPN protocols (RFC 7301)")
    verify: Verify | None = knob(Verify, " | ".join(Verify), "whether the peer's certificate is asked for and verified")
    max_early_data: int | None = knob(
        _count,
        "bytes, 0 to 4294967295",
        "server: SSL_CTX_set_max_early_data; client: writes that many bytes of early data if the session allows them",
    )
    clock: int | None = knob(
        _seconds, "seconds, may be negative", "how far this end's clock is moved from the true time"
    )

    def changed(self, **knobs: object) -> Any:
        """Give a copy with other values; an unknown knob is a UsageError that lists the knobs."""
        return type(self)(**{**self.given(), **checked(type(self), knobs)})

    def given(self) -> dict[str, Any]:
        """The knobs that are not left at the stack's default."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class ClientConfig(Config):
    """The knobs of a client; a client context is made for each different one."""

    server_name: str | None = knob(str, "a host name", "SNI that is sent (SSL_set_tlsext_host_name); by default none")
    client_certificate: str | None = knob(
        str, "a name of certs/issued.toml", "which certificate the client has; by default none"
    )
    max_fragment_length: int | None = knob(
        _fragment,
        " | ".join(map(str, MAX_FRAGMENT_LENGTHS)),
        "bytes of a fragment that is asked for (SSL_CTX_set_tlsext_max_fragment_length); by default nothing is",
    )

    role = Role.CLIENT


@dataclass(frozen=True, kw_only=True)
class ServerConfig(Config):
    """The knobs of a server; every different one, and every restart, is a server of its own."""

    num_tickets: int | None = knob(
        _count, "0 to 4294967295", "TLS 1.3 tickets after a full handshake (SSL_CTX_set_num_tickets)"
    )
    session_id_context: bytes | Unset | None = knob(
        _bytes_or_unset,
        f"{BYTES}, or none",
        "SSL_CTX_set_session_id_context; none leaves it unset. Each stack sets one by default",
    )
    session_id_prefix: bytes | None = knob(
        _bytes, BYTES, "session ids begin with it and go on at random (SSL_CTX_set_generate_session_id)"
    )
    session_id: bytes | None = knob(_bytes, BYTES, "every session id is this one, so that a second one collides")
    ticket_keys: str | None = knob(
        str, "a name", "servers with the same name share their ticket keys; by default random ones"
    )
    anti_replay: bool | None = knob(_switch, "on | off", "off sets SSL_OP_NO_ANTI_REPLAY")
    client_renegotiation: bool | None = knob(
        _switch,
        "on | off",
        "on sets SSL_OP_ALLOW_CLIENT_RENEGOTIATION, by default off; before 3.0 no server refuses it",
    )
    server_certificate: str | None = knob(str, "a name of certs/issued.toml", "which certificate the server has")

    role = Role.SERVER


def config_type(role: Role) -> type[ClientConfig | ServerConfig]:
    """The config of a role."""
    return ClientConfig if role is Role.CLIENT else ServerConfig


def checked(config: type[Config], knobs: dict[str, Any]) -> dict[str, Any]:
    """The same knobs, or a UsageError that names the unknown one and lists those that exist."""
    names = [f.name for f in fields(config)]
    for name in knobs:
        if name not in names:
            hint = _hint(config.role, name, names)
            raise UsageError(
                f"no {config.role} knob {name!r}{hint}; the knobs of a {config.role} are: {', '.join(names)}"
            )
    return knobs


def _hint(role: Role, name: str, names: list[str]) -> str:
    """What the user may have meant: a knob of the other role, or one that is spelt alike."""
    other = Role.SERVER if role is Role.CLIENT else Role.CLIENT
    if name in {f.name for f in fields(config_type(other))}:
        return f" (it is a knob of the {other})"
    near = difflib.get_close_matches(name, names, 1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def parse_knob(role: Role, name: str, text: str) -> Any:
    """The value of a knob from what a user typed; a UsageError says which values are allowed."""
    config = config_type(role)
    checked(config, {name: text})
    meta = next(f.metadata for f in fields(config) if f.name == name)
    if text == DEFAULT:
        return None
    try:
        return meta["parse"](text)
    except (ValueError, KeyError) as error:
        raise UsageError(f"{role} knob {name} cannot be {text!r}; allowed: {meta['values']}, or {DEFAULT}") from error


def show_knob(value: object) -> str:
    """A knob's value as a user would type it."""
    if value is None:
        return DEFAULT
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, bytes):
        plain = value.isascii() and value.decode("ascii", "replace").isprintable() and not value.startswith(b"hex:")
        return value.decode() if plain and value != b"none" else f"hex:{value.hex()}"
    if isinstance(value, (tuple, list, frozenset, set)):
        return (
            ",".join(sorted(str(v) for v in value))
            if isinstance(value, (set, frozenset))
            else ",".join(map(str, value))
        )
    return str(value)
