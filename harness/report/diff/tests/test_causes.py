"""What changes in the same cells is one cause, headed by what matters most, with its value on every build."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from typing import TYPE_CHECKING, Any, cast

from rich.console import Console

from harness.report.diff.causes import causes, over_builds
from harness.report.diff.causes_text import MOST, VALUE, WIDTH, apart, causes_text, undeclared
from harness.report.diff.difference import ABSENT
from harness.report.diff.run_difference import by_id, run_difference
from harness.report.diff.tests.test_difference import FIRST, HELLO
from harness.report.diff.tests.test_run_difference import of, results

if TYPE_CHECKING:
    from harness.report.diff.causes import Cause
    from harness.report.json.shapes import DifferenceObject, DiffObject, PlaceObject

DECLINED = {f"{FIRST}outcome": "declined", f"{FIRST}mechanism": None, f"{FIRST}tickets": 7}


def compared(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> DiffObject:
    return run_difference(results("3.0.19", *before), results("3.5.6", *after))


def found(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[Cause]:
    return causes(compared(before, after)["differences"])


def test_what_changes_in_the_same_cells_is_one_cause() -> None:
    (cause,) = found([of("a"), of("b")], [of("a", **DECLINED), of("b", **DECLINED)])

    assert (cause.observable, cause.strength, cause.after) == ("outcome", "outcome", "declined")
    assert cause.beside == ("mechanism", "tickets")
    assert cause.changes == (("mechanism", "psk", "none"), ("tickets", "1", "7"))
    assert len(cause.cells) == 2
    assert cause.connection == 2


def test_what_also_changes_elsewhere_is_a_cause_of_its_own() -> None:
    ticket = {f"{FIRST}tickets": 7}
    made = found([of("a"), of("b")], [of("a", **DECLINED), of("b", **ticket)])

    assert [(cause.observable, len(cause.cells)) for cause in made] == [("outcome", 1), ("tickets", 2)]


def test_causes_are_sorted_by_what_matters_and_then_by_their_cells() -> None:
    hint, sessions = {f"{FIRST}session__lifetime_hint": 5}, {f"{FIRST}sessions": 9}
    made = found(
        [of(name) for name in "abcd"],
        [of("a", **sessions), of("b", **sessions), of("c", **hint), of("d", **{f"{FIRST}tickets": 7})],
    )

    assert [cause.observable for cause in made] == ["tickets", "session.lifetime_hint", "sessions"]


def test_values_of_a_weak_observable_are_one_cause_with_the_most_frequent() -> None:
    made = found(
        [of(name) for name in "abc"],
        [of("a", **{f"{FIRST}sessions": 8}), *(of(name, **{f"{FIRST}sessions": 9}) for name in "bc")],
    )

    assert [(cause.after, cause.values, len(cause.cells)) for cause in made] == [("9", 2, 3)]
    assert made[0].cells[0][0] == "scenarios/a.py::b"


def test_what_two_stronger_causes_cover_together_is_no_cause_of_its_own() -> None:
    aborted = {f"{FIRST}outcome": "aborted", f"{FIRST}tickets": 7}
    others = [of(name) for name in "cdefgh"]
    made = found([of("a"), of("b"), *others], [of("a", **DECLINED), of("b", **aborted), *others])

    assert [(cause.observable, cause.after) for cause in made] == [("outcome", "declined"), ("outcome", "aborted")]
    assert "tickets" in made[0].beside


def test_what_changes_nearly_everywhere_does_not_explain_the_rest() -> None:
    group = {f"{FIRST}session__lifetime_hint": 29}
    sessions = {f"{FIRST}sessions": 9}
    made = found([of(name) for name in "abcd"], [of("a", **group, **sessions), *(of(name, **group) for name in "bcd")])

    assert [(cause.observable, len(cause.cells)) for cause in made] == [("session.lifetime_hint", 4), ("sessions", 1)]


def test_the_length_of_a_ticket_follows_from_the_session_in_it() -> None:
    group, length = {f"{FIRST}session__kex_group": 4588}, {f"{FIRST}session__ticket_length": 900}
    names = "abcd"

    (cause,) = found([of(name) for name in names], [of("a", **group, **length), *(of(n, **group) for n in "bcd")])
    (alone,) = found([of(name) for name in names], [of("a", **length), *(of(n) for n in "bcd")])

    assert (cause.observable, cause.beside) == ("session.kex_group", ("session.ticket_length",))
    assert alone.observable == "session.ticket_length"


def test_values_of_counters_are_one_cause() -> None:
    made = found([of("a"), of("b")], [of("a", case__counters__hits=5), of("b", case__counters__hits=6)])

    assert [(cause.observable, cause.values) for cause in made] == [("counters.hits", 2)]


def test_a_table_says_what_every_build_does() -> None:
    (cause,) = found([of("a")], [of("a", **DECLINED)])
    runs = [
        ("1.1.1w", by_id(results("1.1.1w", of("a", **DECLINED)))),
        ("3.0.19", by_id(results("3.0.19", of("a")))),
        ("3.2.0", by_id(results("3.2.0", of("a")))),
        ("3.5.6", by_id(results("3.5.6", of("a", **DECLINED)))),
        ("4.0.3", by_id(results("4.0.3", of("b")))),
    ]

    table = (("1.1.1w", "declined"), ("3.0.19-3.2.0", "resumed"), ("3.5.6", "declined"))
    assert over_builds(cause, runs).table == table
    assert over_builds(cause, runs, "3.2.0").between == ("1.1.1w", "3.0.19")
    assert over_builds(cause, runs, "3.5.6").between == ("3.2.0", "3.5.6")
    assert over_builds(cause, runs, "1.1.1w").between == ()


def test_a_build_without_the_extension_has_no_length_of_it() -> None:
    hello, whole = f"{FIRST}hellos__0__", cast("dict[str, Any]", HELLO)
    first, *_ = whole["extensions"]
    longer = {f"{hello}extensions__0__length": first["length"] + 3, f"{hello}length": whole["length"] + 3}
    without = whole["length"] - sum(4 + each["length"] for each in whole["extensions"])
    lacking = of("a", **{f"{hello}extensions": [], f"{hello}length": without})
    (cause,) = found([of("a")], [of("a", **longer)])
    runs = [("1.1.1w", lacking), ("3.5.8", of("a")), ("3.5.9", of("a", **longer)), ("4.0.3", lacking)]
    lengths = str(first["length"]), str(first["length"] + 3)
    made = over_builds(cause, [(version, by_id(results(version, one))) for version, one in runs], "3.5.9")

    assert made.table == (("1.1.1w", ABSENT), ("3.5.8", lengths[0]), ("3.5.9", lengths[1]), ("4.0.3", ABSENT))
    assert made.between == ("3.5.8", "3.5.9")


def test_an_undeclared_cause_says_the_builds_around_the_change() -> None:
    (cause,) = found([of("a")], [of("a", **DECLINED)])

    assert undeclared(cause) == "undeclared"
    assert undeclared(replace(cause, between=("3.0.13", "3.0.15"))) == "undeclared, since 3.0.15 (not in 3.0.13)"


def test_causes_fit_on_one_screen_and_v_shows_all() -> None:
    names = [f"t{number}" for number in range(30)]
    diff = compared(
        [of(name) for name in names],
        [of(name, **{f"{FIRST}tickets": 10 + number}) for number, name in enumerate(names)],
    )
    made = [replace(cause, command="resumption cell x") for cause in causes(diff["differences"])]
    console = Console(width=WIDTH, record=True, file=StringIO())
    console.print(causes_text(diff, made, ["libssl@3.0.19: debian"], whole=False))
    screen = console.export_text().splitlines()
    console.print(causes_text(diff, made, [], whole=True))
    everything = console.export_text()

    assert len(made) == 30
    assert len(screen) <= 40
    assert f"and {30 - MOST} more causes; -v shows all, with every difference" in screen
    assert screen[-1] == "30 cells compared: 30 distinct differences, of 30 causes"
    assert "tickets: 1 -> 39" in everything


def test_long_values_are_shown_where_they_differ() -> None:
    one, other = apart("c02c " * 20 + "c030", "c02c " * 20 + "c031")

    assert (one[-4:], other[-4:]) == ("c030", "c031")
    assert max(len(one), len(other)) <= VALUE
    assert apart("29", "4588") == ("29", "4588")


def test_what_is_weak_follows_from_an_outcome_cell_by_cell() -> None:
    """The end that a client saw changes in three cells; in one of them the outcome does too."""
    ending = {f"{FIRST}endpoints__client__ending": "alert"}
    names = "abcdefgh"
    after = [of("a", **DECLINED, **ending), of("b", **ending), of("c", **ending), *(of(name) for name in names[3:])]
    made = found([of(name) for name in names], after)

    assert [(one.observable, [cell[0][-1] for cell in one.cells]) for one in made] == [
        ("outcome", ["a"]),
        ("endpoints.client.ending", ["b", "c"]),
    ]


def test_the_group_of_a_connection_is_that_of_its_session() -> None:
    group = {f"{FIRST}session__kex_group": 4588}
    here = {f"{FIRST}endpoints__client__group": "X25519MLKEM768"}
    names = "abcd"
    (cause,) = found([of(name) for name in names], [of("a", **group, **here), *(of(n, **group) for n in "bcd")])

    assert (cause.observable, cause.beside) == ("session.kex_group", ("endpoints.client.group",))


def difference(observable: str, before: str, after: str, cells: str) -> DifferenceObject:
    """A difference in cells that each have a letter."""
    places: list[PlaceObject] = [{"scenario": "scenarios/a.py::test", "cell": name, "connection": 1} for name in cells]
    return {"observable": observable, "before": before, "after": after, "cells": len(cells), "places": places}


def test_what_changes_in_many_cells_explains_no_change_in_a_few_of_them() -> None:
    names = "".join(chr(ord("A") + number) for number in range(60))
    made = causes(
        [
            difference("hellos.client.ClientHello.cipher_suites", "1302", "1301", names),
            difference("session.kex_group", "29", "4588", names[:28]),
            difference("endpoints.client.early_data", "rejected", "accepted", names[:2]),
        ]
    )

    assert [(one.observable, len(one.cells)) for one in made] == [
        ("session.kex_group", 28),
        ("hellos.client.ClientHello.cipher_suites", 60),
        ("endpoints.client.early_data", 2),
    ]


FIELDS = "messages.server.EncryptedExtensions.fields."


def test_an_extension_with_a_field_of_its_own_is_a_difference_of_that() -> None:
    made = causes(
        [
            difference(f"{FIELDS}extensions", "none", "early_data", "a"),
            difference(f"{FIELDS}extensions", "supported_groups", "supported_groups, early_data", "b"),
            difference(f"{FIELDS}extensions", "none", "supported_groups", "c"),
            difference(f"{FIELDS}early_data", "absent", "present", "ab"),
        ]
    )

    assert [(one.observable, one.after, [cell for _, cell in one.cells]) for one in made] == [
        (f"{FIELDS}early_data", "present", ["a", "b"]),
        (f"{FIELDS}extensions", "supported_groups", ["c"]),
    ]


def test_what_is_left_in_the_same_cells_is_one_cause() -> None:
    made = causes(
        [
            difference("outcome", "resumed", "declined", "a"),
            difference("messages.client.ClientHello", "absent", "present", "abc"),
            difference("messages.server.HelloRetryRequest", "absent", "present", "abc"),
        ]
    )

    assert [(one.observable, len(one.cells)) for one in made] == [("outcome", 1), ("messages.client.ClientHello", 2)]
    assert made[1].names == ("messages.client.ClientHello", "messages.server.HelloRetryRequest")


def test_length_of_a_ticket_follows_from_several_facts_of_the_session() -> None:
    made = causes(
        [
            difference("session.kex_group", "0", "29", "abcdefghij"),
            difference("session.has_ticket", "true", "false", "kl"),
            difference("session.ticket_length", "208", "224", "ijkl"),
        ]
    )

    assert [one.observable for one in made] == ["session.kex_group", "session.has_ticket"]
    assert made[0].beside == ("session.ticket_length",)


def test_what_changes_with_the_outcome_of_nearly_all_cells_follows_from_it() -> None:
    made = causes(
        [
            difference("connection", "present", "absent", "abcdefghijklmnop"),
            difference("counters.accept", "2", "1", "abcdefghijkl"),
            difference("counters.items", "3", "2", "qr"),
        ]
    )

    assert [one.observable for one in made] == ["connection", "counters.items"]
    assert made[0].beside == ("counters.accept",)
