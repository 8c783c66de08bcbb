"""Declares what some builds do differently, dated and with evidence, so that scenarios need no `if`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from harness.builds.versions import build_version, numbered
from harness.model.build import OPENSSL
from harness.model.errors import UsageError
from harness.model.tls import Alert, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from harness.model.knobs import ClientConfig, ServerConfig
    from harness.model.tls import TLSVersion
    from harness.stacks.base import Stack

T = TypeVar("T")
DECODE_ERROR = 50
FAMILY = re.compile(r"[a-z][a-z\d_-]*")


class Played(Protocol):
    """What an expectation must know of a pair."""

    tls: TLSVersion
    client_stack: Stack
    server_stack: Stack
    client_config: ClientConfig
    server_config: ServerConfig
    declared: list[Any]
    """The differences that were asked for and are about this pair."""

    @property
    def left(self) -> Mapping[Role, Stack]:
        """The stacks from which the pair went over to the present ones; of a role that never did, none."""
        ...


@dataclass(frozen=True)
class Builds:
    """A stack glob and a range of versions, as ``libssl@>=3.0,<3.2``, ``*@<=1.1.1w`` or ``ssl`` (all of its builds).

    A glob stands for stacks on OpenSSL. Another family is named before it, ``gnutls:*@>=3.7``, or by the full name of
    its stack, ``gnutls@>=3.7``: version numbers of different families are never compared.
    """

    text: str

    def __post_init__(self) -> None:
        family, colon, rest = self._parts()
        try:
            SpecifierSet(numbered(rest.partition("@")[2]))
        except InvalidSpecifier as error:
            raise UsageError(
                f"{self.text!r} is not a range of builds, as in libssl@>=3.0,<3.2, *@<=1.1.1w or gnutls:*@>=3.7"
            ) from error
        if colon and not FAMILY.fullmatch(family):
            raise UsageError(
                f"{self.text!r} names no family before the colon; it is one word in small letters, as in gnutls:*@>=3.7"
            )

    def _parts(self) -> tuple[str, str, str]:
        """The family, the colon and the rest; the first two are empty if no family is named."""
        head, at, versions = self.text.partition("@")
        family, colon, glob = head.rpartition(":")
        return family, colon, f"{glob}{at}{versions}"

    def __contains__(self, stack: Stack) -> bool:
        return self.has(stack.label, stack.build.library.family)

    def has(self, label: str, family: str = OPENSSL) -> bool:
        """Whether a ``stack@build`` of that family is one of them."""
        wanted, colon, rest = self._parts()
        glob, _, versions = rest.partition("@")
        name, _, version = label.partition("@")
        if not fnmatchcase(name, glob):
            return False
        if family != (wanted if colon else OPENSSL) and (colon or name != glob):
            return False
        return not versions or SpecifierSet(numbered(versions)).contains(build_version(version), prereleases=True)


@dataclass(frozen=True)
class Differs(Generic[T]):
    """One range of builds that does otherwise in one role, since when that is known, and what shows it."""

    value: T
    role: Role
    builds: str
    """See Builds."""
    seen: date
    evidence: str
    """OpenSSL's source, changelog or output, or a link to it."""
    tls: TLSVersion | None = None
    """The protocol version that it is about, None for all."""
    left: str = ""
    """The builds from which the pair must have gone over to these, as a session travels; see Builds. Empty for any."""

    peer: str = ""
    """The builds that must be at the other end; see Builds. Empty for any."""
    client: Mapping[str, Any] = field(default_factory=dict)
    """Knobs of the client, by name, with the values that it is about."""
    server: Mapping[str, Any] = field(default_factory=dict)
    """The same of the server."""

    def __post_init__(self) -> None:
        if not self.evidence.strip():
            raise UsageError(f"{self.builds}: what differs needs its evidence")
        for text in (self.builds, self.left, self.peer):
            Builds(text or "*")

    def about(self, pair: Played) -> bool:
        """Whether it is about this pair as it now is."""
        ends = {Role.CLIENT: pair.client_stack, Role.SERVER: pair.server_stack}
        present, peer = ends.pop(self.role), *ends.values()
        places = ((self.builds, present), (self.left, pair.left.get(self.role)), (self.peer, peer))
        knobs = ((self.client, pair.client_config), (self.server, pair.server_config))
        return (
            self.tls in {None, pair.tls}
            and all(not text or (stack is not None and stack in Builds(text)) for text, stack in places)
            and all(getattr(config, name) == value for values, config in knobs for name, value in values.items())
        )

    def between(self, client: tuple[str, str], server: tuple[str, str]) -> bool:
        """Whether a client and a server, each a ``stack@build`` and a family, are its builds, whatever their knobs."""
        present, peer = (client, server) if self.role is Role.CLIENT else (server, client)
        return Builds(self.builds).has(*present) and (not self.peer or Builds(self.peer).has(*peer))

    def places(self) -> list[tuple[Role, str]]:
        """Each role with a range of builds that must be in it for the difference to be seen."""
        other = Role.SERVER if self.role is Role.CLIENT else Role.CLIENT
        ranges = [(self.role, self.builds), (self.role, self.left), (other, self.peer)]
        return [(role, text) for role, text in ranges if text]

    @property
    def where(self) -> str:
        """``*@<3.0 after *@>=3.0``: its builds, those that the pair has left, and those at the other end."""
        after = f" after {self.left}" if self.left else ""
        peer = f" with {self.peer}" if self.peer else ""
        return f"{self.builds}{after}{peer}"

    def __str__(self) -> str:
        return f"{self.role} {self.where} gives {self.value!r}"


