"""Each rule is kept by real connections and broken by an edit of one, and no rule is without such a test."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from harness.explain.rules import MODULES, RULES, breaches, breaches_of, known_rule
from harness.explain.rules.table import TABLE
from harness.explain.rules.tests.broken import BROKEN
from harness.explain.rules.tests.recorded import NAMES, Recorded
from harness.model.errors import UsageError
from harness.model.rule import Level
from harness.model.tls import Outcome
from harness.runtime.runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harness.model.connection import Connection

WITNESSES = ("wire: ", "clocks: ", "knob: ")


@pytest.fixture(scope="module")
def recorded() -> Iterator[Recorded]:
    with Runtime() as runtime:
        made = Recorded(runtime)
        yield made
        made.close()


def names(connections: Sequence[Connection]) -> set[str]:
    return {breach.rule.name for one in connections for breach in breaches_of(connections, one)}


@pytest.mark.parametrize("name", RULES)
def test_an_edit_of_a_real_connection_breaks_the_rule(recorded: Recorded, name: str) -> None:
    recording, edit = BROKEN[name]
    real = recorded[recording]
    edited = edit(real)

    assert name not in names(real)
    assert name in names(edited)


@pytest.mark.parametrize("name", NAMES)
def test_a_real_connection_breaks_no_rule(recorded: Recorded, name: str) -> None:
    real = recorded[name]

    assert real[0].observed_outcome() is Outcome.FULL
    assert names(real) == set()


def test_every_rule_has_an_edit_that_breaks_it() -> None:
    assert list(BROKEN) == list(RULES)


def test_every_module_with_a_rule_is_in_the_order_of_the_modules() -> None:
    assert {row.check.__module__ for row in TABLE.values()} == {module.__name__ for module in MODULES}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_is_a_sentence_with_a_section(rule: object) -> None:
    known = known_rule(getattr(rule, "name", ""))

    assert re.fullmatch(r"RFC \d{4}, \S+( and \S+)?(; RFC \d{4}, \S+)?", known.source)
    assert re.fullmatch(r"(A|An) \S.*[^.]\.", known.sentence)


@pytest.mark.parametrize("name", RULES)
def test_evidence_names_its_witness(recorded: Recorded, name: str) -> None:
    recording, edit = BROKEN[name]
    edited = edit(recorded[recording])
    found = [b for one in edited for b in breaches_of(edited, one) if b.rule.name == name]

    assert [line for breach in found for line in breach.evidence if not line.startswith(WITNESSES)] == []


def test_a_breach_names_the_end_the_section_and_the_level(recorded: Recorded) -> None:
    recording, edit = BROKEN["early_data_with_same_suite"]
    edited = edit(recorded[recording])
    [breach] = [b for b in breaches_of(edited, edited[1]) if b.rule.name == "early_data_with_same_suite"]

    assert breach.title == (
        "server breaks RFC 8446, 4.2.10 (MUST): A server accepts early data only with the cipher suite of the PSK."
    )
    assert breach.rule.level is Level.MUST


def test_asking_for_breaches_marks_the_connection_as_asserted(recorded: Recorded) -> None:
    class Pair:
        connections = recorded["psk"]

    before = Pair.connections[1].asserted
    found = breaches(Pair, Pair.connections[1])

    assert (before, found, Pair.connections[1].asserted) == (False, (), True)


def test_a_rule_that_does_not_exist_is_a_usage_error_that_lists_them() -> None:
    with pytest.raises(UsageError, match="there is no rule 'early'; the rules are: key_share_in_groups, "):
        known_rule("early")
