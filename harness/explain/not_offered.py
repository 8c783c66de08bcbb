"""Why a session was not offered; what became of an offer is told elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.reason import Finding, Reason

if TYPE_CHECKING:
    from harness.explain.evidence import Evidence


def findings(evidence: Evidence) -> tuple[Finding, ...]:
    """The reasons, the most likely first; empty if there was none to offer."""
    title = f"connection {evidence.connection.number} offered no session, and nothing seen says why"
    return (Finding(Reason.NOT_OFFERED_UNKNOWN, title, evidence.connection.wire.evidence, remedy="not known"),)
