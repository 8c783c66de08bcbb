"""A pytest plugin for the sweep: only scenarios that go over to a second stack meet one, all others one stack alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.tests.mutation.__main__ import STACKS

if TYPE_CHECKING:
    import pytest


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the cells that are more than a sweep needs."""

    def needed(item: pytest.Item) -> bool:
        cell = getattr(item, "callspec").params.get("pair")  # noqa: B009 - an attribute of parametrized items alone
        names = (cell.client_stack.name, cell.server_stack.name)
        return names == (STACKS[0], STACKS[0]) or bool(cell.seconds and names[0] == STACKS[0] and names[1] == STACKS[0])

    kept = [item for item in items if needed(item)]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept
