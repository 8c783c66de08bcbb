"""Why a session was not offered, was declined, aborted the handshake, or was resumed with a caveat.

Observations decide: messages, counters, sessions, alerts. The setup (knobs, which server, what was done to it) can
suggest a reason, which an observation that contradicts it rules out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from harness.explain import aborted, declined, external_psk, not_offered, unread
from harness.explain.facts.evidence import gather
from harness.explain.resumed import resumed_but
from harness.model.errors import DisagreementError
from harness.model.reason import Explanation, Question
from harness.model.tls import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.explain.facts.evidence import Evidence
    from harness.model.connection import Connection
    from harness.model.reason import Finding, Reason

FINDERS: dict[Outcome, tuple[Question, Callable[[Evidence], tuple[Finding, ...]]]] = {
    Outcome.FULL: (Question.NOT_OFFERED, not_offered.findings),
    Outcome.DECLINED: (Question.DECLINED, declined.findings),
    Outcome.ABORTED: (Question.ABORTED, aborted.findings),
    Outcome.RESUMED: (Question.RESUMED_BUT, resumed_but.findings),
}
"""The question for each outcome, and the function that answers it."""


class Paired(Protocol):
    """A Pair, or another object with connections."""

    @property
    def connections(self) -> Sequence[Connection]:
        """Those that are over."""
        ...


def explain(connections: Sequence[Connection], connection: Connection) -> Explanation | None:
    """Explain a connection; ``connections`` are those of its pair, in any order.

    None if there is nothing to explain (a first handshake, a resumption without a caveat), or if the witnesses
    disagree. Does not mark the connection as asserted.
    """
    try:
        outcome = connection.observed_outcome()
    except DisagreementError:
        return None
    evidence = gather(connections, connection)
    if outcome is Outcome.FULL and connection.offered is None and (unused := external_psk.not_used(evidence)):
        return Explanation(Question.PSK_NOT_USED, unused)
    if outcome is Outcome.FULL and not evidence.earlier and connection.offered is None:
        return None
    if evidence.offered and (found := unread.findings(evidence, evidence.offered)):
        return Explanation(Question.NOT_OFFERED, found)
    question, find = FINDERS[outcome]
    found = find(evidence)
    return Explanation(question, found) if found else None


def reasons(pair: Paired, connection: Connection) -> tuple[Reason, ...]:
    """The reasons for the outcome of a connection, the most likely first; empty if there is none.

    Marks the connection as asserted, if an assert uses them.
    """
    connection.note_read()
    explanation = explain(pair.connections, connection)
    return explanation.reasons if explanation else ()


def titles(pair: Paired, connection: Connection) -> tuple[str, ...]:
    """The titles of the findings, each more precise than its reason; see `reasons`."""
    connection.note_read()
    explanation = explain(pair.connections, connection)
    return tuple(finding.title for finding in explanation.findings) if explanation else ()
