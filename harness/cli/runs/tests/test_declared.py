"""A difference is declared if a scenario of its cells says that these builds differ in these values."""

from __future__ import annotations

import pytest

from harness.cli.runs.declared import declared
from harness.report.diff.causes import Cause

CLOSES = "scenarios/close_modes.py"


def cause(before: str, after: str, file: str = CLOSES) -> Cause:
    """A cause with these values in a cell of the scenario."""
    return Cause("outcome", before, after, 1, ((f"{file}::test_x", "libssl--libssl-TLSv1.2"),), 2, ())


@pytest.mark.parametrize(
    ("before", "after", "values", "found"),
    [
        ("libssl@3.6.5", "libssl@4.0.3", ("declined", "resumed"), f"declared in {CLOSES}, for *@>=4.0"),
        ("libssl@3.0.19", "libssl@3.6.5", ("declined", "resumed"), ""),
        ("libssl@3.6.5", "libssl@4.0.3", ("declined", "aborted"), ""),
    ],
)
def test_a_difference_is_declared_by_range_and_values(
    before: str, after: str, values: tuple[str, str], found: str
) -> None:
    assert declared(cause(*values), [before], [after]).startswith(found)
    assert bool(declared(cause(*values), [before], [after])) is bool(found)


def test_a_scenario_that_is_not_there_declares_nothing() -> None:
    assert declared(cause("declined", "resumed", "scenarios/none.py"), ["libssl@3.6.5"], ["libssl@4.0.3"]) == ""
