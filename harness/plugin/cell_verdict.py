"""From a cell's connections to its verdict, and to the record and the evidence that it leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.explain.proof.check import false_evidence
from harness.explain.rules import RULES, breaches_of
from harness.matrix.known_breaches import known_breach
from harness.model.errors import DisagreementError, EvidenceError, HarnessError
from harness.model.rule import Level
from harness.model.tls import Role
from harness.model.verdict import Verdict
from harness.report.json.brief import brief_case
from harness.report.json.encode import case_json
from harness.reproduce.recorded import recorded

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.matrix.cells import Cell
    from harness.matrix.expectation import Differs
    from harness.model.connection import Connection, Counters
    from harness.model.knobs import Config
    from harness.model.rule import Breach, Rule
    from harness.pair.pair import Pair
    from harness.report.json import shapes
    from harness.report.json.shapes import CellObject, DeclaredObject
    from harness.serve.visits import Visits

SEVERITY = (Verdict.PASSED, Verdict.UNSUPPORTED, Verdict.FAILED, Verdict.ERROR)


@dataclass
class CellState:
    """What is known of a cell while its test runs."""

    cell: Cell
    id: str
    """The cell's id, with what a test's own cases add to it."""
    scenario: str
    """The file and the test."""
    pair: Pair | Visits | None = None
    over: Literal["memory", "both"] | None = None
    """How its ends met; None if over TCP alone."""
    verdict: Verdict = Verdict.PASSED
    reason: str = ""
    lost: bool = False
    """Whether an ERROR is the harness's own: it says nothing about a build."""
    seconds: float = 0.0
    folder: Path | None = None
    case: shapes.CaseObject | None = None
    compared: tuple[str, str] | None = None
    """Both values of the comparison that did not hold last."""
    assertion: shapes.AssertionObject | None = None
    counters: Counters | None = None
    """The server's, as they were when the case was described."""

    @property
    def connections(self) -> Sequence[Connection]:
        """Every connection that was closed, in order."""
        return self.pair.connections if self.pair else ()

    @property
    def opened(self) -> int:
        """How many connections were begun."""
        return self.pair.opened if self.pair else 0

    def judge(self, verdict: Verdict, reason: str, *, lost: bool = False) -> None:
        """Keep the more severe verdict, with the first reason for it."""
        if SEVERITY.index(verdict) > SEVERITY.index(self.verdict):
            self.verdict, self.reason, self.lost = verdict, reason, lost

    def record(self, *, whole: bool) -> CellObject:
        """Return the cell as in results.json; one that passed is brief unless ``whole``."""
        bad = self.verdict in {Verdict.FAILED, Verdict.ERROR}
        cell: CellObject = {
            "cell": self.id,
            "scenario": self.scenario,
            "client": self.cell.client_stack.label,
            "server": self.cell.server_stack.label,
            "tls": self.cell.tls.value,
            "verdict": self.verdict.value,
            "reason": self.reason,
            "seconds": round(self.seconds, 6),
            "folder": str(self.folder) if self.folder else None,
            "lost": self.lost,
            "assertion": self.assertion,
            "case": self.case if whole or bad or self.case is None else brief_case(self.case),
        }
        if self.over is not None:
            cell["over"] = self.over
        if self.pair is not None and self.pair.declared:
            cell["declared"] = self._declared(self.pair.declared)
        return cell

    @staticmethod
    def _declared(differences: Sequence[Differs[object]]) -> list[DeclaredObject]:
        """Each difference once; a test that compares two connections asks for one twice."""
        found: list[DeclaredObject] = []
        for one in differences:
            entry: DeclaredObject = {
                "role": "client" if one.role is Role.CLIENT else "server",
                "builds": one.builds,
                "seen": one.seen.isoformat(),
                "evidence": one.evidence,
            }
            if entry not in found:
                found.append(entry)
        return found

    def _counters(self) -> Counters | None:
        """The server's; not asked for after an ERROR, for which an endpoint that no longer answers may be the cause."""
        if self.pair is None or self.verdict is Verdict.ERROR:
            return None
        try:
            return self.pair.last_counters()
        except HarnessError:
            return None

    def describe(self) -> None:
        """Make the case's object, while its endpoints are open."""
        if self.pair is None:
            return
        self.counters = self._counters()
        about = f"{self.scenario}[{self.id}]"
        first, last = (self.cell.client, self.cell.server), (self.pair.client_config, self.pair.server_config)
        self.case = case_json(
            self.cell.client_stack.label,
            self.cell.server_stack.label,
            self.cell.tls,
            self.connections,
            self.counters,
            first,
            then=(changes(first[0], last[0]), changes(first[1], last[1])),
            # A program is started and configured by the scenario, which no story can say.
            story=None if self.cell.program else recorded(self.connections, self.pair.actions_since, about),
        )


