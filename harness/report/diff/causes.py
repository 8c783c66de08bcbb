"""Groups the differences of two runs by cause: what changes in the same cells is one, headed by what matters most."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from harness.report.diff.difference import ABSENT, NONE, differences
from harness.report.json.shapes import CellObject

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from harness.report.json.shapes import CauseObject, DifferenceObject

    Key = tuple[str, str]
    """Scenario and id of a cell without its builds."""

STRENGTHS = ("outcome", "mechanism", "alert", "tickets", "counters", "session", "wire")
"""What a cause can be headed by, the strongest first; `wire` is everything else that a connection shows."""
OTHER_NAMES = {
    "disagreement": "outcome",
    "connection": "outcome",
    "verdict": "outcome",
    "renegotiation_resumed": "mechanism",
    "was_offered": "mechanism",
}
OUTCOME, BY_VALUE = STRENGTHS.index("outcome"), STRENGTHS.index("tickets")
"""The strongest, and the last one of which two values are two causes; of what is weaker, all values are one."""
LENGTH = re.compile(r"messages\.(?P<message>\w+\.\w+)\.length")
"""How long a message is follows from what it holds, and from a hello: a server asks for what it offers as a client."""
IN_HELLO, IN_SESSION = "hellos.", "session."
GROUP, KEX_GROUP = re.compile(r"endpoints\.\w+\.(?:group|peer_temp_key)"), "session.kex_group"
"""The group of a connection and its key are those of its session."""
TICKET_LENGTH, TICKET_SENT = "session.ticket_length", "server.NewSessionTicket"
"""A ticket is as long as the fields of the session in it."""
EXTENSIONS = re.compile(r"(?P<fields>messages\.\w+\.\w+\.fields\.)extensions")
"""The names of a message's extensions, of which some are fields of their own."""
MANY, FEW = 0.25, 10
"""The share of all changed cells above which a cause has a smaller one's cells by chance, and does not explain it.

Of few cells it is the half.
"""
TOGETHER, HALF = 0.9, 0.5
"""The share of the cells of a weaker difference that a cause must have for it to be one of its consequences."""


@dataclass(frozen=True)
class Cause:
    """What changed in some cells, with what changed beside it."""

    observable: str
    before: str
    after: str
    values: int
    """How many different pairs of values it has; the most frequent is shown."""
    cells: tuple[Key, ...]
    connection: int | None
    """That of the first cell."""
    beside: tuple[str, ...]
    """The weaker observables that changed in the same cells."""
    changes: tuple[tuple[str, str, str], ...] = ()
    """The observable and the most frequent values, before and after, of each change beside it."""
    declared: str = ""
    """``declared in scenarios/x.py, since 3.2 (for *@>=3.2, …)``; empty if no scenario declares it."""
    options: str = ""
    """The options of the builds that explain it, ``zstd with libssl@3.5.9 alone``; empty if they do not."""
    table: tuple[tuple[str, str], ...] = ()
    """``3.0.13-3.1.5`` and the value, in the order of the versions."""
    between: tuple[str, ...] = ()
    """The last build without the change and the first one with it, of those that are here."""
    commit: str = ""
    """The commit that it comes from, with its date and title; empty if nobody looked for it."""
    command: str = ""
    """Runs the first cell again on the second build."""

    @property
    def strength(self) -> str:
        """One of STRENGTHS."""
        return STRENGTHS[rank(self.observable)]

    @property
    def names(self) -> tuple[str, ...]:
        """Its observable; of the weakest also those beside it, which are as weak, so that any of them could lead it."""
        return (self.observable, *self.beside) if self.strength == STRENGTHS[-1] else (self.observable,)

    def to_json(self) -> CauseObject:
        """Return it as JSON."""
        return {
            "observable": self.observable,
            "strength": self.strength,
            "before": self.before,
            "after": self.after,
            "values": self.values,
            "cells": len(self.cells),
            "scenarios": sorted({scenario.partition("::")[0] for scenario, _ in self.cells}),
            "beside": list(self.beside),
            "declared": self.declared or None,
            "options": self.options or None,
            "since": self.between[-1] if self.between else None,
            "not_in": self.between[0] if self.between else None,
            "commit": self.commit or None,
            "table": [{"builds": builds, "value": value} for builds, value in self.table],
            "command": self.command,
        }


def rank(observable: str) -> int:
    """Return the place of an observable in STRENGTHS."""
    head = observable.partition(".")[0]
    name = OTHER_NAMES.get(head, head)
    return STRENGTHS.index(name) if name in STRENGTHS else len(STRENGTHS) - 1


