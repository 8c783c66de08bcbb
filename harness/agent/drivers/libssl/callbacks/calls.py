"""Records the calls of a server's callbacks, by connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.agent.drivers.libssl.connection import LibsslTls


@dataclass(frozen=True)
class Call:
    """One call of a callback."""

    of: LibsslTls | None
    """The connection that made it; None for a removal, whose callback gets none."""
    call: str
    subject: bytes
    """The id of a session, or the name of a ticket key."""
    result: str


class Calls:
    """The calls of a context's callbacks that nobody has taken yet."""

    def __init__(self, connections: Mapping[Any, LibsslTls]) -> None:
        self._connections = connections
        self._calls: list[Call] = []

    def note(self, ssl: Any, call: str, subject: bytes, result: str) -> None:
        """Record a call; ``ssl`` is None if the callback gets no connection."""
        of = None if ssl is None else self._connections.get(ssl)
        self._calls.append(Call(of, call, subject, result))

    def has(self, ssl: Any, call: str) -> bool:
        """Return whether the connection has made such a call."""
        of = self._connections.get(ssl)
        return any(each.of is of and each.call == call for each in self._calls)

    def take(self, of: LibsslTls | None) -> list[dict[str, str]]:
        """Return the calls of a connection and those of none, in order, and forget them."""
        taken = [call for call in self._calls if call.of in {None, of}]
        self._calls = [call for call in self._calls if call not in taken]
        return [{"call": call.call, "subject": call.subject.hex(), "result": call.result} for call in taken]
