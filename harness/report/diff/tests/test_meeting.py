"""Only what is so in neither of two builds alone is a difference where they meet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.report.diff.causes import causes
from harness.report.diff.meeting import Ends, meeting_difference, met
from harness.report.diff.tests.test_difference import FIRST
from harness.report.diff.tests.test_run_difference import of, results

if TYPE_CHECKING:
    from harness.report.json.shapes import CellObject, DiffObject, ResultsObject

OLD, NEW = "libssl@3.0.19", "libssl@3.5.6"
LABELS = [OLD, NEW]
DECLINED = {f"{FIRST}outcome": "declined"}


def alone(version: str, **changes: Any) -> ResultsObject:
    """A build with itself in one cell."""
    return results(version, of("a", **changes))


def mixed(client: str, server: str, then: str = "", **changes: Any) -> ResultsObject:
    """The same cell with these ends."""
    (cell,) = results("3.5.6", of("a", **changes))["cells"]
    name = cell["cell"].replace(f"{NEW}--{NEW}", f"{client}--{server}", 1)
    made: CellObject = {**cell, "cell": f"{name}{then}", "client": client, "server": server}
    return {**results("3.5.6"), "clients": LABELS, "servers": LABELS, "cells": [made]}


def found(older: dict[str, Any], newer: dict[str, Any], together: dict[str, Any]) -> DiffObject:
    return meeting_difference(mixed(OLD, NEW, **together), alone("3.0.19", **older), alone("3.5.6", **newer))


@pytest.mark.parametrize(
    ("cell", "ends", "shown"),
    [
        (f"{OLD}--{NEW}-TLSv1.3", Ends(("3.0.19",), ("3.5.6",)), "client 3.0.19, server 3.5.6"),
        (
            f"{NEW}--{NEW}-TLSv1.3-then.server={OLD}-server.tickets=on",
            Ends(("3.5.6",), ("3.5.6", "3.0.19")),
            "client 3.5.6, server 3.5.6 then 3.0.19",
        ),
        (f"{OLD}--{NEW}-TLSv1.2-then={NEW}", Ends(("3.0.19", "3.5.6"), ("3.5.6",)), "client 3.0.19 then 3.5.6"),
    ],
)
def test_the_ends_of_a_cell_are_read_from_its_id(cell: str, ends: Ends, shown: str) -> None:
    assert Ends.of(cell, LABELS) == ends
    assert str(ends).startswith(shown)


def test_of_two_versions_the_longer_is_not_taken_for_the_shorter() -> None:
    assert Ends.of("libssl@3.0.19--libssl@3.0.1-TLSv1.3", ["libssl@3.0.1", "libssl@3.0.19"]) == Ends(
        ("3.0.19",), ("3.0.1",)
    )


def test_what_neither_build_shows_alone_is_a_difference() -> None:
    shown = found({}, {}, DECLINED)

    assert [(one["observable"], one["before"], one["after"]) for one in shown["differences"]] == [
        ("outcome", "resumed", "declined")
    ]
    assert (shown["compared"], shown.get("meeting")) == (1, True)


@pytest.mark.parametrize(("older", "newer"), [(DECLINED, {}), ({}, DECLINED), (DECLINED, DECLINED)])
def test_what_one_build_shows_alone_does_not_differ(older: dict[str, Any], newer: dict[str, Any]) -> None:
    assert found(older, newer, DECLINED)["differences"] == []


def test_two_builds_that_differ_alone_have_both_values_before() -> None:
    (one,) = found({}, {f"{FIRST}tickets": 7}, {f"{FIRST}tickets": 5})["differences"]

    assert (one["before"], one["after"]) == ("1 in 3.0.19, 7 in 3.5.6", "5")


def test_cells_of_one_build_alone_are_those_that_it_is_compared_with() -> None:
    """Other runs of a build with itself have no cell with two servers on one stack."""
    together = mixed(NEW, NEW, f"-then.server={OLD}", **DECLINED)
    for label in LABELS:
        together["cells"] += mixed(label, label, f"-then.server={label}")["cells"]

    shown = meeting_difference(together, results("3.0.19"), results("3.5.6"))

    assert (shown["compared"], len(shown["differences"]), shown["one_sided"]) == (1, 1, [])


def test_a_cell_that_one_build_does_not_have_is_set_aside() -> None:
    shown = meeting_difference(mixed(OLD, NEW, **DECLINED), results("3.0.19"), alone("3.5.6"))

    assert (shown["compared"], shown["differences"]) == (0, [])
    assert [(one["before"], one["after"]) for one in shown["one_sided"]] == [("absent", "passed")]


def test_a_lost_cell_does_not_differ() -> None:
    together = mixed(OLD, NEW, **DECLINED)
    together["cells"][0]["lost"] = True

    shown = meeting_difference(together, alone("3.0.19"), alone("3.5.6"))

    assert (shown["compared"], shown["differences"], len(shown["lost"])) == (0, [], 1)


def test_a_cause_has_the_values_of_each_build_alone_and_who_met_whom() -> None:
    runs = mixed(OLD, NEW, **DECLINED), alone("3.0.19"), alone("3.5.6")
    (cause,) = causes(meeting_difference(*runs)["differences"])
    declared = {"role": "server", "builds": "*@<3.0", "seen": "2026-11-21", "evidence": "x"}
    runs[0]["cells"][0]["declared"] = [declared]  # type: ignore[list-item]  # as JSON has it

    shown = met(cause, *runs)

    assert shown.cause.table == (
        ("3.0.19", "resumed"),
        ("3.5.6", "resumed"),
        ("client 3.0.19, server 3.5.6", "declined"),
    )
    assert shown.declared == [declared]
