"""The behaviours that other projects' tests know, and whether a scenario shows each: docs/peers.md is made of it.

``python -m harness.tests.project.peers`` prints the counts by area.
"""

from __future__ import annotations

import ast
import csv
import re
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from harness.model.knobs import knobs_of
from harness.model.tls import Role
from harness.story.steps import KINDS

ROOT = Path(__file__).parents[3]
TABLE = Path(__file__).with_name("peers.csv")
MOST_OUT_OF_REACH = 13
MUTATION = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)


class State(StrEnum):
    """What the harness makes of a behaviour."""

    COVERED = "covered"
    """A scenario shows it: ``where`` has ``file::test`` or ``mutation:Name``, all of which must exist."""
    EXPRESSIBLE = "expressible"
    """A story can say it, and no scenario does: ``where`` has ``knob:name`` and ``step:name``."""
    OUT = "out"
    """No story can say it; ``where`` is the reason."""
    ABSENT = "absent"
    """OpenSSL does not have it; ``where`` is the reason."""


HEAD = """\
# What other test suites know

`python docs/generate.py` makes this page from `harness/tests/project/peers.csv`: the behaviours of resumption that the
tests of OpenSSL, BoringSSL (ssl_test.cc, and BoGo, its runner), GnuTLS, NSS, Mbed TLS, nginx and tlsfuzzer know, and
what the manual pages and advisories of OpenSSL promise. A test fails if a row names a scenario, a mutation, a knob or a
step that does not exist, and if more than {most} behaviours that OpenSSL has are out of reach.
`python -m harness.tests.project.peers` prints the counts.
"""
MEANINGS = {
    State.COVERED: "a scenario shows it",
    State.EXPRESSIBLE: "a story can say it, and no scenario does",
    State.OUT: "out of reach",
    State.ABSENT: "OpenSSL does not have it",
}


@dataclass(frozen=True)
class Behaviour:
    """One row of the table."""

    area: str
    behaviour: str
    known_by: str
    """A test, or a page, of another project that knows it."""
    state: State
    where: str


def behaviours() -> list[Behaviour]:
    """Every row, in the order of the table."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="|")
        return [
            Behaviour(row["area"], row["behaviour"], row["known by"], State(row["state"]), row["where"]) for row in rows
        ]


@cache
def _tests(stem: str) -> frozenset[str]:
    """The tests of a scenario file, without their prefix; empty if there is no such file."""
    path = ROOT / "scenarios" / f"{stem}.py"
    found = ast.parse(path.read_text(encoding="utf-8")).body if path.is_file() else []
    return frozenset(node.name.removeprefix("test_") for node in found if isinstance(node, ast.FunctionDef))


@cache
def _mutations() -> frozenset[str]:
    return frozenset(MUTATION.findall((ROOT / "docs" / "mutations.md").read_text(encoding="utf-8")))


def exists(word: str) -> bool:
    """Whether there is a scenario ``file::test``, or a ``mutation:Name``, ``knob:name`` or ``step:name``."""
    kind, _, name = word.replace("::", ":").partition(":")
    if kind == "mutation":
        return name in _mutations()
    if kind == "knob":
        return any(name in knobs_of(role) for role in Role)
    if kind == "step":
        return name in KINDS
    return name in _tests(kind)


def wrong(row: Behaviour) -> str:
    """What a row claims and the code does not have; empty if nothing is wrong."""
    if row.state in {State.OUT, State.ABSENT}:
        return "" if " " in row.where else f"{row.behaviour}: {row.state} without a reason"
    named = row.where.split()
    kinds = {word.partition(":")[0] for word in named}
    if (row.state is State.EXPRESSIBLE) != bool(kinds & {"knob", "step"}) or not named:
        return f"{row.behaviour}: {row.state} by {row.where!r}"
    missing = [word for word in named if not exists(word)]
    return f"{row.behaviour}: no {', '.join(missing)}" if missing else ""


def counts(rows: list[Behaviour]) -> dict[str, Counter[State]]:
    """How many behaviours of each area are in each state."""
    found: dict[str, Counter[State]] = {}
    for row in rows:
        found.setdefault(row.area, Counter())[row.state] += 1
    return found


def _table(rows: list[Behaviour]) -> list[str]:
    heads = ["area", *State]
    lines = [f"| {' | '.join(heads)} |", f"|---|{'---|' * len(State)}"]
    found = counts(rows)
    lines += [f"| {area} | {' | '.join(str(found[area][state]) for state in State)} |" for area in found]
    total = Counter(row.state for row in rows)
    return [*lines, f"| all {len(rows)} | {' | '.join(str(total[state]) for state in State)} |"]


def _shown(row: Behaviour) -> str:
    if row.state in {State.OUT, State.ABSENT}:
        return row.where
    words = [word.replace("::", ".py::test_") if "::" in word else word.replace(":", " ") for word in row.where.split()]
    return ", ".join(f"`{word}`" for word in words)


def page() -> str:
    """docs/peers.md."""
    rows = behaviours()
    lines = [*HEAD.format(most=MOST_OUT_OF_REACH).splitlines(), "", *_table(rows), ""]
    for state in (State.OUT, State.ABSENT, State.EXPRESSIBLE, State.COVERED):
        chosen = [row for row in rows if row.state is state]
        said = "why" if state in {State.OUT, State.ABSENT} else "by"
        lines += [f"## {MEANINGS[state].capitalize()}".replace("Openssl", "OpenSSL"), ""]
        lines += [f"| area | behaviour | known by | {said} |", "|---|---|---|---|"]
        lines += [f"| {row.area} | {row.behaviour} | {row.known_by} | {_shown(row)} |" for row in chosen]
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"


if __name__ == "__main__":
    print("\n".join(_table(behaviours())))  # noqa: T201 - it is what the command is for
