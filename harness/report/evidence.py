"""What a cell that did not pass leaves behind: sections for its report and files for its folder, both as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.report.connection_text import case_text
from harness.report.messages_text import messages_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.model.connection import Connection

COMPARED = 3
"""How many of the last connections are shown beside an outcome that is not the expected one."""
SHOWN = 1
"""How many of the last connections a report shows whole; the folder has all of them."""
LINES = 12
"""How many lines a report shows of the beginning, and of the end, of what an end printed; the folder has all."""


def views(connections: Sequence[Connection]) -> list[str]:
    """What the witnesses saw of the last connections."""
    return [line for connection in connections[-COMPARED:] for line in connection.describe().splitlines()]


def sections(connections: Sequence[Connection]) -> Iterator[tuple[str, str]]:
    """Title and text of each section: about every connection on which witnesses differ, and about the last ones."""
    for connection in connections:
        if not connection.disagreement and connection not in connections[-SHOWN:]:
            continue
        if connection.disagreement:
            yield f"witnesses of connection {connection.number}", connection.describe()
        yield f"messages of connection {connection.number}", messages_text(connection.transcript).plain
        ends = (connection.client, connection.server)
        if commands := "\n".join(command for end in ends for command in end.commands):
            yield f"commands of connection {connection.number}", commands
        for end in ends:
            if end.output:
                yield (
                    f"output of {end.view.witness} {end.view.name}, connection {connection.number}",
                    shortened(end.output),
                )


def shortened(text: str) -> str:
    """The text without the lines in its middle, and how many those were."""
    lines = text.splitlines()
    left = len(lines) - 2 * LINES
    if left <= 1:
        return text
    return "\n".join([*lines[:LINES], f"… {left} lines more in the folder of this cell …", *lines[-LINES:]])


def files(connections: Sequence[Connection], report: str) -> dict[str, str]:
    """Texts by the name of the file; ``report`` is pytest's own account of the failure."""
    commands = [
        f"# connection {c.number}, {end.view.witness} {end.view.name}\n{command}"
        for c in connections
        for end in (c.client, c.server)
        for command in end.commands
    ]
    output = {
        role: "\n".join(
            f"== connection {c.number}, {end.view.name}\n{end.output}"
            for c in connections
            if (end := getattr(c, role)).output
        )
        for role in ("client", "server")
    }
    keylog = dict.fromkeys(line for c in connections for end in (c.client, c.server) for line in end.keylog)
    return {
        "evidence.txt": f"{report}\n\n{case_text(connections).plain}\n",
        "commands.sh": "\n".join(["#!/bin/sh", *commands, ""]) if commands else "",
        "client-output.txt": output["client"],
        "server-output.txt": output["server"],
        "keylog.txt": "\n".join([*keylog, ""]) if keylog else "",
    }
