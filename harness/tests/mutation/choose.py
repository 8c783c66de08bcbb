"""A pytest plugin for the sweep: a few cells of each mutant, none once it is killed, and no evidence is kept.

Both ends are one build; a program and the one player of a role meet libssl. A scenario that switches to a second stack
meets the first and the last of the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.matrix.cells import Cell, cells
from harness.model.tls import Role
from harness.plugin import hooks
from harness.plugin.shared import Run
from harness.tests.mutation.mutants import MARK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.matrix.cells import Situation

STACK = "libssl"
KILLED: set[str] = set()
PROGRAM_CELLS = Run.program_cells


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    """Make the cells of one stack alone; leave out what a failure is explained with, as most mutants fail."""
    vars(hooks).update(leave=lambda *_: [], beside_outcome=lambda *_: [])
    Run.cells = possible  # type: ignore[assignment, method-assign]
    Run.program_cells = of_stack  # type: ignore[assignment, method-assign]


def possible(run: Run, situation: Situation, _test: str) -> list[Cell]:
    """The cells with one build of the sweep's stack at both ends that can run; all of them if none can.

    Of a situation that names the player of a role, those in which it meets that stack.
    """
    ends = {Role.CLIENT: run.clients, Role.SERVER: run.servers}
    ends |= {role: run.machine.played(name) for role, name in situation.played_by.items()}
    played = bool(situation.played_by)
    found = cells(situation, ends[Role.CLIENT], ends[Role.SERVER], lambda client, server: played or client is server)
    ours = meeting_stack(found)
    return [cell for cell in ours if not cell.unsupported] or ours


def of_stack(run: Run, situation: Situation, role: Role) -> list[Cell]:
    """The cells in which a program meets the sweep's stack."""
    return meeting_stack(PROGRAM_CELLS(run, situation, role))


def meeting_stack(found: Iterable[Cell]) -> list[Cell]:
    """The cells that have the sweep's stack at one end or both."""
    return [cell for cell in found if STACK in {cell.client_stack.name, cell.server_stack.name}]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the first and the last cell of each TLS version and program: these are of the first and the last build."""
    kept = list(few(items))
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


def few(items: Iterable[pytest.Item]) -> Iterator[pytest.Item]:
    """The first and the last cell of each TLS version and program of each test with its cases; a test without a cell.

    A cell goes to a fixture of any name: the pair, a server program or a client program. A program that is not
    installed, and a test for which no stack was chosen, are there to be counted.
    """
    found: dict[object, list[pytest.Item]] = {}
    for item in items:
        parameters: dict[str, Any] = vars(item)["callspec"].params
        cell = next((value for value in parameters.values() if isinstance(value, Cell)), None)
        situation = (cell.tls, cell.program) if cell else ()
        cases = tuple(repr(value) for value in parameters.values() if not isinstance(value, Cell))
        found.setdefault((item.nodeid.partition("[")[0], situation, cases), []).append(item)
    for same in found.values():
        yield from dict.fromkeys((same[0], same[-1]))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Run no further cell of a mutant that is killed."""
    name = item.nodeid.partition("[")[0]
    if MARK in name and name in KILLED:
        pytest.skip("UNSUPPORTED: it is killed")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note what failed."""
    if report.failed:
        KILLED.add(report.nodeid.partition("[")[0])
