"""The pages about versions have each cause, or each behaviour, with its value on every build."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.report.diff.behaviours import Behaviour
from harness.report.diff.causes import causes, over_builds
from harness.report.diff.run_difference import by_id, run_difference
from harness.report.diff.tests.test_causes import DECLINED
from harness.report.diff.tests.test_difference import FIRST
from harness.report.diff.tests.test_run_difference import of, results
from harness.report.run.behaviours_page import behaviours_html, behaviours_markdown
from harness.report.run.causes_page import causes_page

CELLS = (("scenarios/a.py::test_ticket_is_old", "libssl--libssl-TLSv1.3"), ("scenarios/a.py::test_ticket_is_old", "x"))
OUTCOME = Behaviour(
    "outcome", 2, ((("1.1.1w", "3.0.20"), "resumed"), (("3.2.3",), "<declined>")), CELLS, failed=("3.2.3",), known=("",)
)
COUNTER = Behaviour(
    "counters.hits", None, ((("1.1.1w",), "1"), (("3.0.20",), "2")), CELLS[:1], known=("declared in b|c",)
)


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


def test_markdown_has_a_row_for_each_behaviour_below_what_it_is_about() -> None:
    lines = behaviours_markdown([OUTCOME, COUNTER], ["libssl@3.0.20: debian"], "made so").splitlines()
    rows = [line for line in lines if line.startswith("| ticket is old")]

    assert [line for line in lines if line.startswith("#")] == [
        "# Behaviours by version",
        "## Whether a connection resumes",
        "## The server's counters",
        "## Builds",
    ]
    assert "ticket is old: outcome of connection 2, in 2 cells" in rows[0]
    assert "1.1.1w-3.0.20: `resumed`<br>3.2.3: `<declined>`" in rows[0]
    assert "`undeclared, since 3.2.3`" in rows[0]
    assert "FAILED on 3.2.3" in rows[0]
    assert all(row.count(" | ") == 2 for row in rows)
    assert "made so" in lines


@pytest.mark.parametrize("text", ["<h2>Whether a connection resumes</h2>", "&lt;declined&gt;", "declared in b|c"])
def test_html_has_the_same(text: str) -> None:
    assert text in behaviours_html([OUTCOME, COUNTER], ["libssl@3.0.20: debian"])