@dataclass
class _Change:
    """All places of one difference, or of one weak observable."""

    observable: str
    cells: dict[Key, int | None] = field(default_factory=dict)
    """The connection in each cell."""
    values: dict[Key, tuple[str, str]] = field(default_factory=dict)
    """Before and after in each cell."""

    @property
    def pairs(self) -> Counter[tuple[str, str]]:
        """Each pair of values with how many cells have it."""
        return Counter(self.values[key] for key in self.cells)

    @property
    def frequent(self) -> tuple[str, str]:
        """Its most frequent values."""
        return self.pairs.most_common(1)[0][0]

    def without(self, keys: Collection[Key]) -> _Change:
        """Return the change in the other cells, those with the most frequent values first."""
        rest = {key: connection for key, connection in self.cells.items() if key not in keys}
        left = replace(self, cells=rest)
        best = left.frequent
        return replace(left, cells=dict(sorted(rest.items(), key=lambda one: self.values[one[0]] != best)))


def causes(found: Iterable[DifferenceObject]) -> list[Cause]:
    """Return the causes, sorted by strength and then by how many cells change."""
    changes: dict[tuple[str, ...], _Change] = {}
    for one in sorted(found, key=lambda one: -one["cells"]):  # the first cell is one of the most frequent values
        by_value = (one["before"], one["after"]) if rank(one["observable"]) <= BY_VALUE else ()
        change = changes.setdefault((one["observable"], *by_value), _Change(one["observable"]))
        for place in one["places"]:
            key = place["scenario"], place["cell"]
            change.cells.setdefault(key, place["connection"])
            change.values.setdefault(key, (one["before"], one["after"]))
    changed = len({key for change in changes.values() for key in change.cells})
    many = max(changed * MANY, min(changed / 2, FEW))
    made: list[tuple[_Change, list[_Change]]] = []
    for change in sorted(_without_fields(list(changes.values())), key=_order):
        heads = [one for one, _ in made]
        head = next((one for one, beside in made if _follows(change, [one, *beside], many)), None)
        head = head or _covering(change, heads, many)
        alone = change if head else _alone(change, heads, many)
        head = head or next((one for one in heads if _is_as_weak(alone, one)), None)
        if head is None:
            made.append((alone, []))
        else:
            next(beside for one, beside in made if one is head).append(change)
    return [_cause(head, beside) for head, beside in made]


def _without_fields(changes: Sequence[_Change]) -> Iterator[_Change]:
    """The changes; names of extensions change only where one comes or goes that has not a field of its own."""
    cells = {change.observable: change.cells for change in changes}
    for change in changes:
        shown = set()
        if found := EXTENSIONS.fullmatch(change.observable):
            for key, both in change.values.items():
                before, after = ({*text.split(", ")} - {NONE} for text in both)
                if before != after and all(key in cells.get(found["fields"] + name, ()) for name in before ^ after):
                    shown.add(key)
        if not shown:
            yield change
        elif change.cells.keys() - shown:
            yield change.without(shown)


def _is_as_weak(change: _Change, head: _Change) -> bool:
    """Whether it is in the same cells as a head that is as weak, once both lack what follows from others."""
    return rank(change.observable) == rank(head.observable) and change.cells.keys() == head.cells.keys()


def _alone(change: _Change, heads: Iterable[_Change], many: float) -> _Change:
    """A weak difference where no outcome, mechanism, alert or number of tickets changes: there it follows from that.

    A ticket's length follows from the session in it, too.
    """
    if rank(change.observable) <= BY_VALUE:
        return change
    strong = [one for one in heads if rank(one.observable) <= BY_VALUE and len(one.cells) <= many]
    if change.observable == TICKET_LENGTH:
        strong += [one for one in heads if one.observable.startswith(IN_SESSION)]
    there = {key for one in strong for key in one.cells}
    return change.without(there) if change.cells.keys() - there else change


def _order(change: _Change) -> tuple[int, bool, int]:
    """The strongest first; how long a message is comes last, as it follows from what is in it."""
    follows = bool(LENGTH.fullmatch(change.observable)) or change.observable == TICKET_LENGTH
    return rank(change.observable), follows, -len(change.cells)


