"""What several test modules share, made once a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.runtime import Runtime
from harness.tests.live_sessions import Live
from harness.tests.tshark import found

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.tests.tshark import Tshark


@pytest.fixture(scope="session")
def live() -> Iterator[Live]:
    """Sessions of real OpenSSLs, each made when it is first asked for."""
    with Runtime() as runtime:
        yield Live(runtime)


@pytest.fixture(scope="session")
def tshark() -> Tshark:
    """The machine's tshark, or Debian's; skips with the reason where there is neither."""
    program = found()
    if isinstance(program, str):
        pytest.skip(program)
    return program
