"""What the tests of this room share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.probe.tests.probers import Prober
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def prober() -> Iterator[Prober]:
    """The machine's libssl as a client that probes."""
    with Runtime() as runtime:
        machine = Machine(runtime)
        yield Prober(runtime, machine)
        machine.close()
