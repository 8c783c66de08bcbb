"""Which entry of which end's error queue says best why a handshake failed."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from harness.explain.finding import ALERT_RECEIVED, ALERTS_END, LIB_SSL, entries, release_of
from harness.explain.openssl_errors.codes import code_of, others
from harness.model.tls import Role

if TYPE_CHECKING:
    from harness.explain.facts.evidence import Evidence
    from harness.explain.openssl_errors.codes import Code

VAGUE = ("library", "ending")
"""Areas whose codes say less than those of any other."""
EMPTY = {"SSL_R_RECORD_LAYER_FAILURE", "SSL_R_SSL_HANDSHAKE_FAILURE", "SSL_R_QUIC_HANDSHAKE_LAYER_ERROR"}
"""Codes that point to the other entries of the queue."""


@dataclass(frozen=True, slots=True)
class Cause:
    """A reason code and the end that reported it."""

    role: Role
    code: Code

    @property
    def source(self) -> str:
        """The macro and its number, and what the number means in other versions."""
        more = "".join(f"; {_span(other)} {other.number} is {other.macro}" for other in others(self.code))
        header = "openssl/sslerr.h" if self.code.macro.startswith("SSL_R_") else "openssl/err.h"
        return f"{header}: {self.code.macro} ({self.code.number}){more}"


def _span(code: Code) -> str:
    return f"before {code.before}" if code.before else f"since {code.since}"


def cause_of(evidence: Evidence) -> Cause | None:
    """The most precise code, first of the end that sent the alert; None if no end reported one that has a meaning."""
    sender = evidence.alert.sender if evidence.alert else None
    roles = (sender or Role.CLIENT, (sender or Role.CLIENT).peer)
    found = [Cause(role, code) for role in roles for code in _codes(evidence, role)]
    return min(found, key=_vagueness, default=None)


def _vagueness(cause: Cause) -> int:
    return 2 if cause.code.macro in EMPTY else cause.code.area in VAGUE


def _codes(evidence: Evidence, role: Role) -> list[Code]:
    """What an end reported before it read the peer's alert; what came after, such as a failed close, is not a cause."""
    report = evidence.connection.server if role is Role.SERVER else evidence.connection.client
    version = release_of(evidence.connection, role)
    numbers = [number for lib, number in entries(report.errors) if lib == LIB_SSL]
    own = takewhile(lambda number: not ALERT_RECEIVED <= number < ALERTS_END, numbers)
    return [code for number in own if (code := code_of(number, version)) is not None]