def broken_by(role: Role, builds: str, seen: date, evidence: str, **more: Any) -> Differs[bool]:
    """Builds that break a rule of an RFC, as a value of the ``breaks`` of `scenario`.

    ``role`` is the end that they play; ``more`` are further fields of Differs: tls, left, peer, client, server.
    """
    return Differs(value=True, role=role, builds=builds, seen=seen, evidence=evidence, **more)


def without_alert(
    seen: date,
    where: str,
    builds: str = "*@<1.1.1",
    *,
    why: str = "SSLfatal came with 1.1.1",
    tls: TLSVersion | None = None,
) -> tuple[Differs[Alert | None], ...]:
    """Servers that fail in an OpenSSL function, ``where``, without an alert, as values of a `Connection.alert`.

    The client sees the end of TCP. Since 3.0 it answers that with decode_error (SSL_R_UNEXPECTED_EOF_WHILE_READING).
    ``why`` says since when such a server sends one.
    """
    none = f"{why}: before it {where} fails without an alert, and the client sees the end of TCP"
    answer = f"{none}; since 3.0 it answers that with decode_error (SSL_R_UNEXPECTED_EOF_WHILE_READING)"
    return (
        Differs(None, Role.SERVER, builds, seen, none, tls, peer="*@<3.0"),
        Differs(Alert(DECODE_ERROR, Role.CLIENT), Role.SERVER, builds, seen, answer, tls, peer="*@>=3.0"),
    )


class Expectation(Generic[T]):
    """What every build is expected to do, and what some do differently. Compare with ``==``: a stale one fails."""

    def __init__(self, value: T, *differs: Differs[T]) -> None:
        self.value = value
        self.differs = differs

    def of(self, pair: Played) -> T:
        """What is expected of this pair; UsageError if two declarations claim it."""
        claims = [differs for differs in self.differs if differs.about(pair)]
        if len({repr(claim.value) for claim in claims}) > 1:
            ranges = "; ".join(str(claim) for claim in claims)
            raise UsageError(f"declarations that contradict each other: {ranges}")
        pair.declared += claims
        return claims[0].value if claims else self.value


def unmatched(
    expectations: Iterable[Expectation[Any]], clients: Sequence[Stack], servers: Sequence[Stack]
) -> list[str]:
    """The declarations whose range held no build of this run, one line each."""
    present = [(stack, Role.CLIENT) for stack in clients] + [(stack, Role.SERVER) for stack in servers]
    return [
        f"{differs} (seen {differs.seen})"
        for expectation in expectations
        for differs in expectation.differs
        if not all(
            any(at is role and stack in Builds(text) for stack, at in present) for role, text in differs.places()
        )
    ]