def _cause(head: _Change, beside: Sequence[_Change]) -> Cause:
    cells = tuple(head.cells)
    return Cause(
        head.observable,
        *head.frequent,
        values=len(head.pairs),
        cells=cells,
        connection=head.cells[cells[0]],
        beside=tuple(dict.fromkeys(other.observable for other in beside if other.observable != head.observable)),
        changes=tuple((other.observable, *other.frequent) for other in beside),
    )


def _follows(other: _Change, cause: Sequence[_Change], many: float) -> bool:
    """Whether a difference is a consequence of the first one of a cause: it happens only, or nearly only, there.

    What a change in more than ``many`` cells brings about changes in nearly all of them, but for an outcome, on which
    all else depends. How long a message is follows from any difference of the cause.
    """
    head = cause[0]
    common = len(other.cells.keys() & head.cells.keys())
    if found := LENGTH.fullmatch(other.observable):
        holder = IN_SESSION if found["message"] == TICKET_SENT else f"messages.{found['message']}."
        hellos = {key for one in cause if one.observable.startswith(IN_HELLO) for key in one.cells}
        if len(other.cells.keys() & hellos) >= TOGETHER * len(other.cells):
            return True
        return common >= HALF * len(other.cells) and head.observable.startswith(holder)
    if GROUP.fullmatch(other.observable) and head.observable == KEX_GROUP:
        return common >= TOGETHER * len(other.cells)
    if other.observable == TICKET_LENGTH and head.observable.startswith(IN_SESSION):
        return common >= TOGETHER * len(other.cells)
    if rank(other.observable) == rank(head.observable):
        return other.cells.keys() == head.cells.keys()
    is_wide = len(head.cells) > many and rank(head.observable) > OUTCOME
    return common >= TOGETHER * max(len(other.cells), len(head.cells) if is_wide else 0)


def _covering(change: _Change, heads: Iterable[_Change], many: float) -> _Change | None:
    """The one with the most cells in common of the stronger ones that have, together, nearly all cells of a change.

    Of a ticket's length they are all differences of the session in it.
    """
    stronger = [one for one in heads if rank(one.observable) < rank(change.observable) and len(one.cells) <= many]
    if change.observable == TICKET_LENGTH:
        stronger += [one for one in heads if one.observable.startswith(IN_SESSION)]
    covered = {key for one in stronger for key in one.cells}
    if not stronger or len(change.cells.keys() & covered) < TOGETHER * len(change.cells):
        return None
    return max(stronger, key=lambda one: len(one.cells.keys() & change.cells.keys()))


def over_builds(cause: Cause, runs: Sequence[tuple[str, Mapping[Key, CellObject]]], until: str = "") -> Cause:
    """Return the cause with its value in the first cell on each build; ``runs`` are in the order of the versions.

    ``until`` is the later one of the two builds: the change lies before it.
    """
    key = cause.cells[0]
    there = [(version, cells[key]) for version, cells in runs if key in cells and cells[key]["case"]]
    if not there:
        return cause
    base = dict(there).get(until, there[-1][1])
    values = [(version, _value(cause, base, cell)) for version, cell in there]
    same = next((found[0] for _, found in values if found), cause.after)
    spans = []
    for value, group in groupby(values, key=lambda one: one[1][1] if one[1] else same):
        spans.append(([version for version, _ in group], value))
    return replace(
        cause,
        table=tuple((span(versions), value) for versions, value in spans),
        between=_last_change([versions for versions, _ in spans], until),
    )


def _value(cause: Cause, base: CellObject, cell: CellObject) -> tuple[str, str] | None:
    """The value of a cause in the base and in another cell; None if they are equal.

    Where the other cell lacks what holds the observable, such as an extension with a length, its value is that of the
    holder.
    """
    found = {one.observable: one for one in differences(CellObject, base, cell) if one.connection == cause.connection}
    words = cause.observable.split(".")
    for count in range(len(words), 0, -1):
        one = found.get(".".join(words[:count]))
        if one and count == len(words):
            return one.before, one.after
        if one and one.after in {ABSENT, NONE}:
            return cause.after, one.after
    return None


def span(versions: Sequence[str]) -> str:
    """Return ``3.0.13-3.1.5`` for neighbouring builds, the oldest first."""
    return versions[0] if len(versions) == 1 else f"{versions[0]}-{versions[-1]}"


def _last_change(spans: Sequence[Sequence[str]], until: str) -> tuple[str, ...]:
    """The two builds around the last change before a build, or at it."""
    for older, newer in pairwise(spans):
        if until in newer:
            return older[-1], newer[0]
    return ()
