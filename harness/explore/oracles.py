"""The oracles: what in a story that is run on several builds, calls for an explanation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from harness.explain.rules import breaches_of
from harness.explore import model
from harness.explore.observe import COUNTED, Value, counters_before, literal, observed, outcome_of
from harness.explore.play import CRASHED, LOST
from harness.matrix.known_breaches import known_breach
from harness.model.rule import Level
from harness.model.tls import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.explore.play import Played

BUILDS, MODEL, RULES, WITNESSES, COUNTERS, MEMORY, ENDS = (
    *("builds", "model", "rules", "witnesses", "counters"),
    *("memory", "ends"),
)
"""The names of the oracles."""
KEPT, BROKEN = "kept", "broken"


@dataclass(frozen=True)
class Suspicion:
    """Something that an oracle objects to."""

    oracle: str
    what: str
    """The observable, law or rule."""
    connection: int
    """Its number; 0 for the whole story."""
    values: tuple[tuple[str, str], ...]
    """What each build shows, by ``stack@build``; of a law, KEPT or BROKEN."""
    expect: str = ""
    """What must hold instead, as an expectation; empty if none can say it."""
    beside: tuple[str, ...] = ()
    """Weaker observables that differ in the same connection."""

    @property
    def key(self) -> tuple[str, ...]:
        """What makes two suspicions the same one: the oracle, the subject and the value of each build."""
        return (self.oracle, self.what, *(value for _, value in self.values))

    @property
    def title(self) -> str:
        """Return ``hits: 1 | 2`` with the builds, in one line."""
        where = f" of connection {self.connection}" if self.connection else ""
        return f"{self.what}{where}: {spans(self.values)}"


def spans(values: Sequence[tuple[str, str]]) -> str:
    """Return ``3.0.13 aborted | 3.0.15-3.5.9 declined``, each run of builds with the same value once."""
    found: list[tuple[list[str], str]] = []
    for label, value in values:
        build = label.partition("@")[2]
        if found and found[-1][1] == value:
            found[-1][0].append(build)
        else:
            found.append(([build], value))
    return " | ".join(f"{'-'.join(dict.fromkeys((group[0], group[-1])))} {value}" for group, value in found)


def suspicions(played: Sequence[Played]) -> list[Suspicion]:
    """Return what the oracles object to, the strongest first; ``played`` is one story, on each build once."""
    found = [*ends(played), *(each for oracle in SINGLE for each in _merged(oracle, played)), *between_builds(played)]
    return list({(*each.key, str(each.connection)): each for each in found}.values())


def ends(played: Sequence[Played]) -> Iterator[Suspicion]:
    """A crash, an agent that the harness lost, or a step that one build refuses and another does not."""
    for bad in (CRASHED, LOST):
        if any(one.ended == bad for one in played):
            values = tuple((one.label, f"{bad} at {one.why}" if one.ended == bad else KEPT) for one in played)
            yield Suspicion(ENDS, bad, 0, values)
    stopped = {one.label: (f"{one.ended} at {one.why}" if one.ended else "done") for one in played}
    if len(set(stopped.values())) > 1 and not any(one.ended in {CRASHED, LOST} for one in played):
        yield Suspicion(BUILDS, "steps", 0, tuple(stopped.items()))


def between_builds(played: Sequence[Played]) -> Iterator[Suspicion]:
    """Each observable in which builds differ, connection by connection, up to the first whose outcome differs."""
    if len(played) < 2:  # noqa: PLR2004 - a difference is between two
        return
    numbered = [one.numbered() for one in played]
    for number in sorted(set.intersection(*(set(each) for each in numbered))):
        rows = {
            one.label: {v.path: v for v in observed(each[number], counters_before(one.connections, each[number]))}
            for one, each in zip(played, numbered, strict=True)
        }
        differing = [path for path in dict.fromkeys(chain.from_iterable(rows.values())) if _differs(path, rows)]
        over = "outcome" in differing  # it is the strongest, and the others follow from it
        for place, path in enumerate(differing[:1] if over else differing):
            shown = [row[path] for row in rows.values() if path in row]
            values = tuple((label, _text(row.get(path))) for label, row in rows.items())
            expect = f"connection[{number}].{path} == {literal(shown[0].shown)}"
            if path == "alert" and len({each.shown for each in shown}) == 1:  # it is another end that sends it
                expect = f"connection[{number}].alert.sender == {str(shown[0].compared).rpartition(' ')[2]}"
            yield Suspicion(BUILDS, path, number, values, expect, tuple(differing[place + 1 :]))
        if over:
            return


def _differs(path: str, rows: Mapping[str, Mapping[str, Value]]) -> bool:
    """Whether builds that show an observable show different values of it."""
    return len({_text(row[path]) for row in rows.values() if path in row}) > 1


def _text(value: object) -> str:
    """What is compared, for people; of a counter ``+1``, as it is by how much the connection raised it."""
    if not isinstance(value, Value) or value.compared is None:
        return "none"
    if isinstance(value.compared, bool):
        return str(value.compared).lower()
    return f"{value.compared:+}" if value.path in COUNTED else str(value.compared)


Found = tuple[str, int, str]
"""The subject, the number of the connection and what is expected instead."""


def laws(played: Played) -> Iterator[Found]:
    """What the model of resumption says."""
    for each in model.broken(played.connections):
        yield each.law, each.connection.number, each.expect


def rules(played: Played) -> Iterator[Found]:
    """The MUST rules of the RFCs."""
    for connection in played.connections:
        for breach in breaches_of(played.connections, connection):
            if breach.rule.level is Level.MUST and not known_breach(breach.rule.name, connection):
                number = connection.number
                yield breach.rule.name, number, f"{breach.rule.name} not in connection[{number}].broken_rules"


def witnesses(played: Played) -> Iterator[Found]:
    """The three witnesses, and the audit."""
    for connection in played.connections:
        if connection.disagreement:
            facts = ", ".join(dict.fromkeys(each.fact for each in connection.contradictions)) or "outcome"
            yield facts, connection.number, f"connection[{connection.number}].disagreement == none"


def counters(played: Played) -> Iterator[Found]:
    """The server's counter of hits against the resumptions that the wire shows."""
    for connection in played.connections:
        setup, after = connection.setup, connection.counters
        if setup is None or after is None or after.hits is None or setup.beside:
            continue
        if any(action.name == "renegotiate" for action in setup.during) or _overlapped(played, connection.number):
            continue
        before = counters_before(played.connections, connection)
        had = (before.hits if before else 0) or 0
        outcome = outcome_of(connection)
        want = had + (outcome == Outcome.RESUMED)
        if outcome in set(Outcome) - {Outcome.ABORTED} and after.hits != want:
            yield "hits", connection.number, f"connection[{connection.number}].hits == {want}"


def _overlapped(played: Played, number: int) -> bool:
    """Whether a connection was open while another one was begun."""
    return any(one.setup and number in one.setup.beside for one in played.connections)


SINGLE: Mapping[str, Callable[[Played], Iterator[Found]]] = {
    WITNESSES: witnesses,
    MODEL: laws,
    RULES: rules,
    COUNTERS: counters,
}
"""The oracles that need one build only."""


def _merged(oracle: str, played: Sequence[Played]) -> Iterator[Suspicion]:
    """What one oracle says of each build, as one suspicion for each subject."""
    found: dict[tuple[str, int], Suspicion] = {}
    for one in played:
        for what, number, expect in SINGLE[oracle](one):
            kept = found.setdefault(
                (what, number),
                Suspicion(oracle, what, number, tuple((each.label, KEPT) for each in played), expect),
            )
            values = tuple((label, BROKEN if label == one.label else value) for label, value in kept.values)
            found[what, number] = replace(kept, values=values)
    first: dict[str, Suspicion] = {}
    for each in found.values():
        first.setdefault(each.what, each)
    yield from first.values()