def changes(first: Config, last: Config) -> dict[str, object]:
    """The knobs that have another value at the end than at the beginning."""
    before = first.given()
    return {name: value for name, value in last.given().items() if before.get(name) != value}


def is_set_to_break(rule: Rule, connection: Connection) -> bool:
    """Whether an end that can break the rule is set to break one: the knob ``mutation``, or the tap."""
    if connection.tampered:
        return True
    setup = connection.setup
    roles = [rule.who] if rule.who else list(Role)
    return setup is not None and any(setup.config(role).mutation is not None for role in roles)


def disagreement(connections: Sequence[Connection]) -> str:
    """Return every connection about which the witnesses disagree, with the evidence; empty if there is none."""
    return "\n".join(connection.describe() for connection in connections if connection.disagreement)


def undeclared(state: CellState) -> str:
    """Say which rules of the RFCs a cell breaks undeclared, and which it was declared to break and keeps.

    Empty if what happened is what was declared. A SHOULD that is broken needs no declaration, and a MUST that is known
    to be broken by those builds (`KNOWN_BREACHES`) needs none of its own. UnsupportedError if a breach is declared that
    nobody can see, as neither end has a key log.
    """
    if state.pair is None:
        return ""
    broken: set[str] = set()
    unknown: dict[str, tuple[Connection, Breach]] = {}
    for connection in state.connections:
        for breach in breaches_of(state.connections, connection):
            broken.add(breach.rule.name)
            if known := known_breach(breach.rule.name, connection):
                state.pair.declared.append(known)
            elif not is_set_to_break(breach.rule, connection):
                unknown.setdefault(breach.rule.name, (connection, breach))
    declared = {name: expected.of(state.pair) for name, expected in state.cell.breaks.items()}
    unseen = [why for connection in state.connections if (why := connection.sealed()) is not None]
    if unseen and any(expected and name not in broken for name, expected in declared.items()):
        raise unseen[0]
    lines = [
        f"connection {connection.number} breaks the rule {name}, and the scenario does not declare it: {breach.title}\n"
        + "".join(f"  {line}\n" for line in breach.evidence)
        for name, (connection, breach) in unknown.items()
        if not declared.get(name) and (breach.rule.level is Level.MUST or name in declared)
    ]
    lines += [
        f"no connection breaks the rule {name}, and the scenario declares that one does: {RULES[name].sentence}\n"
        for name, expected in declared.items()
        if expected and name not in broken
    ]
    return "".join(lines).rstrip()


def problem(connections: Sequence[Connection], opened: int) -> HarnessError | None:
    """What makes an ERROR of a test whose asserts all held: witnesses that differ, false evidence, an unseen end.

    ``opened`` counts the connections that were begun: one that was never closed does not go unjudged, and a test that
    begins none does not pass.
    """
    if not opened:
        return HarnessError("the test made no connection, so it shows nothing of its endpoints; call pair.connect()")
    if differing := disagreement(connections):
        return DisagreementError(differing)
    if lies := false_evidence(connections):
        return EvidenceError("\n".join(lies))
    if opened > len(connections):
        return HarnessError(
            f"{opened - len(connections)} of {opened} connections were never closed, so they have no outcome; "
            f"close() each one that the scenario opens"
        )
    unseen = [str(connection.number) for connection in connections if not connection.asserted]
    if unseen:
        return HarnessError(
            f"no assert checked connection {', '.join(unseen)} of {len(connections)}; assert the outcome of each one"
        )
    return None
