"""Compares every fact that an endpoint reports of a connection with what the wire shows of it.

The tables say which: `facts.FACTS` for a report, `sessions.FIELDS` for a session, `counters.COUNTERS` for a context. An
endpoint that reports nothing of a fact, and a wire that cannot show it, are never in contradiction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.model.tls import Role
from harness.pair.audit.facts import FACTS_OF, FACTS_OF_OTHERS
from harness.pair.audit.offer import offers
from harness.pair.audit.sessions import taken
from harness.pair.audit.shown import Wire, contradiction

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from harness.model.connection import Connection
    from harness.model.transcript import Transcript
    from harness.model.view import Contradiction


def audit(connection: Connection, vantages: Mapping[Role, Transcript] | None = None) -> tuple[Contradiction, ...]:
    """The facts of one connection in which an endpoint contradicts the wire.

    ``vantages`` are what each end sent and got, where the tap changed messages on their way.
    """
    if vantages is None:
        return tuple(_contradictions(dict.fromkeys(Role, Wire(connection))))
    return tuple(_contradictions({role: Wire(connection, vantages[role]) for role in Role}))


def _contradictions(wires: Mapping[Role, Wire]) -> Iterator[Contradiction]:
    for role in Role:
        wire = wires[role]
        report = wire.report(role)
        for fact in FACTS_OF[role] if report.driven else FACTS_OF_OTHERS:
            reports = fact.reports
            reported = getattr(report, reports) if isinstance(reports, str) else reports(wire, role)
            if reported is None:
                continue
            shown = fact.shown(wire, role)
            if shown is not None and reported not in shown.allowed:
                yield contradiction(role, fact.name, reported, shown)
    wire = wires[Role.CLIENT]
    if wire.connection.client.driven:
        yield from offers(wire)
        yield from taken(wire)
