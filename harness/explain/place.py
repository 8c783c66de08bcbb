"""At which place in the handshake something ended it, and the reason codes of both ends; no reason is given."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harness.model.tls import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.explain.evidence import Evidence
    from harness.model.transcript import Message

LIB_SSL = 20
"""ERR_LIB_SSL."""
ALERT_RECEIVED = 1000
"""SSL_AD_REASON_OFFSET: reason codes from here on say which alert was received."""
CODE = re.compile(r"lib=(\d+) reason=(\d+)")


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
