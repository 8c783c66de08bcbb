"""The causes of differences as a Markdown page: the map of behaviours by version."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from harness.report.diff.causes_text import undeclared
from harness.report.run.markdown_text import cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.report.diff.causes import Cause
    from harness.report.json.shapes import DiffObject

HEADS = ("what changes", "on which builds", "declared", "see it")


def causes_page(found: Sequence[tuple[str, DiffObject, Sequence[Cause]]], versions: Sequence[str]) -> str:
    """Return the page: for each comparison its causes by what they change, the most important first.

    Each comparison has a title; if it is empty, both builds are the title.
    """
    lines = ["# Behaviours by version", "", f"Builds with results: {', '.join(versions)}.", ""]
    for title, diff, causes in found:
        lines += [f"## {title or ', '.join(diff['before']) + ' -> ' + ', '.join(diff['after'])}", ""]
        lines += [f"{diff['compared']} cells compared, {len(causes) or 'no'} causes.", ""]
        for strength, group in groupby(causes, key=lambda cause: cause.strength):
            lines += [
                f"### {strength.capitalize()}",
                "",
                _row(HEADS),
                _row(["---"] * len(HEADS)),
                *map(_cause, group),
                "",
            ]
    return "\n".join(lines)


def _cause(cause: Cause) -> str:
    where = f"{len(cause.cells)} cell{'' if len(cause.cells) == 1 else 's'}"
    change = f"{cell(cause.observable)} in {where}: {cell(cause.before)} -> {cell(cause.after)}"
    spans = "<br>".join(f"{builds}: {cell(value)}" for builds, value in cause.table)
    known = cause.declared or (f"options: {cause.options}" if cause.options else "")
    return _row([change, spans, cell(known) if known else f"**{undeclared(cause)}**", cell(cause.command)])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
