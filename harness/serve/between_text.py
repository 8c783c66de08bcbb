"""What passed between a client and a server, as text: the witness, each connection, how the command ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from harness.report.account import latest_account
from harness.report.text.lines import joined, unfolded
from harness.runtime.process import how_it_ended
from harness.serve.visit_text import visit_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.connection import Connection
    from harness.serve.between import Between


def between_text(
    between: Between, connections: Sequence[Connection], ran: tuple[str, int, str], width: int, *, whole: bool = False
) -> Text:
    """One line for each connection; ``ran`` is the command's name, exit code and output, which ``whole`` shows too."""
    name, status, output = ran
    lines = [Text(f"{between.target.text}: {_counted(len(connections))} of {name}; {_witness(connections)}")]
    for connection in connections:
        lines += [visit_text(latest_account(connections, connection), width, whole=whole)]
    if missed := between.asked - len(connections):
        lines.append(Text(f"{_counted(missed)} did not reach {between.target.text}", "bold red"))
    lines.append(Text(f"{name} {how_it_ended(status)}"))
    lines += [Text(f"| {line}") for line in (output.splitlines() if whole else ())]
    return unfolded(joined(lines))


def _counted(number: int) -> str:
    return f"{number} connection{'' if number == 1 else 's'}"


def _witness(connections: Sequence[Connection]) -> str:
    opened = sum(one.transcript.decrypted for one in connections)
    if not opened:
        return "one witness: the wire alone, as no key log opens it"
    all_ = "them all" if opened == len(connections) else f"{opened} of them"
    return f"one witness: the wire, and a key log that opens {all_}"
