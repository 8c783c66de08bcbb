"""Which library resumes with which, by mechanism: one case for each pair of stacks."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.matrix.cells import Situation, cells
from harness.model.errors import HarnessError
from harness.model.tls import Mechanism, Outcome, TLSVersion
from harness.pair.pair import Pair

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.matrix.cells import Cell
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack

SITUATIONS = {
    Mechanism.SESSION_ID: Situation(versions=(TLSVersion.TLSv1_2,), server={"tickets": (False,)}),
    Mechanism.SESSION_TICKET: Situation(versions=(TLSVersion.TLSv1_2,)),
    Mechanism.PSK: Situation(versions=(TLSVersion.TLSv1_3,)),
}
"""What makes two ends resume by each mechanism, if they can."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """How one client and one server got on."""

    client: str
    server: str
    mechanism: Mechanism
    result: str
    """``resumes``, the outcome or the mechanism that came instead, ``cannot`` or ``error``."""
    why: str = ""
    """Why it cannot, or the error."""


def meetings(clients: Sequence[Stack], servers: Sequence[Stack], runtime: Runtime) -> Iterator[Meeting]:
    """Let each client meet each server: connect, close, connect again with the session."""
    for mechanism, situation in SITUATIONS.items():
        for cell in cells(situation, clients, servers):
            yield Meeting(cell.client_stack.label, cell.server_stack.label, mechanism, *_met(cell, mechanism, runtime))


def _met(cell: Cell, mechanism: Mechanism, runtime: Runtime) -> tuple[str, str]:
    if cell.unsupported:
        return "cannot", cell.unsupported
    stacks = cell.client_stack, cell.server_stack
    try:
        with closing(Pair(stacks, cell.tls, runtime, client=cell.client, server=cell.server)) as pair:
            first = pair.connect()
            if first.last_session is None:
                return "no session", "the first connection yielded none"
            second = pair.connect(offer=first.last_session)
            if second.disagreement:
                return "error", second.describe()
            outcome, found = second.observed_outcome(), second.mechanism
            if outcome is not Outcome.RESUMED:
                return str(outcome), ""
            return ("resumes", "") if found is mechanism else (f"resumes by {found}", "")
    except HarnessError as error:
        return "error", str(error)
