"""The page docs/knobs.md: what every knob means, and which stacks support it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.agent.knob import STACKS
from harness.model.knobs import knobs_of
from harness.model.tls import Role
from harness.report.ability_tables import capability_rows, knob_calls, knob_meanings, knob_rows, markdown, reasons

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.model.capability import Abilities

INTRODUCTION = """# Knobs

A knob is one row of the table in harness/agent/knobs.py. A scenario sets it with
`scenario(client={...}, server={...})`, a user with `resumption connect --client-set KNOB=VALUE`. A knob that is not set
keeps the stack's default. If a stack does not support a knob, the cell is UNSUPPORTED and `connect` reports an error.

`resumption stacks` shows the tables for the stacks on your machine, `--why` the reasons, `--json` everything.
The tables below are for the versions in their headings. `python docs/generate.py` writes this page.
"""


def knobs_page(stacks: Mapping[str, Mapping[Role, Abilities]]) -> str:
    """The whole page in Markdown; ``stacks`` are the abilities in both roles by ``stack@build``."""
    parts = [INTRODUCTION]
    for role in Role:
        abilities = [by_role[role] for by_role in stacks.values()]
        meanings = [(f"`{name}`", values, meaning) for name, values, meaning in knob_meanings(role)]
        parts += [
            f"## Knobs of a {role}\n",
            markdown(meanings, ("knob", "values", "meaning")) + "\n",
            "What sets each, and since which OpenSSL:\n",
            markdown(_named(knob_calls(role)), ("knob", "since", *STACKS)) + "\n",
            "Which values each stack can set:\n",
            markdown(_named(knob_rows(role, abilities)), (f"{role} knob", *stacks)) + "\n",
        ]
    for role in Role:
        abilities = [by_role[role] for by_role in stacks.values()]
        parts += [
            f"## Capabilities of a {role}\n",
            "What a scenario can require beyond knobs (harness/model/capability.py).\n",
            markdown(capability_rows(abilities), (f"{role} Capability", *stacks)) + "\n",
        ]
    lacking = [row for name, by_role in stacks.items() for role in Role for row in reasons(name, by_role[role])]
    parts += ["## Why not\n", markdown(lacking, ("not supported", "because"))]
    return "\n".join(parts) + "\n"


def protocol_knobs() -> str:
    """The table of knobs on the page of the agent protocol, with their JSON values."""
    roles = {name: [role for role in Role if name in knobs_of(role)] for role in Role for name in knobs_of(role)}
    rows = []
    for name, where in roles.items():
        row = knobs_of(where[0])[name]
        if row.kind.carried:
            whose = f"; {where[0]}s only" if len(where) == 1 else ""
            rows.append((f"`{name}`", f"{row.kind.json}{whose}", row.call, row.meaning))
    return markdown(rows, ("knob", "JSON", "OpenSSL", "meaning")) + "\n"


def _named(rows: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    return [(f"`{name}`", *rest) for name, *rest in rows]
