"""A statement is a sentence that a line of evidence may say, and how to see whether it is true."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from harness.explain.facts.evidence import gather

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.explain.facts.evidence import Evidence
    from harness.model.connection import Connection
    from harness.model.session import Session
    from harness.model.tls import Role
    from harness.model.transcript import ClientHello
    from harness.model.view import EndpointReport


@dataclass(frozen=True)
class Scope:
    """The connection that a finding is about, among all connections of its pair."""

    connections: Sequence[Connection]
    connection: Connection

    @cached_property
    def evidence(self) -> Evidence:
        """The evidence about the connection."""
        return gather(self.connections, self.connection)

    def number(self, text: str | None) -> Connection:
        """The connection with this number; the scope's own for None. StopIteration if there is none."""
        if text is None:
            return self.connection
        return next(one for one in self.connections if one.number == int(text))

    def report(self, role: Role) -> EndpointReport:
        """What an endpoint reported of the connection."""
        return getattr(self.connection, role.value)  # type: ignore[no-any-return]

    @property
    def hellos(self) -> tuple[ClientHello, ...]:
        """The ClientHellos of the first handshake: two after a HelloRetryRequest."""
        return self.connection.transcript.client_hellos[: 2 if self.evidence.retry else 1]

    @cached_property
    def sessions(self) -> tuple[Session, ...]:
        """The session that was given to the client and as it was issued; else those that earlier connections gave."""
        if self.connection.offered is not None:
            origin = self.evidence.origin
            return (self.connection.offered, *([origin.session] if origin else ()))
        return tuple(
            session
            for one in self.evidence.earlier
            for session in (*one.sessions, *one.held_sessions, one.last_session)
            if session is not None
        )


@dataclass(frozen=True)
class Statement:
    """A sentence of one witness; ``holds`` gets the groups of the pattern."""

    witness: str
    pattern: str
    holds: Callable[[Scope, re.Match[str]], object]

    def match(self, line: str) -> re.Match[str] | None:
        """The line's parts, None if it says something else."""
        return re.fullmatch(f"{self.witness}: {self.pattern}", line, re.DOTALL)
