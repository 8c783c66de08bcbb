"""The map has each behaviour once, with the value of every build, and leaves out what follows from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from harness.report.diff.behaviours import behaviours, builds_apart
from harness.report.diff.tests.test_causes import DECLINED
from harness.report.diff.tests.test_difference import FIRST, HELLO
from harness.report.diff.tests.test_run_difference import of, results

if TYPE_CHECKING:
    from harness.report.diff.behaviours import Behaviour

HINT = {f"{FIRST}session__lifetime_hint": 5}


def found() -> list[Behaviour]:
    """Two cells over four builds: both are declined by 3.2.0 and 3.5.6, and one has another hint since 3.0.19."""
    runs = [
        results("3.5.6", of("a", **DECLINED, **HINT), of("b", **DECLINED)),
        results("1.1.1w", of("a"), of("b")),
        results("3.0.19", of("a", **HINT), of("b")),
        results("3.2.0", of("a", **DECLINED, **HINT), of("b", **DECLINED)),
    ]
    return behaviours(builds_apart(runs))


def test_cells_that_change_alike_are_one_behaviour() -> None:
    outcome = found()[0]

    assert (outcome.observable, outcome.strength, len(outcome.cells)) == ("outcome", "outcome", 2)
    assert outcome.table == (("1.1.1w-3.0.19", "resumed"), ("3.2.0-3.5.6", "declined"))
    assert outcome.beside == ("mechanism", "tickets")


def test_what_changes_between_other_builds_is_another_behaviour() -> None:
    _, hint = found()

    assert hint.observable == "session.lifetime_hint"
    assert [builds for builds, _ in hint.table] == ["1.1.1w", "3.0.19-3.5.6"]


def test_each_change_is_explained_by_itself() -> None:
    outcome = found()[0].explained(lambda older, newer, cause: f"{older} {cause.before} {newer} {cause.after}")

    assert outcome.known == ("3.0.19 resumed 3.2.0 declined",)
    assert outcome.to_json()["known"] == ["3.0.19 resumed 3.2.0 declined"]


def test_what_changes_only_where_something_stronger_does_has_no_row() -> None:
    """The hint changes between the first two builds, where the outcome does too, and not between the last two."""
    runs = [
        results("1.1.1w", of("a")),
        results("3.0.19", of("a", **DECLINED, **HINT)),
        results("3.2.0", of("a", **HINT)),
    ]

    assert [one.observable for one in behaviours(builds_apart(runs))] == ["outcome"]


def test_a_change_that_follows_says_so_in_a_row_with_another_one() -> None:
    runs = [
        results("1.1.1w", of("a")),
        results("3.0.19", of("a", **DECLINED, **HINT)),
        results("3.2.0", of("a", **DECLINED)),
    ]
    _, hint = behaviours(builds_apart(runs))

    assert hint.observable == "session.lifetime_hint"
    assert hint.explained(lambda *_: "").known == ("follows from outcome of connection 2", "")


def test_a_row_names_the_builds_on_which_its_cells_failed() -> None:
    runs = [
        results("1.1.1w", of("a"), of("b")),
        results("3.0.19", of("a", **DECLINED), {**of("b", **DECLINED), "verdict": "failed"}),
        results("3.2.0", of("a", **DECLINED), of("b", **DECLINED)),
    ]
    (outcome,) = behaviours(builds_apart(runs))

    assert outcome.failed == ("3.0.19",)
    assert outcome.to_json()["failed"] == ["3.0.19"]


def test_a_build_without_a_result_is_left_out() -> None:
    lost = {**of("a", **DECLINED), "lost": True}
    (outcome,) = behaviours(
        builds_apart([results("3.0.19", of("a")), results("3.1.2", lost), results("3.2.0", of("a", **DECLINED))])
    )

    assert outcome.table == (("3.0.19", "resumed"), ("3.2.0", "declined"))


def test_builds_that_behave_alike_have_no_row() -> None:
    assert behaviours(builds_apart([results("3.0.19", of("a")), results("3.2.0", of("a"))])) == []


def test_what_is_inside_something_that_a_build_lacks_is_absent_there() -> None:
    hello, whole = f"{FIRST}hellos__0__", cast("dict[str, Any]", HELLO)
    first, *_ = whole["extensions"]
    longer = {f"{hello}extensions__0__length": first["length"] + 3, f"{hello}length": whole["length"] + 3}
    without = whole["length"] - sum(4 + each["length"] for each in whole["extensions"])
    absent = {f"{hello}extensions": [], f"{hello}length": without}
    runs = [results("3.0.19", of("a")), results("3.2.0", of("a", **longer)), results("4.0.3", of("a", **absent))]
    tables = [one.table for one in behaviours(builds_apart(runs)) if one.observable.endswith(".length")]

    assert [table[-1] for table in tables] == [("4.0.3", "absent")]


def test_a_hello_that_was_not_sent_follows_from_the_outcome() -> None:
    """The suites change on their own first; the last build ends the connection before its ClientHello."""
    other = {f"{FIRST}hellos__0__cipher_suites": [0x1301]}
    ended = {f"{FIRST}outcome": "aborted", f"{FIRST}hellos": []}
    runs = [results("3.0.19", of("a")), results("3.2.0", of("a", **other)), results("4.0.3", of("a", **ended))]
    found = {one.observable: one for one in behaviours(builds_apart(runs))}
    suites = found["hellos.client.ClientHello.cipher_suites"]

    assert suites.table[-1] == ("4.0.3", "absent")
    assert suites.explained(lambda *_: "").known == ("", "follows from outcome of connection 2")
    assert "hellos.client.ClientHello" not in found


def test_a_hello_that_was_sent_does_not_follow_from_the_outcome() -> None:
    ended = {f"{FIRST}outcome": "aborted", f"{FIRST}hellos__0__cipher_suites": [0x1301]}
    runs = [results("3.0.19", of("a")), results("4.0.3", of("a", **ended))]
    found = behaviours(builds_apart(runs))

    assert [(one.observable, one.follows) for one in found] == [("outcome", ("",))]
    assert "hellos.client.ClientHello.cipher_suites" in found[0].beside
