"""Summarises a run: counts, matrix, unsupported cells, and failures with their reasons."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from harness.report.run.matrix_text import without_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harness.report.json.shapes import CellObject, ResultsObject

VERDICTS = ("failed", "error", "passed", "unsupported")
"""The most important first."""
BAD = frozenset({"failed", "error"})
ASSERTED = re.compile(r"assert (full|declined|resumed|aborted) ")
RESUMED_BUT = "resumed_but"
NO_REASON = "no reason was given"


@dataclass(frozen=True)
class Matrix:
    """The pairs of a run. Both lists are in the order of the run."""

    clients: Sequence[str]
    servers: Sequence[str]
    counts: Mapping[tuple[str, str], Counter[str]]
    """Cells by verdict, for each pair of client and server."""
    tests: Mapping[tuple[str, str], tuple[int, int]]
    """For each pair, how many tests have a cell that did not pass, and how many have a cell that ran."""


def counted(cells: Iterable[CellObject]) -> dict[str, int]:
    """How many cells had each verdict, all four, in the order of VERDICTS."""
    counts = Counter(cell["verdict"] for cell in cells)
    return {verdict: counts.get(cast("Any", verdict), 0) for verdict in VERDICTS}


def totals(cells: Sequence[CellObject]) -> str:
    """``12 cells: 1 failed, 9 passed, 2 unsupported``; verdicts that did not occur are left out."""
    counts = ", ".join(f"{count} {verdict}" for verdict, count in counted(cells).items() if count)
    return f"{len(cells)} cell{'' if len(cells) == 1 else 's'}{': ' if counts else ''}{counts}"


def matrix(results: ResultsObject) -> Matrix:
    """The matrix of all ends that have a cell."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    bad: dict[tuple[str, str], set[str]] = {}
    ran: dict[tuple[str, str], set[str]] = {}
    for cell in results["cells"]:
        place = cell["client"], cell["server"]
        counts.setdefault(place, Counter())[cell["verdict"]] += 1
        for tests, counted_here in ((bad, cell["verdict"] in BAD), (ran, cell["verdict"] != "unsupported")):
            tests.setdefault(place, set()).update([cell["scenario"]] * counted_here)
    clients = [*results["clients"], *(client for client, _ in counts)]
    servers = [*results["servers"], *(server for _, server in counts)]
    met = ({client for client, _ in counts}, {server for _, server in counts})
    return Matrix(
        [client for client in dict.fromkeys(clients) if client in met[0]],
        [server for server in dict.fromkeys(servers) if server in met[1]],
        counts,
        {place: (len(bad[place]), len(ran[place])) for place in counts},
    )


def share_class(bad: int, ran: int) -> str:
    """The shade for a share of failing tests: at most a tenth, at most half, more; empty if none fails."""
    if not bad:
        return ""
    return "few" if bad * 10 <= ran else "some" if bad * 2 <= ran else "many"


def unsupported_reasons(cells: Iterable[CellObject]) -> list[tuple[str, int]]:
    """How many cells each reason made UNSUPPORTED, the most frequent first; a knob is one reason for all its values."""
    reasons = Counter(headline(cell) for cell in cells if cell["verdict"] == "unsupported")
    return sorted(reasons.items(), key=lambda item: (-item[1], item[0]))


def failures(cells: Iterable[CellObject]) -> list[CellObject]:
    """The cells that failed or are an ERROR, by scenario."""
    return sorted((cell for cell in cells if cell["verdict"] in BAD), key=lambda cell: (cell["scenario"], cell["cell"]))


def headline(cell: CellObject) -> str:
    """The first line of the reason, for UNSUPPORTED without the knob's value; empty if the cell passed."""
    lines = cell["reason"].split("\n", 1)[0].strip()
    if cell["verdict"] == "passed":
        return ""
    return (without_value(lines) if cell["verdict"] == "unsupported" else lines) or NO_REASON


def connections(cell: CellObject) -> Sequence[Mapping[str, Any]]:
    """The connections of a cell; empty if there are none."""
    return cell["case"]["connections"] if cell["case"] else ()


def outcomes(cell: CellObject) -> list[str]:
    """The outcome of each connection; ``disagreement`` if the witnesses disagree."""
    return [connection["outcome"] or "disagreement" for connection in connections(cell)]


