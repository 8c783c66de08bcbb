"""Offers a session that another program took, to see whether this server resumes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.probe import Answer, Topic
from harness.model.tls import Outcome

if TYPE_CHECKING:
    from harness.model.knobs import ClientConfig
    from harness.model.session import Session
    from harness.probe.visitor import Visitor

TRIES = 4
"""Offers before the session counts as declined: a balancer may lead each to another back end."""


def session_file(visitor: Visitor, base: ClientConfig, session: Session) -> Answer:
    """Answer whether the session resumes, until it does or TRIES offers were made."""
    label = f"TLS {session.version.value}"
    config = base.changed(versions=(session.version,))
    numbers = []
    for tried in range(1, TRIES + 1):
        visit = visitor.visit(config, session)
        numbers.append(visit.connection.number)
        if visit.outcome is Outcome.RESUMED:
            mechanism = visit.connection.observed_mechanism
            which = f"resumes by {mechanism}" if tried == 1 else f"resumes by {mechanism} at offer {tried}"
            return Answer(Topic.SESSION_FILE, label, which, evidence=(_evidence(numbers),))
        if visit.outcome is not Outcome.DECLINED:
            break
    said = {
        Outcome.DECLINED: f"declined in {len(numbers)} of {len(numbers)} offers, by full handshakes",
        Outcome.FULL: "not offered: the client has other settings than the one that took it",
        Outcome.ABORTED: f"aborted: {visit.connection.observed_alert() or 'the end of TCP'}",
    }[visit.outcome]
    return Answer(Topic.SESSION_FILE, label, said, evidence=(_evidence(numbers),))


def _evidence(numbers: list[int]) -> str:
    return f"offered in connection{'s'[: len(numbers) > 1]} {', '.join(map(str, numbers))}"
