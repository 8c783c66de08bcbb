"""The table of mutations: each has its rule and is in a scenario, and who cannot break it says so."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from harness.model.capability import Capability
from harness.model.errors import UnsupportedError
from harness.model.knobs import ServerConfig
from harness.model.tls import Role
from harness.stacks.absent import AbsentStack

pytest.importorskip("tlslite", reason="tlslite-ng is not installed (dependency group test)")

import tlslite.tlsconnection

from harness.foreign.tlslite import fast
from harness.foreign.tlslite.mutation import TABLE
from harness.foreign.tlslite.page import mutations_page

SCENARIOS = Path(__file__).parents[3] / "scenarios"


@pytest.mark.parametrize("name", ["lying_clients.py", "lying_servers.py"])
def test_every_mutation_is_in_a_scenario(name: str) -> None:
    role = "client" if "client" in name else "server"
    nodes = list(ast.walk(ast.parse((SCENARIOS / name).read_text())))
    named = {node.value for node in nodes if isinstance(node, ast.Constant)}
    named |= {node.arg for node in nodes if isinstance(node, ast.keyword)}

    assert {row.name for row in TABLE.values() if row.role == role} <= named


def test_every_mutation_names_its_rule_and_its_meaning() -> None:
    assert all(row.breaks.startswith("RFC ") and row.meaning.endswith(".") for row in TABLE.values())
    assert all(row.role in {"client", "server"} and row.version in {"1.2", "1.3"} for row in TABLE.values())


def test_the_page_has_every_mutation() -> None:
    assert (SCENARIOS.parent / "docs/mutations.md").read_text() == mutations_page(), "run: python docs/generate.py"


def test_a_stack_that_is_not_here_lacks_everything_for_one_reason() -> None:
    absent = AbsentStack("tlslite", "it is not fetched")
    abilities = absent.abilities(Role.SERVER)

    assert abilities.lacks(Capability.SESSION_ID) == "it is not fetched"
    assert abilities.lacks_knob("mutation", "EmptySessionTicket") == "it is not fetched"
    with pytest.raises(UnsupportedError, match="it is not fetched"):
        absent.server(ServerConfig())


def test_tickets_of_the_liar_have_a_ticket_age_add_of_32_bits() -> None:
    fast.install()
    made = [tlslite.tlsconnection.getRandomNumber(1, 4096) for _ in range(8)]

    assert max(made) > 2**20, "the chance of this is one in 2^96"
    assert all(0 <= number < 2**32 for number in made)