def explained(cell: CellObject) -> list[Mapping[str, Any]]:
    """The connections that have an explanation, the last one first."""
    return [connection for connection in reversed(connections(cell)) if connection.get("explanation")]


def blamed(cell: CellObject) -> Mapping[str, Any] | None:
    """The most likely reason of a failed assert about an outcome; None if unknown.

    An assert names the outcome that it found. Where connections with that outcome have different reasons, it is not
    known which of them it was about, and the wrong reason is worse than none.
    """
    found = ASSERTED.match(headline(cell))
    if cell["verdict"] != "failed" or not found:
        return None
    meant = [connection for connection in connections(cell) if connection["outcome"] == found[1]]
    explanations = {
        tuple(one["reason"] for one in _findings(connection)): _findings(connection) for connection in meant
    }
    return next(iter(explanations.values()))[0] if len(explanations) == 1 and () not in explanations else None


def _findings(connection: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Why it was not resumed; caveats of a resumed connection do not explain a failure."""
    explanation = connection.get("explanation") or {"question": RESUMED_BUT, "findings": []}
    return [] if explanation["question"] == RESUMED_BUT else explanation["findings"]


def seen(cell: CellObject) -> str:
    """Why the last connection of a cell that passed was not resumed, in one sentence; empty if it was."""
    last = _findings(connections(cell)[-1]) if connections(cell) else []
    return last[0]["title"] if last and cell["verdict"] == "passed" else ""


def why(cell: CellObject) -> str:
    """Why the cell did not pass, in one sentence: the reason if known, else the headline."""
    found = blamed(cell)
    return found["title"] if found else headline(cell)


def breaches(cell: CellObject) -> dict[str, Mapping[str, Any]]:
    """The rules that its connections break, by name, each as in the first connection that breaks it."""
    found: dict[str, Mapping[str, Any]] = {}
    for connection in connections(cell):
        for breach in connection.get("breaches", ()):
            found.setdefault(breach["rule"], breach)
    return found


@dataclass(frozen=True)
class BrokenRule:
    """A rule that connections of a run break."""

    breach: Mapping[str, Any]
    """As in the first connection that breaks it."""
    cells: int
    failed: int
    """How many of the cells failed."""
    ends: Sequence[str]
    """The ``stack@build`` of the ends that can break it, in order."""


def broken_rules(cells: Iterable[CellObject]) -> list[BrokenRule]:
    """The rules that are broken: each MUST before each SHOULD, then the most frequent first."""
    found: dict[str, list[CellObject]] = {}
    first: dict[str, Mapping[str, Any]] = {}
    for cell in cells:
        for name, breach in breaches(cell).items():
            found.setdefault(name, []).append(cell)
            first.setdefault(name, breach)
    made = [
        BrokenRule(first[name], len(group), sum(cell["verdict"] in BAD for cell in group), _ends(first[name], group))
        for name, group in found.items()
    ]
    return sorted(made, key=lambda rule: (rule.breach["level"], -rule.cells, rule.breach["rule"]))


def _ends(breach: Mapping[str, Any], cells: Iterable[CellObject]) -> list[str]:
    roles = ("client", "server") if breach["who"] is None else (breach["who"],)
    return sorted({cast("Any", cell)[role] for cell in cells for role in roles})


def kinds(cells: Iterable[CellObject]) -> list[tuple[int, CellObject]]:
    """The cells that did not pass by verdict, test, headline and reason: the count and one example, most first."""
    found: dict[tuple[str, ...], list[CellObject]] = {}
    for cell in failures(cells):
        reason = (blamed(cell) or {"reason": ""})["reason"]
        found.setdefault((cell["verdict"], cell["scenario"], headline(cell), reason), []).append(cell)
    return sorted(((len(group), group[0]) for group in found.values()), key=lambda kind: -kind[0])


def reasons(cell: CellObject) -> list[str]:
    """The names of the reasons of all its connections, each once."""
    return list(dict.fromkeys(one["reason"] for c in explained(cell) for one in c["explanation"]["findings"]))


def stack(label: str) -> str:
    """``libssl`` of ``libssl@3.0.19``."""
    return label.partition("@")[0]


def build(label: str) -> str:
    """``3.0.19`` of ``libssl@3.0.19``."""
    return label.partition("@")[2]
