"""Selects which of several connections is explained, and which earlier one is shown beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from harness.explain import explain
from harness.explain.facts.origin import origin_of
from harness.explain.resumed.lifetime import expiry_of
from harness.explain.rules import breaches_of
from harness.model.reason import Question

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.explain.facts.origin import Origin
    from harness.model.connection import Connection, Counters
    from harness.model.reason import Expiry, Explanation
    from harness.model.rule import Breach


@dataclass(frozen=True)
class Account:
    """The connections of one pair in the order of their numbers, at least one, and their explanations."""

    connections: Sequence[Connection]
    explanations: Mapping[int, Explanation] = field(default_factory=dict)
    """By the number of the connection."""
    counters: Counters | None = None
    """The last server's, if its stack reports them."""
    expiries: Mapping[int, Expiry] = field(default_factory=dict)
    """When the sessions of resumed connections expire, by the number of the connection."""
    latest: bool = False
    """Whether the subject is the last connection, as in a failed test, rather than the most informative one."""
    breaches: Mapping[int, tuple[Breach, ...]] = field(default_factory=dict)
    """The rules of the RFCs that a connection breaks, by its number; a connection that breaks none is not there."""

    @cached_property
    def subject(self) -> Connection:
        """The connection to explain.

        The first of these that exists: the last one on which the witnesses disagree, the last with a reason why it was
        not resumed, the last with any reason, the last.
        """
        differing = [connection for connection in self.connections if connection.disagreement]
        if differing or self.latest:
            return (differing or self.connections)[-1]
        explained = [c for c in self.connections if c.number in self.explanations]
        failed = [c for c in explained if self.explanations[c.number].question is not Question.RESUMED_BUT]
        return (failed or explained or self.connections)[-1]

    @cached_property
    def origin(self) -> Origin | None:
        """Where the subject's offered session comes from, and which fields were edited since."""
        offered = self.subject.offered
        return origin_of(offered, self._earlier) if offered else None

    @cached_property
    def before(self) -> Connection | None:
        """The connection that the offered session comes from, or the one before the subject if unknown."""
        if self.origin:
            return self.origin.connection
        return self._earlier[-1] if self._earlier else None

    @cached_property
    def _earlier(self) -> list[Connection]:
        number = self.subject.number
        return [connection for connection in self.connections if connection.number < number]

    @cached_property
    def others(self) -> list[Connection]:
        """The connections other than the subject and ``before``."""
        shown = {self.subject, self.before}
        return [connection for connection in self.connections if connection not in shown]


def account(connections: Sequence[Connection], counters: Counters | None = None, *, latest: bool = False) -> Account:
    """The account of the connections of one pair, each explained; it marks none as asserted."""
    found = {connection.number: explain(connections, connection) for connection in connections}
    explanations = {number: explanation for number, explanation in found.items() if explanation}
    lasting = {connection.number: expiry_of(connections, connection) for connection in connections}
    expiries = {number: expiry for number, expiry in lasting.items() if expiry}
    broken = {connection.number: breaches_of(connections, connection) for connection in connections}
    breaches = {number: found for number, found in broken.items() if found}
    return Account(connections, explanations, counters, expiries, latest, breaches)


def latest_account(connections: Sequence[Connection], connection: Connection) -> Account:
    """The account of one of these connections and those before it; it alone is explained."""
    until = [*(one for one in connections if one.number < connection.number), connection]
    explanation, expiry = explain(connections, connection), expiry_of(connections, connection)
    return Account(
        until,
        {connection.number: explanation} if explanation else {},
        connection.counters,
        {connection.number: expiry} if expiry else {},
        latest=True,
        breaches={connection.number: found} if (found := breaches_of(connections, connection)) else {},
    )
