"""The clock of an endpoint that the harness drives: moved, stopped, or let run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from harness.model.errors import UsageError

if TYPE_CHECKING:
    from harness.model.tls import Role


class Clock(Protocol):
    """A clock, of a process or of a context in memory."""

    def move(self, seconds: int) -> None:
        """Set it to the true time plus ``seconds``."""

    def stop(self, at: int) -> None:
        """Stop it at a time in seconds since the epoch."""

    def run(self, at: float, pace: float = 1) -> None:
        """Let it run on from a moment."""


class Clocked:
    """An endpoint whose processes, present and future, read one clock; UsageError if its knob ``clock`` is not set."""

    name: str
    _role: Role
    _clock: Clock | None

    def move_clock(self, seconds: int) -> None:
        """Set this end's clock to the true time plus ``seconds``."""
        self._own_clock().move(seconds)

    def stop_clock(self, at: int) -> None:
        """Stop this end's clock at a time in seconds since the epoch."""
        self._own_clock().stop(at)

    def run_clock(self, at: float, pace: float = 1) -> None:
        """Let this end's clock run on from a moment; each process to come begins at that moment."""
        self._own_clock().run(at, pace)

    def _own_clock(self) -> Clock:
        if self._clock is None:
            raise UsageError(f"the clock of {self.name} cannot be moved; set the {self._role}'s knob clock, 0 will do")
        return self._clock
