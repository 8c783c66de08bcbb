"""Where the bytes of one connection pass and are recorded: the tap, or the memory of an agent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.tls import Close
    from harness.model.transcript import Chunk, Tcp
    from harness.runtime.datagram_tap import DatagramTap
    from harness.runtime.loop import Pending
    from harness.runtime.tap import Tap
    from harness.stacks.agent.joined import Joined


class Recorded(Protocol):
    """One connection's bytes, and the means to end it."""

    @property
    def chunks(self) -> list[Chunk]:
        """The bytes, in order."""
        ...

    @property
    def sent(self) -> Sequence[Chunk]:
        """The bytes as the ends sent them, where a man in the middle may have changed them."""
        ...

    @property
    def tampered(self) -> tuple[str, ...]:
        """What a man in the middle did, one sentence each."""
        ...

    @property
    def holding(self) -> bool:
        """Whether a man in the middle holds bytes of an end."""
        ...

    @property
    def blocked(self) -> str | None:
        """Why a middlebox blocked it, empty if it did not, None if there is none."""
        ...

    @property
    def tcp(self) -> Tcp:
        """How TCP carried it."""
        ...

    @property
    def ended(self) -> bool:
        """Whether no more bytes can arrive."""
        ...

    def cut(self, how: Close) -> None:
        """End it towards both ends."""
        ...

    def close(self) -> None:
        """Free it."""
        ...

    def drain(self) -> None:
        """Relay what the server has sent so far."""
        ...

    def release(self) -> None:
        """Pass on what a middlebox holds."""
        ...


class Relay(Protocol):
    """The way of one connection."""

    def asks(self) -> Sequence[Pending[Any]]:
        """Return what must be known before the connection is over, beside what its ends are asked for."""
        ...

    def recorded(self, *, look: bool = False) -> Recorded | None:
        """Return the connection; None if its client has not come. ``look`` whether one waits to be accepted."""
        ...


class ByTap:
    """Through the tap of a pair."""

    def __init__(self, tap: Tap | DatagramTap, place: int) -> None:
        self._tap = tap
        self._place = place

    def asks(self) -> Sequence[Pending[Any]]:
        """Return nothing: the tap sees each byte itself."""
        return ()

    def recorded(self, *, look: bool = False) -> Recorded | None:
        """Return the connection in the order of the tap."""
        if look and len(self._tap.connections) <= self._place:
            self._tap.accept()  # it may have connected and ended before the loop came to accept it
        return self._tap.connections[self._place] if len(self._tap.connections) > self._place else None


class ByMemory:
    """Within one agent."""

    def __init__(self, joined: Joined) -> None:
        self._joined = joined

    def asks(self) -> Sequence[Pending[Any]]:
        """Ask the agent for what passed."""
        return (self._joined.ask(),)

    def recorded(self, *, look: bool = False) -> Recorded | None:  # noqa: ARG002 - nothing waits in memory
        """Return the connection."""
        return self._joined
