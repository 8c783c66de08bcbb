"""Builds the page from the results of a run, compared with an earlier run if there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.report.run.page.blocks import encoded
from harness.report.run.page.compared import comparison_view, earlier_of
from harness.report.run.page.detail import SHORT, detail
from harness.report.run.page.document import document
from harness.report.run.page.overview import filter_choices, overview
from harness.report.run.page.rows import in_order
from harness.report.run.page.shared import Shared

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from harness.report.json.shapes import ResultsObject
    from harness.report.run.earlier import Comparison, Key
    from harness.report.run.page.kept import Kept


def page(
    results: ResultsObject,
    kept: Mapping[Key, Kept],
    *,
    version: str,
    unfinished: str = "",
    notes: Sequence[str] = (),
    comparison: Comparison | None = None,
    earlier_unfinished: str = "",
) -> str:
    """The HTML of a run.

    ``kept`` is what lies in the folders of its cells; ``version`` that of the harness; ``unfinished`` says why the run
    is not whole, ``earlier_unfinished`` the same of the earlier one; ``notes`` are sentences that a reader must know.
    """
    view = {
        **overview(results, unfinished, None if unfinished else results["exit_status"]),
        **filter_choices(results, comparison),
        "comparison": comparison_view(comparison, results, earlier_unfinished) if comparison else None,
        "version": version,
        "notes": notes,
        "short": SHORT,
    }
    shared = Shared()
    cells = list(map(encoded, _details(results, shared, kept, comparison)))
    return document(view, results["cells"], (cells, shared.texts), comparison)


def _details(
    results: ResultsObject, shared: Shared, kept: Mapping[Key, Kept], comparison: Comparison | None
) -> Iterator[dict[str, Any]]:
    earlier = earlier_of(comparison) if comparison else {}
    for cell in in_order(results["cells"]):
        key = cell["scenario"], cell["cell"]
        yield {**detail(cell, shared, kept.get(key)), "earlier": earlier.get(key)}
