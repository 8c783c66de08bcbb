"""What a cell needs of a stack beyond its knobs, and which stack can do it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harness.agent.vocabulary import Capability
from harness.model.knobs import knobs_of
from harness.model.tls import BEFORE_1_3, ORDERS, Close

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from harness.model.tls import Role, TLSVersion


__all__ = [
    "CLOCK",
    "CLOSE_NEEDS",
    "FULLY",
    "Abilities",
    "Capability",
    "Limit",
    "abilities_of",
]

CLOCK = "clock"
"""The knob that needs a clock which can be moved."""

CLOSE_NEEDS: Mapping[Close, tuple[Capability, ...]] = {
    Close.CLIENT_ONLY: (Capability.CLOSE_CLIENT_ONLY,),
    Close.SERVER_ONLY: (Capability.CLOSE_SERVER_ONLY,),
    **dict.fromkeys((*ORDERS, Close.UNREAD), (Capability.CLOSE_IN_ORDER,)),
}
"""What both ends must be able to do for a connection to be closed in this way; the other ways need nothing."""


def by_id_alone(tls: TLSVersion, *tickets: bool | None) -> tuple[Capability, ...]:
    """What both ends need of a cell by the knob ``tickets`` of each: before TLS 1.3 only ids resume without tickets."""
    return (Capability.SESSION_ID,) if tls in BEFORE_1_3 and False in tickets else ()


def of_version(tls: TLSVersion) -> tuple[Capability, ...]:
    """What both ends need to speak a version."""
    return {"DTLS": (Capability.DATAGRAMS,), "QUIC": (Capability.QUIC,)}.get(tls.carrier, ())


@dataclass(frozen=True, slots=True)
class Limit:
    """How far a stack has a knob: ``allows`` says whether a value is possible, ``reason`` why another is not."""

    allows: Callable[[object], bool]
    values: str
    reason: str


FULLY = Limit(lambda _value: True, "all", "")
"""The whole range of the knob."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What one stack can do in one role."""

    role: Role
    knobs: Mapping[str, Limit]
    """The knobs that can be set, with their limits; ``refused`` has the others."""
    capabilities: frozenset[Capability] = frozenset()
    missing: Mapping[str, str] = field(default_factory=dict)
    """Why Capabilities are missing, by their value."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Why knobs cannot be set at all, by their name."""

    def lacks_knob(self, name: str, value: object) -> str | None:
        """The reason why the knob cannot have the value, None if it can."""
        limit = self.knobs.get(name)
        if limit is None:
            return self.refused.get(name, "the stack has no way to set it")
        return None if limit.allows(value) else f"{limit.reason} (possible: {limit.values})"

    def lacks(self, capability: Capability) -> str | None:
        """The reason why the stack lacks a Capability, None if it has it."""
        if capability in self.capabilities:
            return None
        return self.missing.get(capability.value, "the stack has no way to do it")


def abilities_of(
    stack: str, role: Role, version: str, missing: Mapping[str, str], able: Iterable[Capability] | None = None
) -> Abilities:
    """What a stack can do on that OpenSSL: the knobs of the table, and ``able``, by default every Capability.

    ``missing`` are the reasons why it lacks Capabilities, by their values. Without Capability.CLOCK no knob sets one.
    """
    knobs: dict[str, Limit] = {}
    refused: dict[str, str] = {}
    for name, row in knobs_of(role).items():
        lack = row.lack(stack, role, version)
        if name == CLOCK and Capability.CLOCK.value in missing:
            refused[name] = missing[Capability.CLOCK.value]
        elif lack is None:
            knobs[name] = FULLY
        elif lack.allows is None:
            refused[name] = lack.why
        else:
            knobs[name] = Limit(lack.allows, lack.values, lack.why)
    able = frozenset(capability for capability in able or Capability if capability.value not in missing)
    return Abilities(role, knobs, able, missing, refused)
