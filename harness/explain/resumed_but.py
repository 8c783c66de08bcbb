"""What is not as it was in the full handshake, or was not checked again, where a session was resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.explain.evidence import Evidence
    from harness.model.reason import Finding


def findings(_evidence: Evidence) -> tuple[Finding, ...]:
    """Every reason that holds, for they do not exclude each other; empty if there is none."""
    return ()
