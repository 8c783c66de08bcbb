"""Why a handshake was aborted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.reason import Finding, Reason

if TYPE_CHECKING:
    from harness.explain.evidence import Evidence


def findings(evidence: Evidence) -> tuple[Finding, ...]:
    """The reasons, the most likely first; never empty."""
    title = f"connection {evidence.connection.number} was aborted, and nothing seen says why"
    return (Finding(Reason.ABORTED_UNKNOWN, title, evidence.connection.wire.evidence, remedy="not known"),)
