"""A pytest plugin for the sweep: a few cells of each mutant, none once it is killed, and no evidence is kept.

Both ends are one build. A scenario that switches to a second stack meets the first and the last of the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.matrix.cells import cells
from harness.plugin import hooks
from harness.plugin.shared import Run
from harness.tests.mutation.mutants import MARK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harness.matrix.cells import Cell, Situation

STACK = "libssl"
KILLED: set[str] = set()


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    """Make the cells of one stack alone; leave out what a failure is explained with, as most mutants fail."""
    vars(hooks).update(leave=lambda *_: [], beside_outcome=lambda *_: [])
    Run.cells = possible  # type: ignore[assignment, method-assign]


def possible(run: Run, situation: Situation, _test: str) -> list[Cell]:
    """The cells with one build of the sweep's stack at both ends that can run; all of them if none can."""
    found = cells(situation, run.clients, run.servers, lambda client, server: client is server)
    of_stack = [cell for cell in found if cell.client_stack.name == STACK]
    return [cell for cell in of_stack if not cell.unsupported] or of_stack


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the first and the last cell of each TLS version: these are of the first and the last build."""
    kept = list(few(items))
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


def few(items: Iterable[pytest.Item]) -> Iterator[pytest.Item]:
    """The first and the last cell of each TLS version of each test with its cases."""
    found: dict[object, list[pytest.Item]] = {}
    for item in items:
        parameters: dict[str, Any] = vars(item)["callspec"].params
        cases = tuple(repr(value) for name, value in parameters.items() if name != "pair")
        found.setdefault((item.nodeid.partition("[")[0], parameters["pair"].tls, cases), []).append(item)
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
