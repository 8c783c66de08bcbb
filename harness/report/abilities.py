"""Which stack has which knob and Capability, as rows for the CLI and as the Markdown page docs/knobs.md."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from harness.model.capability import Capability
from harness.model.knobs import config_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.capability import Abilities
    from harness.model.tls import Role

YES = "yes"
NO = "no"


def knob_rows(role: Role, abilities: Sequence[Abilities]) -> list[tuple[str, ...]]:
    """A row a knob: its name, then for each stack ``yes``, ``no``, or the values that are possible."""
    return [
        (field.name, *(_has_knob(ability, field.name) for ability in abilities)) for field in fields(config_type(role))
    ]


def capability_rows(abilities: Sequence[Abilities]) -> list[tuple[str, ...]]:
    """A row a Capability: its name, then for each stack ``yes`` or ``no``."""
    return [(c.value, *(YES if c in ability.capabilities else NO for ability in abilities)) for c in Capability]


def reasons(name: str, abilities: Abilities) -> list[tuple[str, str]]:
    """What the stack lacks and why: the name of a knob or Capability, and the reason."""
    knobs = [f.name for f in fields(config_type(abilities.role)) if f.name not in abilities.knobs]
    found = [(knob, abilities.lacks_knob(knob, None)) for knob in knobs]
    found += [(knob, limit.reason) for knob, limit in abilities.knobs.items() if limit.reason]
    found += [(capability.value, abilities.lacks(capability)) for capability in Capability]
    return [(f"{name} {abilities.role} {what}", why) for what, why in found if why]


def knob_meanings(role: Role) -> list[tuple[str, str, str]]:
    """A row a knob: its name, its values as a user types them, its meaning."""
    return [(f.name, f.metadata["values"], f.metadata["doc"]) for f in fields(config_type(role))]


def markdown(rows: Sequence[Sequence[str]], heads: Sequence[str]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def _has_knob(abilities: Abilities, name: str) -> str:
    limit = abilities.knobs.get(name)
    if limit is None:
        return NO
    return YES if limit.values == "all" else limit.values
