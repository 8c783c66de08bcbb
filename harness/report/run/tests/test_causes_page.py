"""The page of behaviours by version has each cause, with its value on every build."""

from __future__ import annotations

from dataclasses import replace

from harness.report.diff.causes import causes, over_builds
from harness.report.diff.run_difference import by_id, run_difference
from harness.report.diff.tests.test_causes import DECLINED
from harness.report.diff.tests.test_difference import FIRST
from harness.report.diff.tests.test_run_difference import of, results
from harness.report.run.causes_page import causes_page


def test_the_page_has_each_cause_below_what_it_changes_with_every_build() -> None:
    before, after = [of("a"), of("b|c")], [of("a", **DECLINED), of("b|c", **{f"{FIRST}tickets": 7})]
    diff = run_difference(results("3.0.19", *before), results("3.5.6", *after))
    runs = [(one["clients"][0], by_id(one)) for one in (results("3.0.19", *before), results("3.5.6", *after))]
    made = [replace(over_builds(cause, runs), command="resumption cell 'x|y'") for cause in causes(diff["differences"])]

    known = replace(made[0], declared="declared in x.py, for *@>=3.2")

    page = causes_page([("", diff, [known, *made[1:]]), ("client 1 with server 2", diff, [])], ["3.0.19", "3.5.6"])
    tables = [line for line in page.splitlines() if line.startswith("| `")]

    assert [line for line in page.splitlines() if line.startswith("#")] == [
        "# Behaviours by version",
        f"## {', '.join(diff['before'])} -> {', '.join(diff['after'])}",
        "### Outcome",
        "### Tickets",
        "## client 1 with server 2",
    ]
    assert "`declared in x.py, for *@>=3.2`" in tables[0]
    assert "**undeclared**" in tables[1]
    assert all(line.count(" | ") == 3 for line in tables)
