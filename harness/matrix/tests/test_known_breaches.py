"""A breach that a library is known for is about its builds and their peers, and a scenario declares it too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from runpy import run_path
from typing import TYPE_CHECKING, Any

import pytest

from harness.explain.rules import RULES
from harness.matrix.known_breaches import KNOWN_BREACHES, known_breach
from harness.model.build import Library
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.setup import Setup
from harness.model.tls import Role
from harness.model.view import Saw
from harness.tests.fakes import connection, fake_stack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.matrix.cells import Situation

SCENARIOS = Path(__file__).parents[3] / "scenarios"
RULE = "extended_master_secret_not_added"


def situations() -> Iterator[Situation]:
    """The situation of each test of the files that use the table."""
    for path in SCENARIOS.glob("*.py"):
        if "KNOWN_BREACHES" in path.read_text():
            for value in run_path(str(path)).values():
                for mark in getattr(value, "pytestmark", []):
                    yield from (argument for argument in mark.args if mark.name == "scenario")


def between(client: str, server: str) -> Any:
    """A connection of two libssl versions."""
    stacks = [fake_stack("libssl", version) for version in (client, server)]
    return connection(1, [Saw.RESUMED] * 3, offered=True, stacks=stacks)


@pytest.mark.parametrize(
    ("client", "server", "known"),
    [
        ("1.1.1w", "1.0.2r", True),
        ("1.1.0l", "1.0.2k-fips", True),
        ("1.0.2r", "1.0.2r", False),
        ("1.0.2r", "1.1.1w", False),
        ("3.5.9", "1.1.0l", False),
    ],
)
def test_a_breach_is_known_of_some_builds_with_some_peers(client: str, server: str, *, known: bool) -> None:
    assert (known_breach(RULE, between(client, server)) is KNOWN_BREACHES[RULE]) is known


def test_a_breach_of_openssl_is_not_known_of_another_family() -> None:
    stacks = [fake_stack("libssl", "1.1.1w"), fake_stack("gnutls", "1.0.2", family="gnutls")]
    other = connection(1, [Saw.RESUMED] * 3, offered=True, stacks=stacks)
    made = replace(other, setup=Setup(ClientConfig(), ServerConfig(), 1, 1, server_library=Library("gnutls")))

    assert not known_breach(RULE, made)


def test_another_rule_is_not_known_to_be_broken() -> None:
    assert not known_breach("extended_master_secret_not_dropped", between("1.1.1w", "1.0.2r"))


@pytest.mark.parametrize("rule", KNOWN_BREACHES)
def test_a_scenario_fails_where_a_known_breach_does_not_happen(rule: str) -> None:
    known = KNOWN_BREACHES[rule]
    declared = [situation.breaks[rule].differs for situation in situations() if rule in situation.breaks]

    assert [differs for differs in declared if known in differs] == [(known,)]


@pytest.mark.parametrize("rule", KNOWN_BREACHES)
def test_a_known_breach_is_of_the_end_that_can_break_the_rule(rule: str) -> None:
    assert KNOWN_BREACHES[rule].role in {RULES[rule].who, *(Role if RULES[rule].who is None else ())}
