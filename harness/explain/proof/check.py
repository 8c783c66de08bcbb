"""Compares every line of evidence with its witness: a false one is an error of the harness."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.explain import explain
from harness.explain.proof import ends, session, setup, wire
from harness.explain.proof.statement import Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.model.connection import Connection
    from harness.model.reason import Explanation

STATEMENTS = (*wire.STATEMENTS, *session.STATEMENTS, *setup.STATEMENTS, *ends.STATEMENTS)


def false_evidence(connections: Sequence[Connection]) -> tuple[str, ...]:
    """Each line of evidence, of the findings about any of these connections, that its witness does not bear out."""
    return tuple(
        f"connection {one.number}, {line}"
        for one in connections
        if (explanation := explain(connections, one)) is not None
        for line in false_lines(connections, one, explanation)
    )


def false_lines(connections: Sequence[Connection], connection: Connection, explanation: Explanation) -> tuple[str, ...]:
    """The lines of an explanation that are false, or that say what nothing can check; with the finding's reason."""
    scope = Scope(tuple(sorted(connections, key=lambda one: one.number)), connection)
    return tuple(
        f"{finding.reason}: {line!r} is false, or no statement of harness.explain.proof can check it"
        for finding in explanation.findings
        for line in finding.evidence
        if not _true(scope, line)
    )


def _true(scope: Scope, line: str) -> bool:
    """Whether the first statement that the line is an instance of holds; a fact that is not there does not."""
    for statement in STATEMENTS:
        if (found := statement.match(line)) is not None:
            try:
                return bool(statement.holds(scope, found))
            except (LookupError, StopIteration, ValueError, AttributeError):
                return False
    return False
