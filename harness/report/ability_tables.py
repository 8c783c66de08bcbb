"""Which stack supports which knob and Capability, as rows for the CLI and for docs/knobs.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.knob import STACKS
from harness.model.capability import Capability
from harness.model.knobs import knobs_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.capability import Abilities
    from harness.model.tls import Role

YES = "yes"
NO = "no"


def knob_rows(role: Role, abilities: Sequence[Abilities]) -> list[tuple[str, ...]]:
    """One row per knob: its name, then for each stack ``yes``, ``no`` or the supported values."""
    return [(name, *(_has_knob(ability, name) for ability in abilities)) for name in knobs_of(role)]


def capability_rows(abilities: Sequence[Abilities]) -> list[tuple[str, ...]]:
    """One row per Capability: its name, then for each stack ``yes`` or ``no``."""
    return [(c.value, *(YES if c in ability.capabilities else NO for ability in abilities)) for c in Capability]


def reasons(name: str, abilities: Abilities) -> list[tuple[str, str]]:
    """What the stack does not support: the name of a knob or Capability, and the reason."""
    knobs = [name for name in knobs_of(abilities.role) if name not in abilities.knobs]
    found = [(knob, abilities.lacks_knob(knob, None)) for knob in knobs]
    found += [(knob, limit.reason) for knob, limit in abilities.knobs.items() if limit.reason]
    found += [(capability.value, abilities.lacks(capability)) for capability in Capability]
    return [(f"{name} {abilities.role} {what}", why) for what, why in found if why]


def knob_meanings(role: Role) -> list[tuple[str, str, str]]:
    """One row per knob: its name, its values as a user types them, its meaning."""
    return [(name, row.kind.values, row.meaning) for name, row in knobs_of(role).items()]


def knob_calls(role: Role) -> list[tuple[str, ...]]:
    """One row per knob: its name, the first OpenSSL that has it, and what sets it in each stack."""
    return [
        (name, row.since or "1.0.2", *(row.how(stack, role) or NO for stack in STACKS))
        for name, row in knobs_of(role).items()
    ]


def markdown(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def _has_knob(abilities: Abilities, name: str) -> str:
    limit = abilities.knobs.get(name)
    if limit is None:
        return NO
    return YES if limit.values == "all" else limit.values
