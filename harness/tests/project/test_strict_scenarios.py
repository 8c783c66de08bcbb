"""Each assert of an outcome in `scenarios` comes with what distinguishes it from others: reason, mechanism or alert.

DECLINED comes with its reason, ABORTED with its alert. RESUMED comes with `mechanism` or `from_cache` where a session
of the cache and a ticket could pass for each other: in TLS 1.2, and where a TLS 1.3 server may keep the state.
"""

from __future__ import annotations

import ast
import runpy
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.matrix.expectation import Expectation
from harness.model.tls import Outcome, TLSVersion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.matrix.cells import Situation

SCENARIOS = sorted((Path(__file__).parents[3] / "scenarios").glob("*.py"))
STATEFUL = frozenset({"tickets", "max_early_data"})
"""Knobs with which a server keeps the state of TLS 1.3 sessions."""


class Scenario:
    """A test of a scenario file, with the helpers that it calls."""

    def __init__(self, path: Path, test: ast.FunctionDef) -> None:
        module = names(path)
        self.values = module
        self.name = f"{path.name}::{test.name}"
        called = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
        helpers = [function for function in functions(path) if function.name in called]
        self.asserts = [node for one in (test, *helpers) for node in ast.walk(one) if isinstance(node, ast.Assert)]
        self.defined: dict[str, ast.AST] = {helper.name: helper for helper in helpers}
        """What a name stands for: the expression that it was given, or the helper."""
        for node in ast.walk(test):
            if isinstance(node, ast.Assign):
                self.defined |= {target.id: node.value for target in node.targets if isinstance(target, ast.Name)}
        marks = [mark for mark in [*getattr(module[test.name], "pytestmark", []), module.get("pytestmark")] if mark]
        self.situation: Situation = next(mark.args[0] for mark in marks if mark.name == "scenario")
        self.changed = {
            keyword.arg for node in ast.walk(test) if isinstance(node, ast.Call) for keyword in node.keywords
        }

    def expected(self) -> Iterator[tuple[str, set[Outcome]]]:
        """Of each comparison: the connection, empty for several, and the outcomes that it may be expected to have."""
        for node in (node for one in self.asserts for node in ast.walk(one)):
            if isinstance(node, ast.Compare):
                *compared, right = node.left, *node.comparators
                found = {one for side in (*compared, right) for one in self.outcomes(side)}
                owners = {name for side in compared if (name := owner(side, "outcome"))}
                for connection in owners or {""}:
                    yield connection, found

    def outcomes(self, node: ast.expr) -> Iterator[Outcome]:
        """The outcomes that an expression names, those of a declared expectation too."""
        for part in ast.walk(node):
            value = self.values.get(part.id) if isinstance(part, ast.Name) else None
            values = [value.value, *(one.value for one in value.differs)] if isinstance(value, Expectation) else [value]
            yield from (
                one for v in values for one in (v if isinstance(v, tuple) else (v,)) if isinstance(one, Outcome)
            )

    def asserted(self, connection: str, *what: str) -> bool:
        """Whether an assert uses one of some attributes of a connection, or of any one where its name is empty."""
        owners = {owner(node, *what) for node in self._used()} - {None}
        return connection in owners if connection else bool(owners)

    def reasoned(self, connection: str) -> bool:
        """Whether an assert uses the reasons or titles of a connection, or of any one where its name is empty."""
        return any(
            isinstance(node, ast.Call)
            and ast.unparse(node.func) in {"reasons", "titles", "reasons_offered"}
            and (not connection or ast.unparse(node.args[-1]) == connection)
            for node in self._used()
        )

    def _used(self) -> Iterator[ast.AST]:
        """The nodes of the asserts, and of the expressions that were given a name that one of them uses."""
        for one in self.asserts:
            for node in ast.walk(one):
                yield node
                if isinstance(node, ast.Name) and node.id in self.defined:
                    yield from ast.walk(self.defined[node.id])

    @property
    def one_mechanism(self) -> bool:
        """Whether nothing but a TLS 1.3 ticket with the state in it can resume."""
        return self.situation.versions == (TLSVersion.TLSv1_3,) and not STATEFUL & {
            *self.situation.server,
            *self.changed,
        }

    def missing(self) -> Iterator[str]:
        """What is missing, one line each."""
        for connection, outcomes in self.expected():
            where = f"{self.name}: {connection or 'a connection'}"
            if Outcome.DECLINED in outcomes and not self.reasoned(connection):
                yield f"{where} is DECLINED, and no assert uses reasons(pair, {connection or '...'})"
            if Outcome.ABORTED in outcomes and not self.asserted(connection, "alert"):
                yield f"{where} is ABORTED, and no assert uses its alert"
            distinguished = self.one_mechanism or self.asserted(connection, "mechanism", "from_cache")
            if Outcome.RESUMED in outcomes and not distinguished:
                yield f"{where} is RESUMED, and no assert uses its mechanism or from_cache"


def owner(node: ast.AST, *names: str) -> str | None:
    """The text of what a node is an attribute of, None if it is not an attribute of one of these names."""
    return ast.unparse(node.value) if isinstance(node, ast.Attribute) and node.attr in names else None


@cache
def names(path: Path) -> dict[str, Any]:
    """What a scenario file defines."""
    return runpy.run_path(str(path))


@cache
def functions(path: Path) -> tuple[ast.FunctionDef, ...]:
    """The functions of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return tuple(node for node in tree.body if isinstance(node, ast.FunctionDef))


def missing(path: Path) -> list[str]:
    """What the tests of a file leave open, one line each."""
    tests = [Scenario(path, one) for one in functions(path) if one.name.startswith("test_")]
    return sorted({line for test in tests for line in test.missing()})


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.name)
def test_each_outcome_comes_with_what_distinguishes_it_from_another(path: Path) -> None:
    assert missing(path) == []
