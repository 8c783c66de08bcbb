"""Carries out the calls on one connection in the order in which they were made, as a program's output allows."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from harness.model.errors import EndpointError, HarnessError
from harness.runtime.loop import Pending

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def always() -> bool:
    """Ready at once."""
    return True


def nothing() -> None:
    """Needs no beginning."""


@dataclass
class Step:
    """One call: ``begin`` when its turn comes, then wait until it is ``ready``, then ``give`` its result."""

    pending: Pending[Any]
    ready: Callable[[], bool]
    give: Callable[[], Any]
    begin: Callable[[], None]
    begun: bool = False


class Steps:
    """The calls that are not done yet. Call ``advance`` whenever something happened."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._steps: deque[Step] = deque()
        self._broken: HarnessError | None = None

    def ask(
        self,
        what: str,
        give: Callable[[], T],
        *,
        ready: Callable[[], bool] = always,
        begin: Callable[[], None] = nothing,
    ) -> Pending[T]:
        """Put a call at the end; what it gives, or an error that ``begin`` or ``give`` raised, is in the Pending."""
        pending = Pending[T](f"{what} of {self._endpoint}")
        if self._broken is not None:
            pending.reject(self._broken)
        else:
            self._steps.append(Step(pending, ready, give, begin))
            self.advance()
        return pending

    def advance(self) -> None:
        """Do what can be done now."""
        while self._steps:
            step = self._steps[0]
            try:
                if not step.begun:
                    step.begun = True
                    step.begin()
                if not step.ready():
                    return
                step.pending.resolve(step.give())
            except HarnessError as error:
                step.pending.reject(error)
            if self._steps and self._steps[0] is step:
                self._steps.popleft()

    def fail(self, what: str, output: str, status: int | None = None) -> None:
        """The program is of no use any more: every call, also a later one, gets the error with what it printed."""
        self.refuse(EndpointError(self._endpoint, what, output, status))

    def refuse(self, error: HarnessError) -> None:
        """Every call, also a later one, gets the error; the first one stays."""
        self._broken = self._broken or error
        while self._steps:
            self._steps.popleft().pending.reject(self._broken)
