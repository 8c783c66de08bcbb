"""What findings are made of: weighed candidates, the place of an alert, the names of cipher suites."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from harness.model.reason import Finding
from harness.model.tls import Role
from harness.wire.suites import SUITES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.explain.facts.evidence import Evidence
    from harness.model.reason import Reason
    from harness.model.transcript import Message

FEW = 3
"""More candidates than these, with nothing that speaks for any, are no answer."""
LIB_SSL = 20
"""ERR_LIB_SSL."""
ALERT_RECEIVED = 1000
"""SSL_AD_REASON_OFFSET: reason codes from here on say which alert was received."""
CODE = re.compile(r"lib=(\d+) reason=(\d+)")
SHOWN = 16
"""Bytes that are shown of more."""


class Weight(IntEnum):
    """How much speaks for a reason that nothing contradicts; one that an observation contradicts is no candidate."""

    OPEN = 1
    """Nothing speaks for it either."""
    FITS = 2
    """The circumstances would bring it about."""
    SHOWN = 3
    """It was observed."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reason that may be given; fields as in Finding."""

    weight: Weight
    reason: Reason
    title: str
    evidence: tuple[str, ...]
    remedy: str
    source: str
    how_to_tell: str
    """What would tell whether it is this one."""

    def finding(self, *, alone: bool) -> Finding:
        """As an answer; with what would tell it from the others if there are others."""
        apart = "" if alone else self.how_to_tell
        return Finding(self.reason, self.title, self.evidence, self.remedy, self.source, apart)


def choose(candidates: Iterable[Candidate | None]) -> tuple[Finding, ...]:
    """Those for which most speaks, in the order given; empty if nothing speaks for any of more than FEW."""
    found = [candidate for candidate in candidates if candidate is not None]
    if not found:
        return ()
    most = max(candidate.weight for candidate in found)
    best = [candidate for candidate in found if candidate.weight is most]
    if most is Weight.OPEN and len(best) > FEW:
        return ()
    return answers(best)


def answers(candidates: Sequence[Candidate]) -> tuple[Finding, ...]:
    """All of them as answers."""
    return tuple(candidate.finding(alone=len(candidates) == 1) for candidate in candidates)


def place(evidence: Evidence) -> str:
    """``after the client's ClientHello``; how far the handshake had come when the first fatal alert was sent."""
    before = messages_before_alert(evidence)
    if not before:
        return "before any message"
    last = before[-1]
    return f"after the {last.sender}'s {last.type}"


def messages_before_alert(evidence: Evidence) -> Sequence[Message]:
    """The messages that were on the wire before the first alert of who sent the fatal one; all if it is not there."""
    messages, alert = evidence.transcript.messages, evidence.alert
    for index, message in enumerate(messages):
        if message.type == "Alert" and (alert is None or alert.sender in {None, message.sender}):
            return messages[:index]
    return messages


def codes(evidence: Evidence, role: Role) -> frozenset[int]:
    """The reasons of its own that an end's libssl gave; empty where it gave none or its stack does not tell.

    That it received an alert is no reason of its own.
    """
    report = evidence.connection.server if role is Role.SERVER else evidence.connection.client
    found = (CODE.match(line) for line in report.errors)
    return frozenset(int(c[2]) for c in found if c and int(c[1]) == LIB_SSL and int(c[2]) < ALERT_RECEIVED)


def errors(evidence: Evidence) -> tuple[str, ...]:
    """Each end's error queue, one line each error."""
    connection = evidence.connection
    ends = ((Role.SERVER, connection.server), (Role.CLIENT, connection.client))
    return tuple(f"{role}: {line}" for role, report in ends for line in report.errors if CODE.match(line))


def hash_of(suite: int | None) -> str | None:
    """The hash of a cipher suite's key derivation; None if the suite is not known."""
    return SUITES[suite].hash if suite in SUITES else None


def suite_name(suite: int | None) -> str:
    """IANA's name of a suite, or its number."""
    if suite is None:
        return "an unknown cipher suite"
    return SUITES[suite].name if suite in SUITES else f"cipher suite 0x{suite:04x}"


def brief(data: bytes) -> str:
    """The beginning of some bytes in hex."""
    return data.hex() if len(data) <= SHOWN else f"{data[:SHOWN].hex()}…"
