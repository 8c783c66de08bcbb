"""The building blocks of findings: weighted candidates, when an alert was sent, names of cipher suites."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from harness.model.knobs import show_knob
from harness.model.reason import Finding
from harness.model.tls import Role
from harness.wire.suites import SUITES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.explain.facts.evidence import Evidence
    from harness.model.connection import Connection
    from harness.model.reason import Reason
    from harness.model.transcript import Message

FEW = 3
"""The most candidates without evidence that are reported; more are not an answer."""
LIB_SSL = 20
"""ERR_LIB_SSL."""
ALERT_RECEIVED = 1000
"""SSL_AD_REASON_OFFSET: reason codes from here on name a received alert."""
ALERTS_END = ALERT_RECEIVED + 256
"""The first number that names no received alert any more."""
CODE = re.compile(r"lib=(\d+) reason=(\d+)")
SILENT = (0, 0)
"""The entry of a library that failed without an error, as OpenSSL before 1.1.1 may in a handshake."""
SHOWN = 16
"""Bytes shown of a longer value."""


class Weight(IntEnum):
    """How strong the evidence for a candidate is. A contradicted reason is not a candidate."""

    OPEN = 1
    """Possible, without evidence."""
    FITS = 2
    """The setup would cause it."""
    SHOWN = 3
    """It was observed."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reason under consideration; fields as in Finding."""

    weight: Weight
    reason: Reason
    title: str
    evidence: tuple[str, ...]
    remedy: str
    source: str
    confirmed_by: str
    """The check that would confirm it."""

    def finding(self, *, alone: bool) -> Finding:
        """The finding, with the check that would confirm it unless it is the only one."""
        apart = "" if alone else self.confirmed_by
        return Finding(self.reason, self.title, self.evidence, self.remedy, self.source, apart)


def choose(candidates: Iterable[Candidate | None]) -> tuple[Finding, ...]:
    """The candidates with the strongest evidence, in order; empty if more than FEW have no evidence."""
    found = [candidate for candidate in candidates if candidate is not None]
    if not found:
        return ()
    most = max(candidate.weight for candidate in found)
    best = [candidate for candidate in found if candidate.weight is most]
    if most is Weight.OPEN and len(best) > FEW:
        return ()
    return answers(best)


def answers(candidates: Sequence[Candidate]) -> tuple[Finding, ...]:
    """All of them as findings."""
    return tuple(candidate.finding(alone=len(candidates) == 1) for candidate in candidates)


def place(evidence: Evidence) -> str:
    """When in the handshake the fatal alert was sent: ``after the client's ClientHello``."""
    before = messages_before_alert(evidence)
    if not before:
        return "before any message"
    last = before[-1]
    return f"after the {last.sender}'s {last.type}"


def messages_before_alert(evidence: Evidence) -> Sequence[Message]:
    """The messages before the first alert of the end that sent the fatal one; all if the wire shows none."""
    messages, alert = evidence.transcript.messages, evidence.alert
    for index, message in enumerate(messages):
        if message.type == "Alert" and (alert is None or alert.sender in {None, message.sender}):
            return messages[:index]
    return messages


def codes(evidence: Evidence, role: Role) -> frozenset[int]:
    """The reason codes that an end's libssl reported, without those that name a received alert."""
    report = evidence.connection.server if role is Role.SERVER else evidence.connection.client
    return frozenset(reason for lib, reason in entries(report.errors) if lib == LIB_SSL and reason < ALERT_RECEIVED)


def entries(lines: Iterable[str]) -> list[tuple[int, int]]:
    """The library and the reason code of each entry of an error queue."""
    return [(int(found[1]), int(found[2])) for line in lines if (found := CODE.match(line))]


def errors(evidence: Evidence) -> tuple[str, ...]:
    """Both ends' error queues, one line for each error."""
    connection = evidence.connection
    ends = ((Role.SERVER, connection.server), (Role.CLIENT, connection.client))
    return tuple(f"{role}: {line}" for role, report in ends for line in report.errors if CODE.match(line))


def release_of(connection: Connection, role: Role) -> str:
    """The version of an end's OpenSSL, ``3.0.19``; empty if it is unknown, or of another library."""
    if connection.setup is not None and not connection.setup.library(role).is_openssl:
        return ""
    report = connection.server if role is Role.SERVER else connection.client
    return report.view.name.partition("@")[2]


def knob_text(connection: Connection, role: Role, name: str, *, here: bool = True) -> tuple[str, ...]:
    """A knob of one end as a line of evidence. ``here``: in the explained connection.

    Empty if the setup is unknown, or if the harness does not drive that end.
    """
    report = connection.client if role is Role.CLIENT else connection.server
    if connection.setup is None or not report.driven:
        return ()
    value = getattr(connection.setup.config(role), name)
    where = "" if here else f" in connection {connection.number}"
    return (f"knob: the {role}'s {name}{where} is {'the default' if value is None else show_knob(value) or 'empty'}",)


def hash_of(suite: int | None) -> str | None:
    """The hash of a cipher suite's key derivation; None if the suite is unknown."""
    return SUITES[suite].hash if suite in SUITES else None


def suite_name(suite: int | None) -> str:
    """IANA's name of a suite, or its number."""
    if suite is None:
        return "an unknown cipher suite"
    return SUITES[suite].name if suite in SUITES else f"cipher suite 0x{suite:04x}"


def brief(data: bytes) -> str:
    """Bytes in hex, cut after SHOWN."""
    return data.hex() if len(data) <= SHOWN else f"{data[:SHOWN].hex()}…"
