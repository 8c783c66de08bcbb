"""What an explanation is given for, and that explaining neither judges nor counts as looking."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import harness.explain
from harness.explain import explain, reasons
from harness.model.reason import Question, Reason
from harness.model.view import Saw
from harness.tests.made.connections import aborted, connection, disagreeing

if TYPE_CHECKING:
    from harness.model.connection import Connection


def first(saw: Saw = Saw.FULL) -> Connection:
    return connection(saw, number=1, offered=None, was_offered=False)


@dataclass
class Made:
    """What a pair is to an explanation."""

    connections: list[Connection] = field(default_factory=list)


def test_a_first_handshake_needs_no_explanation() -> None:
    made = first()

    assert explain([made], made) is None


def test_a_plain_resumption_needs_no_explanation() -> None:
    made = connection(Saw.RESUMED)

    assert explain([first(), made], made) is None


def test_witnesses_that_differ_are_not_explained_away() -> None:
    made = disagreeing()

    assert explain([first(), made], made) is None


@pytest.mark.parametrize(
    ("made", "question"),
    [
        (connection(Saw.FULL), Question.DECLINED),
        (connection(Saw.FULL, was_offered=False), Question.NOT_OFFERED),
        (aborted(), Question.ABORTED),
    ],
)
def test_the_outcome_asks_the_question(made: Connection, question: Question) -> None:
    explanation = explain([first(), made], made)

    assert explanation is not None
    assert explanation.question is question
    assert {reason.question for reason in explanation.reasons} == {question}


@pytest.mark.parametrize("saw", list(Saw))
def test_explaining_does_not_count_as_looking(saw: Saw) -> None:
    made = connection(saw)
    explain([first(), made], made)

    assert made.asserted is False


def test_the_word_of_scenarios_counts_as_looking() -> None:
    made = connection(Saw.RESUMED)
    reasons(Made([first(), made]), made)

    assert made.asserted is True


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_has_a_meaning_in_one_line(reason: Reason) -> None:
    assert reason.meaning.endswith((".", ".)"))
    assert "\n" not in reason.meaning


@pytest.mark.parametrize("reason", Reason)
def test_each_reason_is_given_by_a_rule(reason: Reason) -> None:
    rules = [file.read_text() for file in Path(harness.explain.__file__).parent.rglob("*.py")]

    assert any(re.search(rf"\bReason\.{reason.name}\b", text) for text in rules)
