"""The parts of a row in the table of knobs: the value's kind, how each stack sets it, and why one cannot."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.agent.vocabulary import release

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.agent.kinds import Kind
    from harness.agent.vocabulary import Role

PYTHON = sys.version_info[:2]
"""The Python of Python's ssl; the documentation is made for one of its own."""
STACKS = ("openssl", "libssl", "pyopenssl", "ssl")
"""The stacks in the table."""


@dataclass(frozen=True, slots=True)
class Option:
    """An option of an SSL_CTX (SSL_CTX_set_options) that a knob sets."""

    name: str
    bit: int
    """Its number in openssl/ssl.h: SSL_OP_BIT(bit)."""
    values: tuple[Any, ...] = (True,)
    """The values of the knob for which it is set; (False,) if the knob is off where the option is set."""
    since: str = ""
    """The first OpenSSL that has it, if that is later than the knob's."""
    without: str = ""
    """What an OpenSSL without it does."""
    flag: str = ""
    """The flag of s_server and s_client that sets it, if the row names no flags."""
    default: bool = False
    """Whether a new SSL_CTX has it."""
    conf: str = ""
    """Its name in OPENSSL_CONF (SSL_CONF_cmd, Options), for stacks that have no other way to clear it."""

    @property
    def mask(self) -> int:
        """The number that SSL_CTX_set_options takes."""
        return 1 << self.bit

    def is_set(self, value: Any) -> bool:
        """Whether the option is set for this value of the knob."""
        return value in self.values


@dataclass(frozen=True, slots=True)
class Flags:
    """The flags of s_server or s_client for a value; ``shown`` is their description in the documentation."""

    shown: str
    make: Callable[[Any], list[str]] = field(default=lambda _value: [])


def takes(flag: str) -> Flags:
    """A flag with the value as its argument."""
    return Flags(flag, lambda value: [flag, _argument(value)])


def switch(*, on: str = "", off: str = "") -> Flags:
    """A flag for on, a flag for off, or both; a state without a flag is the program's default."""
    return Flags(", ".join(filter(None, (on, off))), lambda value: [flag] if (flag := on if value else off) else [])


def _argument(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return value.decode() if isinstance(value, bytes) else str(value)


@dataclass(frozen=True, slots=True)
class Lack:
    """Where a stack does not support a knob or some of its values, and why."""

    why: str
    stacks: tuple[str, ...] = STACKS
    role: Role | None = None
    """None for both."""
    before: str = ""
    """Only OpenSSL versions before this one."""
    since: str = ""
    """Only this OpenSSL version and later ones."""
    python: tuple[int, int] | None = None
    """Only Python before this one."""
    allows: Callable[[Any], bool] | None = None
    """Which values are supported nevertheless; None for none."""
    values: str = ""
    """The supported values, in words."""

    def applies(self, stack: str, role: Role, version: str) -> bool:
        """Return whether it applies to this endpoint."""
        inside = (not self.before or release(version) < release(self.before)) and (
            not self.since or release(version) >= release(self.since)
        )
        old = self.python is None or self.python > PYTHON
        return stack in self.stacks and self.role in {None, role} and inside and old

    def forbids(self, value: Any) -> bool:
        """Return whether the value is not supported."""
        return self.allows is None or not self.allows(value)

    def __str__(self) -> str:
        return f"{self.why} (possible: {self.values})" if self.allows else self.why


def only(*values: Any) -> Callable[[Any], bool]:
    """Only these values are possible."""
    return lambda value: value in values


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """One setting of a client or server. A stack supports it if the row says how it is set there."""

    kind: Kind
    meaning: str
    options: tuple[Option, ...] = ()
    """Set by libssl, pyopenssl and ssl alike."""
    libssl: str = ""
    """The OpenSSL function that sets it."""
    pyopenssl: str = ""
    """What sets it in pyOpenSSL."""
    ssl: str = ""
    """What sets it in Python's ssl."""
    openssl: Flags | Mapping[Role, Flags] | None = None
    """The flags of s_server and s_client, by role where they differ."""
    since: str = ""
    """The first OpenSSL that supports it; empty for 1.0.2."""
    older: Any = None
    """The value that earlier releases always use; None if they do not have the feature."""
    older_why: str = ""
    """What earlier releases do."""
    lacks: tuple[Lack, ...] = ()
    """Which stacks do not support it or some of its values; the first match counts."""

    @property
    def call(self) -> str:
        """The option or function of OpenSSL."""
        return self.options[0].name if self.options else self.libssl

    def exists_in(self, version: str) -> bool:
        """Return whether that OpenSSL supports it."""
        return not self.since or release(version) >= release(self.since)

    def options_in(self, version: str) -> tuple[Option, ...]:
        """Return the options that this OpenSSL has."""
        if not self.exists_in(version):
            return ()
        return tuple(each for each in self.options if not each.since or release(version) >= release(each.since))

    def flags(self, role: Role) -> Flags | None:
        """Return the flags of the role's program; None if it has none."""
        if self.openssl is None and (flagged := [option for option in self.options if option.flag]):
            shown = ", ".join(option.flag for option in flagged)
            return Flags(shown, lambda value: [option.flag for option in flagged if option.is_set(value)])
        return self.openssl.get(role) if isinstance(self.openssl, Mapping) else self.openssl

    def words(self, role: Role, version: str, value: Any) -> list[str]:
        """Return the words on the command line of the role's program; none where a release always has that value."""
        flags = self.flags(role)
        if flags is None or (not self.exists_in(version) and self.older is not None and value == self.older):
            return []
        return flags.make(value)

    def how(self, stack: str, role: Role) -> str | None:
        """Return what sets it on a stack; None if nothing does."""
        if stack == "openssl":
            flags = self.flags(role)
            return None if flags is None else flags.shown
        return {"libssl": self.libssl, "pyopenssl": self.pyopenssl, "ssl": self.ssl}.get(stack) or (
            ", ".join(option.name for option in self.options) or None
        )

    def lack(self, stack: str, role: Role, version: str) -> Lack | None:
        """Return why this endpoint does not support it or some of its values; None if it supports all."""
        if stack not in STACKS:
            return None  # a foreign stack reports itself what it does not support
        found = next((lack for lack in self._all_lacks() if lack.applies(stack, role, version)), None)
        if self.how(stack, role) is None and (found is None or found.allows):
            return Lack("the stack has no way to set it")
        return found

    def _all_lacks(self) -> tuple[Lack, ...]:
        later = (self._without(option) for option in self.options if option.since)
        if not self.since:
            return (*self.lacks, *later)
        why = f"OpenSSL before {self.since} has no {self.call}{self.older_why}"
        if self.older is None:
            return (Lack(why, before=self.since), *self.lacks, *later)
        shown = str(self.older) if not isinstance(self.older, bool) else "on" if self.older else "off"
        return (*self.lacks, Lack(why, before=self.since, allows=only(self.older), values=shown), *later)

    def _without(self, option: Option) -> Lack:
        others = [word for word in self.kind.words if word not in map(str, option.values)]
        why = f"OpenSSL before {option.since} has no {option.name}{option.without}"
        return Lack(why, before=option.since, allows=lambda value: not option.is_set(value), values=", ".join(others))


def knob(**row: Any) -> Any:
    """Return a field of a configuration with its row as metadata; its default, None, is the stack's own default."""
    return field(default=None, metadata={"knob": Knob(**row)})
