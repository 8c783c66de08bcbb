"""Short names of the plugin's options, `--client` for `--resumption-client`, for this repository's own conftest.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.plugin.entry import add_options

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--NAME` for each option of a run."""
    add_options(parser, short=True)
