"""The cells of a library are counted by how they ended, and by what a scenario declares of this library."""

from __future__ import annotations

from typing import Any

import pytest

from harness.report.library_fares import fare
from harness.report.text.library_table import fares_table, library_page


def cell(verdict: str, *declared: tuple[str, str], client: str = "go@1.27.3", number: int = 1) -> dict[str, Any]:
    return {
        "scenario": "scenarios/x.py::test_x",
        "cell": f"{client}--libssl@3.0.19-TLSv1.3-{number}",
        "client": client,
        "server": "libssl@3.0.19",
        "verdict": verdict,
        "declared": [{"role": role, "builds": builds} for role, builds in declared],
    }


@pytest.mark.parametrize("builds", ["go", "go@>=1.2", "go:*@<2"])
def test_a_difference_that_names_the_library_classifies_the_cell(builds: str) -> None:
    found = fare("go@1.27.3", "client", [cell("passed", ("client", builds)), cell("passed")])

    assert (found.passed, found.classified, found.cells) == (1, 1, 2)


@pytest.mark.parametrize(
    "declared", [("server", "go"), ("client", "*@<3.4"), ("client", "gnutls"), ("client", "gopher")]
)
def test_a_difference_of_another_end_or_library_does_not(declared: tuple[str, str]) -> None:
    assert fare("go@1.27.3", "client", [cell("passed", declared)]).classified == 0


def test_a_cell_that_failed_is_named_even_where_a_difference_is_declared() -> None:
    cells = [
        cell("failed", ("client", "go")),
        cell("error", number=2),
        cell("unsupported"),
        cell("failed", client="java@17"),
    ]

    found = fare("go@1.27.3", "client", cells)

    assert found.failed == tuple(f"scenarios/x.py::test_x[go@1.27.3--libssl@3.0.19-TLSv1.3-{n}]" for n in (1, 2))
    assert (found.passed, found.classified, found.unsupported, found.cells) == (0, 0, 1, 3)


def test_the_table_has_a_row_for_each_library_and_names_what_failed() -> None:
    cells = [cell("passed"), cell("failed", number=7)]
    fares = [fare("go@1.27.3", "client", cells), fare("libssl@3.0.19", "server", cells)]

    text = fares_table(fares)

    rows = [[part.strip() for part in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    assert rows[2:] == [
        ["go@1.27.3", "2", "1", "0", "0", "1", "", "", "", "", ""],
        ["libssl@3.0.19", "", "", "", "", "", "2", "1", "0", "0", "1"],
    ]
    assert "- failed: scenarios/x.py::test_x[go@1.27.3--libssl@3.0.19-TLSv1.3-7]" in text
    assert "<td>2</td>" in library_page({}, fares)
    assert fares_table([]) == ""
