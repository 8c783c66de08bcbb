"""The search finds the first bad version with few looks, passes over what is unsupported, and verifies both ends."""

from __future__ import annotations

import pytest

from harness.case.bisect import Behaviour, Bisected, EndError, bisect

VERSIONS = [str(number) for number in range(20)]


def first_bad(number: int, *unsupported: str, looks: list[str] | None = None) -> Bisected:
    def look(version: str) -> Behaviour:
        if looks is not None:
            looks.append(version)
        if version in unsupported:
            return Behaviour.UNSUPPORTED
        return Behaviour.BAD if int(version) >= number else Behaviour.GOOD

    return bisect(VERSIONS, look)


@pytest.mark.parametrize("number", range(1, 20))
def test_the_first_bad_version_is_found(number: int) -> None:
    assert first_bad(number) == Bisected(str(number - 1), str(number))


def test_both_ends_are_looked_at_first_and_few_others() -> None:
    looks: list[str] = []
    first_bad(7, looks=looks)

    assert looks[:2] == ["0", "19"]
    assert len(looks) <= 7
    assert len(set(looks)) == len(looks)


def test_what_is_unsupported_is_passed_over() -> None:
    assert first_bad(7, "9", "10", "8") == Bisected("6", "7")


def test_what_is_unsupported_between_both_is_reported() -> None:
    assert first_bad(7, "5", "6", "7") == Bisected("4", "8", ("5", "6", "7"))


def test_two_neighbours_need_no_search() -> None:
    assert bisect(["1", "2"], lambda version: Behaviour.BAD if version == "2" else Behaviour.GOOD) == Bisected("1", "2")


def behaviours(letters: str, looks: list[str] | None = None) -> Bisected:
    """The search over versions that do what the letters say: good, bad, other or unsupported."""
    known = {each.value[0]: each for each in Behaviour}

    def look(version: str) -> Behaviour:
        if looks is not None:
            looks.append(version)
        return known[letters[int(version)]]

    return bisect([str(place) for place in range(len(letters))], look)


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        ("ggoob", Bisected("1", "4", (), "2", "3")),
        ("gob", Bisected("0", "2", (), "1", "1")),
        ("goooooooob", Bisected("0", "9", (), "1", "8")),
        ("ggggggggob", Bisected("7", "9", (), "8", "8")),
        ("gobbbbbbbb", Bisected("0", "2", (), "1", "1")),
        ("guouub", Bisected("0", "5", ("1", "3", "4"), "2", "2")),
        ("gbob", Bisected("0", "1")),
        ("gogggb", Bisected("4", "5")),
    ],
)
def test_a_third_behaviour_does_not_end_the_search(letters: str, expected: Bisected) -> None:
    assert behaviours(letters) == expected


def test_a_third_behaviour_costs_few_looks() -> None:
    looks: list[str] = []
    behaviours("g" * 50 + "o" * 50 + "b" * 50, looks)

    assert len(looks) <= 2 + 2 * 8
    assert len(set(looks)) == len(looks)


@pytest.mark.parametrize(
    ("number", "unsupported", "message"),
    [
        (0, (), "0 was said to be good and is bad; give a build that behaves as it should"),
        (99, (), "19 was said to be bad and is good; give a build that behaves differently"),
        (7, ("0",), "0 was said to be good and is unsupported; give a build that can do the case"),
        (7, ("19",), "19 was said to be bad and is unsupported"),
    ],
)
def test_an_end_that_is_not_what_it_was_said_to_be_is_an_error(
    number: int, unsupported: tuple[str, ...], message: str
) -> None:
    with pytest.raises(EndError, match=message):
        first_bad(number, *unsupported)
