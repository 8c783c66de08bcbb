"""What some builds do differently, as declared, dated and strict data with its evidence; no scenario has an `if`."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from harness.builds.versions import build_version, numbered
from harness.model.errors import UsageError
from harness.model.tls import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from harness.model.tls import TLSVersion
    from harness.stacks.base import Stack

T = TypeVar("T")


class Played(Protocol):
    """What an expectation must know of a pair."""

    tls: TLSVersion
    client_stack: Stack
    server_stack: Stack


@dataclass(frozen=True)
class Builds:
    """A stack glob and a range of versions, as ``libssl@>=3.0,<3.2``, ``*@<=1.1.1w`` or ``ssl`` (all of its builds)."""

    text: str

    def __post_init__(self) -> None:
        try:
            SpecifierSet(numbered(self.text.partition("@")[2]))
        except InvalidSpecifier as error:
            raise UsageError(f"{self.text!r} is no range of builds, as in libssl@>=3.0,<3.2 or *@<=1.1.1w") from error

    def __contains__(self, stack: Stack) -> bool:
        glob, _, versions = self.text.partition("@")
        return fnmatchcase(stack.name, glob) and SpecifierSet(numbered(versions)).contains(
            build_version(stack.build.version), prereleases=True
        )


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

    def __post_init__(self) -> None:
        if not self.evidence.strip():
            raise UsageError(f"{self.builds}: what differs needs its evidence")
        Builds(self.builds)

    def at(self, stack: Stack, role: Role) -> bool:
        """Whether it is about this stack in this role."""
        return role is self.role and stack in Builds(self.builds)


class Expectation(Generic[T]):
    """What every build is expected to do, and what some do differently. Compare with ``==``: a stale one fails."""

    def __init__(self, value: T, *differs: Differs[T]) -> None:
        self.value = value
        self.differs = differs

    def of(self, pair: Played) -> T:
        """What is expected of this pair; UsageError if two declarations claim it."""
        stacks = ((pair.client_stack, Role.CLIENT), (pair.server_stack, Role.SERVER))
        claims = [
            d for d in self.differs if d.tls in {None, pair.tls} and any(d.at(stack, role) for stack, role in stacks)
        ]
        if len({repr(claim.value) for claim in claims}) > 1:
            ranges = "; ".join(f"{claim.role} {claim.builds} gives {claim.value!r}" for claim in claims)
            raise UsageError(f"declarations that contradict each other: {ranges}")
        return claims[0].value if claims else self.value


def unmatched(
    expectations: Iterable[Expectation[Any]], clients: Sequence[Stack], servers: Sequence[Stack]
) -> list[str]:
    """The declarations whose range held no build of this run, one line each."""
    present = [(stack, Role.CLIENT) for stack in clients] + [(stack, Role.SERVER) for stack in servers]
    return [
        f"{differs.role} {differs.builds} gives {differs.value!r} (seen {differs.seen})"
        for expectation in expectations
        for differs in expectation.differs
        if not any(differs.at(stack, role) for stack, role in present)
    ]
