"""`resumption stacks`: shows the stacks of this machine, their builds, and the knobs and Capabilities they support."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.table import Table

from harness.cli.console import console
from harness.cli.messages import example
from harness.cli.paths import NamedPath
from harness.model.errors import UsageError
from harness.model.tls import Role
from harness.report.ability_tables import capability_rows, knob_meanings, knob_rows, reasons
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.stacks.base import Stack

SCHEMA = 1
INSIDE = dict.fromkeys(("pyopenssl", "ssl", "libssl"), "inside the Python package")
"""Where the library of a stack is that has no file of its own."""
AGENT = "Also use the stack of an agent, whose command is in FILE; may be repeated."
OWN = "Also use the OpenSSL installed in PREFIX; may be repeated."


@click.command(epilog=example("stacks --why"))
@click.option("--stack", "files", multiple=True, type=NamedPath(path_type=Path), metavar="FILE", help=AGENT)
@click.option("--openssl", "prefixes", multiple=True, type=NamedPath(path_type=Path), metavar="PREFIX", help=OWN)
@click.option("--why", is_flag=True, help="Also show why a stack does not support a knob or a Capability.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
def stacks(files: tuple[Path, ...], prefixes: tuple[Path, ...], *, why: bool, as_json: bool) -> None:
    """Show the stacks, their builds, versions and paths, and the knobs and Capabilities that each role supports."""
    if why and as_json:
        raise UsageError("--why and --json cannot be combined: the JSON always includes the reasons; remove --why")
    with Runtime() as runtime:
        machine = Machine(runtime, prefixes, files=files)
        try:
            if as_json:
                click.echo(json.dumps(_as_json(machine), indent=2))
            else:
                _print(machine, why=why)
        finally:
            machine.close()


def _print(machine: Machine, *, why: bool) -> None:
    out = console()
    out.print(
        _table(("stack", "origin", "program, library"), [(s.label, s.build.origin, _parts(s)) for s in machine.stacks])
    )
    for missing in machine.missing:
        out.print(f"{missing.stack} is missing: {missing.reason}")
    names = [stack.name for stack in machine.stacks]
    heads = [stack.name if names.count(stack.name) == 1 else stack.label for stack in machine.stacks]
    for role in Role:
        abilities = [stack.abilities(role) for stack in machine.stacks]
        out.print(_table((f"{role} knob", *heads), knob_rows(role, abilities)))
        out.print(_table((f"{role} Capability", *heads), capability_rows(abilities)))
    if why:
        found = [row for stack in machine.stacks for role in Role for row in reasons(stack.name, stack.abilities(role))]
        out.print(_table(("lacks", "because"), found))
    else:
        out.print("`resumption stacks --why` shows why something is not supported; docs/knobs.md explains each knob.")


def _parts(stack: Stack) -> str:
    build = stack.build
    found = [" ".join(build.openssl or ()), str(build.libssl or "")]
    return ", ".join(part for part in found if part) or INSIDE.get(stack.name, "an agent, started by its origin")


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", title_justify="left")
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*row)
    table.add_row()
    return table


def _as_json(machine: Machine) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "stacks": [
            {
                "name": stack.name,
                "label": stack.label,
                "version": stack.build.version,
                "family": stack.build.library.family,
                "origin": stack.build.origin,
                "openssl": stack.build.openssl,
                "libssl": str(stack.build.libssl or "") or None,
                "libcrypto": str(stack.build.libcrypto or "") or None,
                "lacks": {
                    role.value: {what.split(" ", 2)[2]: why for what, why in reasons(stack.name, stack.abilities(role))}
                    for role in Role
                },
            }
            for stack in machine.stacks
        ],
        "missing": {missing.stack: missing.reason for missing in machine.missing},
        "knobs": {
            role.value: {name: {"values": values, "meaning": doc} for name, values, doc in knob_meanings(role)}
            for role in Role
        },
    }
