"""What rounds say: an old key, a change in the middle of a round, and back ends with keys of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.explain.probing.holding import held_answers, in_words, round_text
from harness.model.probe import Held, Look, Round, Topic
from harness.model.tls import Mechanism, Outcome

if TYPE_CHECKING:
    from harness.model.probe import Answer

DAY = 86400


def answers(*looks: Look, hint: int = 7200) -> dict[Topic, Answer]:
    """The answers about TLS 1.3, by topic."""
    rounds = [Round(number, look.at, {Mechanism.PSK: look}) for number, look in enumerate(looks, 1)]
    return {one.topic: one for one in held_answers(rounds, {Mechanism.PSK: hint}, "nginx")}


@pytest.mark.parametrize(
    ("keys", "changed"),
    [
        ((("a",), ("b",)), True),
        ((("a",), ("a", "b"), ("b",)), True),
        ((("a",), ("b",), ("a", "b")), False),
        ((("a",), ("a",)), False),
    ],
    ids=["at-once", "within-a-round", "two-back-ends", "never"],
)
def test_a_key_has_changed_if_the_old_one_is_gone(keys: tuple[tuple[str, ...], ...], *, changed: bool) -> None:
    found = answers(*(Look(place * 60.0, each) for place, each in enumerate(keys)))[Topic.ROTATION]

    assert found.text.startswith("the key changed" if changed else "the key did not change")


@pytest.mark.parametrize(
    ("keys", "daily"), [("aa", False), ("ab", True), ("a", None)], ids=["older-than-a-day", "daily", "too-short"]
)
def test_a_key_must_change_within_a_day(keys: str, *, daily: bool | None) -> None:
    found = answers(*(Look(place * DAY, (key,)) for place, key in enumerate(keys)))[Topic.ROTATION]

    assert found.holds["rotates-daily"] is daily
    assert bool(found.flag) is (daily is False)


@pytest.mark.parametrize(
    ("outcome", "text", "flag"),
    [
        (Outcome.DECLINED, "never resumed, declined after 60 min", "DECLINED BEFORE THE 2 h THAT THE SERVER SAYS"),
        (Outcome.RESUMED, "resumes after 60 min, the longest that was tried", ""),
        (Outcome.FULL, "never resumed; the client offers none after 60 min: its lifetime is over", ""),
    ],
)
def test_how_long_a_session_holds_is_what_was_seen(outcome: Outcome, text: str, flag: str) -> None:
    found = answers(Look(0, ("a",)), Look(3600, ("a",), (Held(3600, "a", outcome),)))[Topic.HOLDS]

    assert (found.text, found.flag) == (text, flag)


def test_a_round_is_one_line() -> None:
    look = Look(0, ("bb",), (Held(3600 * 2, "aa", Outcome.DECLINED),))
    before = [Round(1, 0, {Mechanism.PSK: Look(0, ("aa",))})]
    line = round_text(Round(2, 0, {Mechanism.PSK: look}), 3, before)

    assert line == "1970-01-01 00:00:00Z  2 of 3  TLS 1.3: NEW KEY bb, declined after 2 h (old key aa)"
    assert round_text(Round(3, 0, {}, "it is gone"), 3, before) == "1970-01-01 00:00:00Z  3 of 3  it is gone"


@pytest.mark.parametrize(("seconds", "text"), [(1.25, "1.2 s"), (90, "90 s"), (7200, "2 h"), (2 * DAY, "2 d")])
def test_durations_are_in_a_unit_that_fits(seconds: float, text: str) -> None:
    assert in_words(seconds) == text
