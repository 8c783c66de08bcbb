"""Real connections of a case between two of this machine's stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.case.case import run
from harness.runtime.runtime import Runtime
from harness.stacks.machine import Machine

if TYPE_CHECKING:
    from harness.model.connection import Connection
    from harness.story.story import Story


def connections(client: str, server: str, case: Story) -> tuple[Connection, ...]:
    """What `resumption connect` would show, with all processes ended."""
    with Runtime() as runtime:
        machine = Machine(runtime)
        try:
            return run(case, machine.one(client), machine.one(server), runtime).connections
        finally:
            machine.close()
