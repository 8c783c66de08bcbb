"""Merges the results of several runs, usually the shards of one, and notes inconsistencies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.model.errors import UsageError
from harness.report.run.earlier import of_run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.report.json.shapes import CellObject, ResultsObject
    from harness.report.run.earlier import Key

SEVERITY = ("passed", "unsupported", "failed", "error")
NOTED = 10
"""How many cells with different verdicts are named; the others are counted."""
SHARD = re.compile(r"([1-9]\d{0,5})/([1-9]\d{0,5})")


@dataclass(frozen=True)
class Merged:
    """Several runs as one."""

    results: ResultsObject
    origin: Mapping[Key, str]
    """The name of the run that each cell is from."""
    notes: Sequence[str]
    """Warnings for the reader, one sentence each."""


def merge(runs: Mapping[str, ResultsObject]) -> Merged:
    """Merge the runs, by the names that the user gave them. A cell in several runs counts once, with its worst verdict.

    UsageError if a run has an invalid shard.
    """
    cells: dict[Key, tuple[str, CellObject]] = {}
    conflicts: dict[Key, dict[str, str]] = {}
    for name, results in runs.items():
        for key, cell in of_run(results).items():
            known = cells.setdefault(key, (name, cell))
            if known[1]["verdict"] != cell["verdict"]:
                conflicts.setdefault(key, {known[0]: known[1]["verdict"]})[name] = cell["verdict"]
                cells[key] = max(known, (name, cell), key=lambda one: SEVERITY.index(one[1]["verdict"]))
    every = list(runs.values())
    made: ResultsObject = {
        "schema": every[0]["schema"],
        "started": min(results["started"] for results in every),
        "clients": list(dict.fromkeys(label for results in every for label in results["clients"])),
        "servers": list(dict.fromkeys(label for results in every for label in results["servers"])),
        "finished": max(results["finished"] for results in every),
        "exit_status": max(results["exit_status"] for results in every),
        "unmatched": [text for text in every[0]["unmatched"] if all(text in results["unmatched"] for results in every)],
        "cells": [cell for _, cell in cells.values()],
    }
    notes = [*_shards(runs), *_builds(runs), *_code(runs), *_conflicts(conflicts)]
    return Merged(made, {key: name for key, (name, _) in cells.items()}, notes)


def _shards(runs: Mapping[str, ResultsObject]) -> Iterator[str]:
    """Shards that are missing, duplicate, or from a different division."""
    numbers: dict[int, list[str]] = {}
    totals: dict[int, list[str]] = {}
    for name, results in runs.items():
        if "shard" in results:
            number, total = _shard(name, results["shard"])
            numbers.setdefault(number, []).append(name)
            totals.setdefault(total, []).append(name)
    if len(totals) > 1:
        listed = "; ".join(f"{' and '.join(names)} of {total}" for total, names in totals.items())
        yield f"The shards come from different divisions: {listed}. Cells may be missing"
        return
    for total in totals:
        missing = [str(number) for number in range(1, total + 1) if number not in numbers][: NOTED + 1]
        if missing:
            more = " and more" if len(missing) > NOTED else ""
            plural = "s" if len(missing) > 1 else ""
            yield f"Missing: shard{plural} {', '.join(missing[:NOTED])}{more} of {total}. Their cells are not included"
        for number, names in numbers.items():
            if len(names) > 1:
                yield f"Shard {number} of {total} is included {len(names)} times: {' and '.join(names)}"
        whole = [name for name, results in runs.items() if "shard" not in results]
        if whole:
            yield f"Not a shard, unlike the others: {' and '.join(whole)}"


def _shard(name: str, shard: str) -> tuple[int, int]:
    found = SHARD.fullmatch(shard)
    if not found or int(found[1]) > int(found[2]):
        raise UsageError(f"{name} has the invalid shard {shard!r:.60}; a shard is K/N, such as 1/3, with K at most N")
    return int(found[1]), int(found[2])


def _builds(runs: Mapping[str, ResultsObject]) -> Iterator[str]:
    """Endpoints that not all runs have; shards of one run have the same endpoints."""
    having = {name: {*results["clients"], *results["servers"]} for name, results in runs.items()}
    shared = set.intersection(*having.values())
    for name, labels in having.items():
        if odd := sorted(labels - shared):
            yield f"Not every run has the endpoints of {name}: {', '.join(odd)}"


def _code(runs: Mapping[str, ResultsObject]) -> Iterator[str]:
    """Which code differs between runs."""
    digests: dict[str, set[str]] = {}
    for results in runs.values():
        for file, digest in results.get("code", {}).items():
            digests.setdefault(file, set()).add(digest)
    if odd := sorted(file for file, found in digests.items() if len(found) > 1):
        more = f" and {len(odd) - NOTED} more" if len(odd) > NOTED else ""
        yield f"The runs used different code: {', '.join(odd[:NOTED])}{more}"


def _conflicts(conflicts: Mapping[Key, Mapping[str, str]]) -> Iterator[str]:
    for (scenario, cell), verdicts in list(conflicts.items())[:NOTED]:
        listed = ", ".join(f"{verdict} in {name}" for name, verdict in verdicts.items())
        yield f"{scenario}[{cell}] has different verdicts: {listed}"
    if len(conflicts) > NOTED:
        yield f"{len(conflicts) - NOTED} more cells have different verdicts"
