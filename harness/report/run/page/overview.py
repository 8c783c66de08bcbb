"""The values of the page's templates: heading, matrix, groups of failures and filters."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

from harness.report.run.page.addresses import list_link
from harness.report.run.page.rows import LONGEST, choices
from harness.report.run.plain_text import moment
from harness.report.run.run_summary import (
    VERDICTS,
    blamed,
    breaches,
    broken_rules,
    build,
    counted,
    failures,
    headline,
    kinds,
    matrix,
    outcomes,
    reasons,
    share_class,
    stack,
    totals,
    unsupported_reasons,
    why,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.report.json.shapes import CellObject, ResultsObject
    from harness.report.run.earlier import Comparison

GROUPS = 25
"""Kinds of failures above the matrix."""
NOBODY: Counter[str] = Counter()
NO_TEST = (0, 0)
WITHOUT_SCRIPT = 200
"""Failing cells that the page shows without scripts."""


def overview(results: ResultsObject, unfinished: str, exit_status: int | None) -> dict[str, Any]:
    """Everything above the list of cells."""
    cells = results["cells"]
    counts = counted(cells)
    groups = grouped(cells)
    bad = failures(cells)
    return {
        "title": f"{totals(cells)} - resumption report",
        "total": len(cells),
        "counts": counts,
        "verdict_line": verdict_line(counts, len(cells)),
        "started": results["started"],
        "started_text": moment(results["started"]),
        "lasted": lasted(results["started"], results["finished"]),
        "ends": f"{_plural(results['clients'], 'client')}, {_plural(results['servers'], 'server')}",
        "exit_status": exit_status,
        "unfinished": unfinished,
        "bar": bar(counts),
        "groups": groups[:GROUPS],
        "more_groups": max(0, len(groups) - GROUPS),
        "failures": [_named(cell) for cell in bad[:WITHOUT_SCRIPT]],
        "more_failures": len(bad) > WITHOUT_SCRIPT,
        "matrix": places(results),
        "rules": [
            {
                "cells": rule.cells,
                "failed": rule.failed,
                "ends": ", ".join(rule.ends),
                "href": list_link(rule=rule.breach["rule"]),
                **{key: rule.breach[key] for key in ("rule", "level", "source", "sentence")},
            }
            for rule in broken_rules(cells)
        ],
        "unsupported": [
            {"count": count, "text": reason, "href": list_link(verdict="unsupported", headline=reason)}
            for reason, count in unsupported_reasons(cells)
        ],
        "schema": results["schema"],
    }


def verdict_line(counts: dict[str, int], total: int) -> str:
    """The run in one line, as a heading."""
    bad = [
        f"{counts[verdict]:,} {word}"
        for verdict, word in (("failed", "failed"), ("error", "errors"))
        if counts[verdict]
    ]
    if bad:
        return f"{' and '.join(bad)} of {total:,} cells"
    if counts["passed"]:
        return f"All {counts['passed']:,} cells that could run passed"
    return f"No cell ran: {counts['unsupported']:,} unsupported" if total else "No cells"


def bar(counts: dict[str, int]) -> list[dict[str, Any]]:
    """Parts of a bar of width 100; each part stays wide enough to see."""
    total = sum(counts.values()) or 1
    shares = {verdict: max(1.0, 100 * count / total) for verdict, count in counts.items() if count}
    scale, parts, begin = 100 / (sum(shares.values()) or 1), [], 0.0
    for verdict, share in shares.items():
        parts.append({"verdict": verdict, "x": round(begin, 2), "width": round(share * scale, 2)})
        begin += share * scale
    return parts


def grouped(cells: Iterable[CellObject]) -> list[dict[str, Any]]:
    """The cells that did not pass by kind, the most frequent first."""
    return [
        {
            "count": count,
            "verdict": cell["verdict"],
            "test": test_of(cell["scenario"]),
            "file": file_of(cell["scenario"]),
            "headline": headline(cell),
            "why": why(cell) if blamed(cell) else "",
            "href": list_link(verdict=cell["verdict"], scenario=cell["scenario"], headline=headline(cell)[:LONGEST]),
        }
        for count, cell in kinds(cells)
    ]


def places(results: ResultsObject) -> dict[str, Any]:
    """The matrix, row by row."""
    made = matrix(results)
    return {
        "servers": [_end(server) for server in made.servers],
        "rows": [
            {
                "client": _end(client),
                "places": [
                    {
                        "client": client,
                        "server": server,
                        "counts": (
                            found := [(v, n) for v in VERDICTS if (n := made.counts.get((client, server), NOBODY)[v])]
                        ),
                        "worst": found[0][0] if found else "empty",
                        "bad": made.tests.get((client, server), NO_TEST)[0],
                        "ran": made.tests.get((client, server), NO_TEST)[1],
                        "share": share_class(*made.tests.get((client, server), NO_TEST)),
                    }
                    for server in made.servers
                ],
            }
            for client in made.clients
        ],
    }


def filter_choices(results: ResultsObject, comparison: Comparison | None) -> dict[str, Any]:
    """The options of the filters, each with its number of cells."""
    cells = results["cells"]
    ends = choices(cells)
    made = [
        _filter("client", "Client", "every client", _counts(cell["client"] for cell in cells)),
        _filter("server", "Server", "every server", _counts(cell["server"] for cell in cells)),
        _filter("stack", "Stack, either end", "every stack", [(name, None) for name in ends["stack"]]),
        _filter("build", "Build, either end", "every build", [(name, None) for name in ends["build"]]),
        _filter("tls", "TLS version", "1.2 and 1.3", _counts(cell["tls"] for cell in cells)),
        _filter("outcome", "Last outcome", "any", _counts((outcomes(cell) or ["none"])[-1] for cell in cells)),
    ]
    if why := _counts(reason for cell in cells for reason in reasons(cell)):
        made.append(_filter("reason", "Reason", "any", why))
    if rules := _counts(rule for cell in cells for rule in breaches(cell)):
        made.append(_filter("rule", "Rule broken", "any", rules))
    if comparison and comparison.fates:
        made.append(_filter("fate", "Since the earlier run", "any", _counts(comparison.fates.values())))
    return {"verdicts": VERDICTS, "filters": made, "scenarios": _scenarios(cells)}


def _filter(name: str, label: str, every: str, options: Iterable[tuple[str, int | None]]) -> dict[str, Any]:
    choices = [
        {"value": value, "text": f"{value} ({count})" if count is not None else value} for value, count in options
    ]
    return {"name": name, "label": label, "any": every, "options": choices}


def _counts(values: Iterable[str]) -> list[tuple[str, int | None]]:
    return [(value, count) for value, count in sorted(Counter(values).items())]


def _scenarios(cells: Sequence[CellObject]) -> list[dict[str, Any]]:
    files: dict[str, list[str]] = {}
    for scenario in sorted({cell["scenario"] for cell in cells}):
        files.setdefault(scenario.partition("::")[0], []).append(scenario)
    return [
        {"name": file_of(path), "path": path, "tests": [{"path": test, "name": test_of(test)} for test in tests]}
        for path, tests in files.items()
    ]


def _plural(labels: Sequence[str], word: str) -> str:
    return f"{len(labels)} {word}{'' if len(labels) == 1 else 's'}"


def _end(label: str) -> dict[str, str]:
    return {"stack": stack(label), "build": build(label)}


def _named(cell: CellObject) -> dict[str, str]:
    return {"verdict": cell["verdict"], "scenario": cell["scenario"], "cell": cell["cell"], "why": why(cell)}


def test_of(scenario: str) -> str:
    """``test_ticket_resumes`` of ``scenarios/tls13_ticket.py::test_ticket_resumes``."""
    return scenario.partition("::")[2] or scenario


def file_of(scenario: str) -> str:
    """``tls13_ticket.py`` of ``scenarios/tls13_ticket.py::test_ticket_resumes``."""
    return scenario.partition("::")[0].removeprefix("scenarios/")


def lasted(started: str, finished: str) -> str:
    """``1 min 5 s`` between both; empty if one of them is not a time."""
    try:
        seconds = round((datetime.fromisoformat(finished) - datetime.fromisoformat(started)).total_seconds())
    except (ValueError, TypeError):
        return ""
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{seconds} s"  # noqa: PLR2004 - a minute
