"""Carries out the calls on one connection in order, driven by the output of a program."""

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
    """Return True: the step is ready at once."""
    return True


def nothing() -> None:
    """Do nothing: the step needs no start."""


@dataclass
class Step:
    """One call: ``begin`` it in its turn, wait until it is ``ready``, then take its result from ``give``."""

    pending: Pending[Any]
    ready: Callable[[], bool]
    give: Callable[[], Any]
    begin: Callable[[], None]
    begun: bool = False


class Steps:
    """The open calls. Call ``advance`` after every event."""

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
        """Append a call; the Pending gets the result of ``give``, or an error of ``begin`` or ``give``."""
        pending = Pending[T](f"{what} of {self._endpoint}")
        if self._broken is not None:
            pending.reject(self._broken)
        else:
            self._steps.append(Step(pending, ready, give, begin))
            self.advance()
        return pending

    def advance(self) -> None:
        """Carry out every call that is ready."""
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
        """Fail every open and later call with an EndpointError that shows the output."""
        self.refuse(EndpointError(self._endpoint, what, output, status))

    def refuse(self, error: HarnessError) -> None:
        """Fail every open and later call with the error; the first error wins."""
        self._broken = self._broken or error
        while self._steps:
            self._steps.popleft().pending.reject(self._broken)
