"""Why a server that was offered a session made a full handshake."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.reason import Finding, Reason

if TYPE_CHECKING:
    from harness.explain.evidence import Evidence


def findings(evidence: Evidence) -> tuple[Finding, ...]:
    """The reasons, the most likely first; never empty."""
    title = f"connection {evidence.connection.number} was offered a session and declined it, and nothing seen says why"
    return (Finding(Reason.DECLINED_UNKNOWN, title, evidence.connection.wire.evidence, remedy="not known"),)
