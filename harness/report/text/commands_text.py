"""The commands of several connections as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from harness.report.text.lines import WIDTH, folded, joined

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.connection import Connection

GONE = (
    "Commands, as they were run. The ports and the files in the run's private folder no longer exist; an agent "
    "(harness.agent) waits for requests on its stdin."
)


def commands(connections: Sequence[Connection]) -> dict[tuple[str, str], list[int]]:
    """The numbers of the connections by whose end ran it, ``client openssl@3.0.19``, and the command."""
    found: dict[tuple[str, str], list[int]] = {}
    for connection in connections:
        for end in (connection.client, connection.server):
            for command in end.commands:
                found.setdefault((f"{end.view.witness} {end.view.name}", command), []).append(connection.number)
    return found


def commands_text(connections: Sequence[Connection], width: int = WIDTH) -> Text:
    """Each command once, on one line, ready to paste; empty if there is none."""
    found = commands(connections)
    lines = [Text(line, "bold") for line in folded(GONE, width)] if found else []
    for (end, command), numbers in found.items():
        lines += map(Text, folded(f"{end}, {_of(numbers)}", width, "  "))
        lines.append(Text(f"    {command}"))
    return joined(lines)


def commands_script(connections: Sequence[Connection]) -> str:
    """The file commands.sh: a record that exits instead of running the commands."""
    found = commands(connections)
    if not found:
        return ""
    notes = [f"# {line}" for line in folded(GONE, WIDTH - 2)]
    lines = [line for (end, command), numbers in found.items() for line in ("", f"# {end}, {_of(numbers)}", command)]
    return "\n".join(["#!/bin/sh", *notes, "exit 2  # a record, not a script", *lines, ""])


def _of(numbers: Sequence[int]) -> str:
    if len(numbers) == 1:
        return f"connection {numbers[0]}"
    if len(numbers) == numbers[-1] - numbers[0] + 1 > 2:  # noqa: PLR2004 - two are named both
        return f"connections {numbers[0]} to {numbers[-1]}"
    return f"connections {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
