"""Tells a story on one build, and returns what was seen also where it could not go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.case.case import Ends, begin, refusals
from harness.model.errors import EndpointError, HarnessError, RefusedError, UnsupportedError, UsageError, is_lost
from harness.pair.open_connection import NEVER_CONNECTED
from harness.story.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.connection import Connection
    from harness.runtime.runtime import Runtime
    from harness.stacks.base import Stack
    from harness.story.story import Story

REFUSED, UNSUPPORTED, CRASHED, LOST = "refused", "unsupported", "crashed", "lost"


@dataclass(frozen=True)
class Played:
    """A story on one build."""

    label: str
    """``stack@build`` of both ends."""
    connections: tuple[Connection, ...]
    """In the order in which they were over."""
    ended: str = ""
    """REFUSED, UNSUPPORTED, CRASHED or LOST; empty if every step was done."""
    why: str = ""
    """The step and the reason, without what differs from run to run."""
    said: str = ""
    """The whole error."""

    def numbered(self) -> dict[int, Connection]:
        """Return the connections by their number."""
        return {connection.number: connection for connection in sorted(self.connections, key=lambda one: one.number)}


def play(story: Story, stack: Stack, runtime: Runtime) -> Played:
    """Tell a story with one build at both ends; no error of an end is raised."""
    ends = Ends(stack, stack)
    plan = Plan.of(story)
    if lacking := refusals(story, ends, plan):
        return Played(stack.label, (), UNSUPPORTED, lacking[0])
    try:
        teller = begin(story, ends, runtime, plan)
    except HarnessError as error:
        return _ended(stack, (), "the first ends", error)
    pair = teller.pair
    try:
        for number, step in enumerate(story.steps, 1):
            try:
                teller.do(step)
            except HarnessError as error:
                return _ended(stack, pair.connections, f"step {number} ({step.kind})", error)
        return Played(stack.label, tuple(pair.connections))
    finally:
        pair.close()


def _ended(stack: Stack, connections: Sequence[Connection], step: str, error: HarnessError) -> Played:
    seen = tuple(connections)
    cause = error.__cause__ if isinstance(error.__cause__, EndpointError) else error
    if isinstance(error, RefusedError):
        codes = sorted({str(entry.get("reason")) for entry in error.queue})
        return Played(stack.label, seen, REFUSED, f"{step}: reason {', '.join(codes)}", str(error))
    if isinstance(error, UsageError):  # the story misfits: rotate_keys without a ring of keys
        return Played(stack.label, seen, UNSUPPORTED, step, str(error))
    if isinstance(error, UnsupportedError):
        return Played(stack.label, seen, UNSUPPORTED, f"{step}: {error.capability}", str(error))
    if isinstance(cause, EndpointError) and cause.crashed:
        return Played(stack.label, seen, CRASHED, step, str(error))
    if isinstance(cause, EndpointError) and cause.what == NEVER_CONNECTED:
        return Played(stack.label, seen, REFUSED, f"{step}: the client begins no handshake", str(error))
    what = LOST if is_lost(error) else type(error).__name__
    return Played(stack.label, seen, LOST, f"{step}: {what}", str(error))
