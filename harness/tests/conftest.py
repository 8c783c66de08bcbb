"""What several test modules share, made once a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.runtime import Runtime
from harness.tests.live_sessions import Live

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def live() -> Iterator[Live]:
    """Sessions of real OpenSSLs, each made when it is first asked for."""
    with Runtime() as runtime:
        yield Live(runtime)
