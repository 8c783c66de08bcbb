"""The knobs as configurations of a client and a server, made from the table of the agent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from harness.agent.knobs import DEFAULT_IDENTITY, NO_CERTIFICATE, ClientKnobs, CommonKnobs, ServerKnobs, knobs_of
from harness.agent.vocabulary import DEPRECATED, LEAST_LEVEL, UNSET, CacheMode, Cookie, PskMode, Unset, Verify
from harness.model.errors import UsageError, did_you_mean
from harness.model.tls import Role

__all__ = [
    "DEFAULT",
    "UNSET",
    "CacheMode",
    "ClientConfig",
    "Config",
    "Cookie",
    "PskMode",
    "ServerConfig",
    "Unset",
    "Verify",
    "checked",
    "config_type",
    "knobs_of",
    "parse_knob",
    "show_knob",
]

DEFAULT = "unset"
"""What a user types to leave a knob at the stack's default, also where an earlier setting changed it."""

SHOWN = 80
"""Characters of a wrong value that an error repeats."""


@dataclass(frozen=True, kw_only=True)
class Config(CommonKnobs):
    """The knobs of one end; None leaves one at the stack's default."""

    role: ClassVar[Role]

    def __post_init__(self) -> None:
        """Refuse a value that its knob does not allow: UsageError says what is allowed."""
        rows = knobs_of(self.role)
        for name, value in self.given().items():
            if not rows[name].kind.allows(value):
                raise UsageError(not_allowed(self.role, name, value))

    @property
    def psk_identities(self) -> tuple[str, ...]:
        """The identities of its external PSK; empty if it has none."""
        return (self.psk_identity or DEFAULT_IDENTITY) if self.psk_key is not None else ()

    def changed(self, **knobs: object) -> Any:
        """Give a copy with other values; an unknown knob is a UsageError that lists the knobs."""
        return type(self)(**{**vars(self), **checked(type(self), knobs)})

    def given(self) -> dict[str, Any]:
        """The knobs that are not left at the stack's default.

        An end with TLS 1.0 or 1.1 has the one security level at which every OpenSSL speaks them.
        """
        values = vars(self)
        if self.security_level is None and isinstance(self.versions, tuple):
            old = any(version in self.versions for version in DEPRECATED)
            values = {**values, "security_level": LEAST_LEVEL} if old else values
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class ClientConfig(ClientKnobs, Config):
    """The knobs of a client; a client context is made for each different one."""

    role = Role.CLIENT

    @property
    def certificate(self) -> str | None:
        """The name of the client's certificate; None if it has none."""
        return None if self.client_certificate == NO_CERTIFICATE else self.client_certificate


@dataclass(frozen=True, kw_only=True)
class ServerConfig(ServerKnobs, Config):
    """The knobs of a server; every different one, and every restart, is a server of its own."""

    role = Role.SERVER

    @property
    def certificate(self) -> str | None:
        """The name of the server's certificate; None if it has none."""
        return None if self.server_certificate == NO_CERTIFICATE else self.server_certificate or "server"


def config_type(role: Role) -> type[ClientConfig | ServerConfig]:
    """The config of a role."""
    return ClientConfig if role is Role.CLIENT else ServerConfig


def checked(config: type[Config], knobs: dict[str, Any]) -> dict[str, Any]:
    """The same knobs, or a UsageError that names the unknown one and lists those that exist."""
    names = list(knobs_of(config.role))
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
    if name in knobs_of(other):
        return f" (it is a knob of the {other})"
    return did_you_mean(name, names)


def parse_knob(role: Role, name: str, text: str) -> Any:
    """The value of a knob from what a user typed; a UsageError says which values are allowed."""
    checked(config_type(role), {name: text})
    kind = knobs_of(role)[name].kind
    if text == DEFAULT:
        return None
    try:
        return kind.parse(text)
    except ValueError as error:
        raise UsageError(not_allowed(role, name, text)) from error


def not_allowed(role: Role, name: str, value: object) -> str:
    """What is wrong with a knob's value, and what is allowed; a long value is cut."""
    shown = repr(value) if len(repr(value)) <= SHOWN else f"{repr(value)[:SHOWN]}..."
    length = f" of {len(value)} characters" if isinstance(value, str) and len(value) > SHOWN else ""
    kind = knobs_of(role)[name].kind
    wrong = [word for word in value.split(",") if word not in kind.words] if isinstance(value, str) else []
    hint = did_you_mean(wrong[0], [*kind.words, DEFAULT]) if wrong and kind.words else ""
    return f"{role} knob {name} cannot be {shown}{length}{hint}; allowed: {kind.values}, or {DEFAULT}"


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
