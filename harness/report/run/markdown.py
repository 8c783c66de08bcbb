"""The results of a run as Markdown, for the summary of a CI job: counts, failures with reasons, matrix, comparison."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import jinja2

from harness.report.run.earlier import (
    FATES,
    NEWLY_FAILING,
    of_run,
)
from harness.report.run.markdown_text import block, cell, html, plain
from harness.report.run.plain_text import findings_text, moment
from harness.report.run.run_summary import VERDICTS, broken_rules, counted, kinds, matrix, unsupported_reasons, why

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.report.json.shapes import CellObject, ResultsObject
    from harness.report.run.earlier import Comparison

FAILURES, WHOLE, REASONS, OBSERVABLES = 50, 10, 10, 25
"""How many kinds of failures, full examples, unsupported reasons and observables are listed."""
LONGEST = 6000
"""Characters of a full reason; a job's summary is limited to 1 MiB."""


@cache
def environment() -> jinja2.Environment:
    """The template; every text goes through a filter of markdown_text, or through ``plain`` where it names none."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("harness.report.run"),
        autoescape=False,  # noqa: S701 - Markdown: finalize escapes what HTML's rules would not
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=plain,
    )
    made.filters.update(cell=cell, block=block, html=html)
    return made


def markdown(
    results: ResultsObject,
    *,
    unfinished: str = "",
    notes: Sequence[str] = (),
    comparison: Comparison | None = None,
) -> str:
    """The summary; ``unfinished`` says why the run is incomplete, ``notes`` what else a reader must know."""
    found = kinds(results["cells"])
    reasons = unsupported_reasons(results["cells"])
    made = matrix(results)
    return (
        environment()
        .get_template("report.md")
        .render(
            counts=counted(results["cells"]),
            total=len(results["cells"]),
            started=moment(results["started"]),
            unfinished=unfinished,
            notes=notes,
            kinds=[{"count": count, **_failure(one)} for count, one in found[:FAILURES]],
            whole=[_failure(one) for _, one in found[:WHOLE]],
            left=max(0, len(found) - FAILURES),
            matrix=made,
            verdicts=VERDICTS,
            rules=broken_rules(results["cells"]),
            reasons=reasons[:REASONS],
            more_reasons=max(0, len(reasons) - REASONS),
            comparison=_comparison(comparison, results) if comparison else None,
        )
    )


def _failure(one: CellObject) -> dict[str, Any]:
    return {
        "verdict": one["verdict"],
        "test": one["scenario"],
        "cell": one["cell"],
        "why": why(one),
        "text": "\n\n".join(filter(None, [findings_text(one), one["reason"]]))[:LONGEST],
    }


def _comparison(comparison: Comparison, results: ResultsObject) -> dict[str, Any]:
    cells = of_run(results)
    counts = [(fate, len(comparison.of(fate))) for fate in FATES]
    changed = sorted(comparison.changed, key=lambda found: -found["cells"])
    return {
        "started": moment(comparison.earlier["started"]),
        "counts": [(fate, count) for fate, count in [*counts, ("gone", len(comparison.gone))] if count],
        "matched": len(comparison.before),
        "newly": [_failure(cells[key]) for key in comparison.of(NEWLY_FAILING)[:FAILURES]],
        "newly_left": max(0, len(comparison.of(NEWLY_FAILING)) - FAILURES),
        "changed": changed[:OBSERVABLES],
        "changed_left": max(0, len(changed) - OBSERVABLES),
    }
