"""Why a session was not offered, declined, fatal to the handshake, or resumed with a catch: evidence in, reasons out.

What was observed (messages, counters, sessions, alerts) decides; what is only known of the circumstances (knobs, which
server it was, what was done to it) may propose a reason, and is overruled by an observation that contradicts it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from harness.explain import aborted, declined, not_offered, resumed_but, unread
from harness.explain.facts.evidence import gather
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
"""What is asked about an outcome, and who answers it."""


class Paired(Protocol):
    """What has made connections: a Pair."""

    connections: list[Connection]


def explain(connections: Sequence[Connection], connection: Connection) -> Explanation | None:
    """Why it is as it is; ``connections`` are those of the same pair, in any order, of which later ones do not count.

    None where nothing is to be explained (a first handshake, a resumption without a catch), and where the witnesses
    give no outcome. It marks no connection as looked at.
    """
    try:
        outcome = connection.observed_outcome()
    except DisagreementError:
        return None
    evidence = gather(connections, connection)
    if outcome is Outcome.FULL and not evidence.earlier and connection.offered is None:
        return None
    if evidence.offered and (found := unread.findings(evidence, evidence.offered)):
        return Explanation(Question.NOT_OFFERED, found)
    question, find = FINDERS[outcome]
    found = find(evidence)
    return Explanation(question, found) if found else None


def reasons(pair: Paired, connection: Connection) -> tuple[Reason, ...]:
    """The reasons that are given for what became of a connection, the most likely first; empty if there is none.

    Marks the connection as looked at, for a scenario asserts what it is told.
    """
    connection.asserted = True
    explanation = explain(pair.connections, connection)
    return explanation.reasons if explanation else ()


def titles(pair: Paired, connection: Connection) -> tuple[str, ...]:
    """The findings' titles, which say what of all that a reason stands for it was; as `reasons`."""
    connection.asserted = True
    explanation = explain(pair.connections, connection)
    return tuple(finding.title for finding in explanation.findings) if explanation else ()
