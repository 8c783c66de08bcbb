"""The evidence folder of a cell, and the sections of its report."""

from __future__ import annotations

import json
from enum import Enum
from reprlib import Repr
from typing import TYPE_CHECKING

from harness.report.account import account
from harness.report.capture import NAME, capture
from harness.report.failed_cell import compared, files, sections
from harness.reproduce.reproduction import SCRIPTS, reproduction
from harness.results.writer import cell_folder, keep

if TYPE_CHECKING:
    from pathlib import Path

    from harness.plugin.cell_verdict import CellState

SHORT = Repr()
SHORT.maxstring = SHORT.maxother = SHORT.maxlong = 200
SHORT.maxlist = SHORT.maxtuple = SHORT.maxdict = SHORT.maxset = SHORT.maxfrozenset = 20

REPRODUCERS = "reproduce"
"""The folder of reproducers in the cell's folder."""


def value_text(value: object) -> str:
    """Return a value of a comparison, cut if it is long."""
    return str(value) if isinstance(value, Enum) else SHORT.repr(value)


def beside_outcome(state: CellState) -> list[str]:
    """Return what to show beside an unexpected outcome; empty if nothing connected."""
    return compared(account(state.connections, latest=True)) if state.connections else []


def leave(state: CellState, results: Path, report: str) -> list[tuple[str, str]]:
    """Write the evidence below ``results``; return the sections' titles and texts, the last of which names the folder.

    ``report`` is pytest's own report of the failure. A write error becomes a section, not another failure.
    """
    explained = account(state.connections, state.counters, latest=True)
    case = json.dumps(state.case, indent=1) if state.case else ""
    kept: dict[str, str | bytes] = {**files(explained, report), NAME: capture(state.connections), "case.json": case}
    found = sections(explained)
    try:
        state.folder = keep(cell_folder(results, state.scenario, state.id), kept)
        made = _reproduced(state, state.folder / REPRODUCERS)
    except OSError as error:
        return [*found, ("evidence could not be kept", str(error))]
    return [
        *found,
        *([("reproducers", "\n".join(made))] if made else []),
        ("evidence is kept in", str(state.folder)),
    ]


def shown(state: CellState) -> list[tuple[str, str]]:
    """The sections of the report of a cell, as for one that failed."""
    explained = account(state.connections, state.counters, latest=True) if state.connections else None
    return list(sections(explained)) if explained else []


def leave_reproducers(state: CellState, results: Path) -> list[tuple[str, str]]:
    """Write the programs that show what a cell did that passed; the sections of its report."""
    try:
        made = _reproduced(state, cell_folder(results, state.scenario, state.id) / REPRODUCERS)
    except OSError as error:
        return [("reproducers could not be kept", str(error))]
    return [("reproducers", "\n".join(made))] if made else []


def _reproduced(state: CellState, folder: Path) -> list[str]:
    """Write the reproducers; the lines about them, none if a connection has no setup or a program is an end."""
    known = [connection for connection in state.connections if connection.setup]
    if state.pair is None or state.cell.program or not known or len(known) < len(state.connections):
        return []
    made = reproduction(state.connections, state.pair.runtime.pki.pem_files, wrong=state.reason)
    keep(folder, made.files, SCRIPTS)
    return made.summary()
