"""A pytest plugin for the sweep: a few cells of each mutant, none once it is killed, and no evidence is kept.

A scenario that goes over to a second stack meets one; all others have one stack at both ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.plugin import hooks
from harness.tests.mutation.mutants import MARK

if TYPE_CHECKING:
    from collections.abc import Iterable

STACK = "libssl"
KILLED: set[str] = set()


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    """Leave out what a failure is explained with: most mutants fail."""
    vars(hooks).update(leave=lambda *_: [], beside_outcome=lambda *_: [])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the first and the last cell of each TLS version, and every cell of a scenario itself."""
    kept = list(few(item for item in items if needed(cell_of(item))))
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


def cell_of(item: pytest.Item) -> Any:
    """The cell of an item."""
    return vars(item)["callspec"].params["pair"]


def needed(cell: Any) -> bool:
    """Whether a cell has the stacks of the sweep."""
    ends = {cell.client_stack.name, cell.server_stack.name}
    return ends == {STACK}


def few(items: Iterable[pytest.Item]) -> Iterable[pytest.Item]:
    """The first and the last cell of each TLS version of each test with its cases."""
    found: dict[object, list[pytest.Item]] = {}
    for item in items:
        cases = tuple(repr(value) for name, value in vars(item)["callspec"].params.items() if name != "pair")
        found.setdefault((item.nodeid.partition("[")[0], cell_of(item).tls, cases), []).append(item)
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
