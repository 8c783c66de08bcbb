"""What explains a connection holds over TCP and over UDP: no sentence names what carries it."""

from __future__ import annotations

import ast
from importlib.resources import files
from pathlib import Path

import pytest

import harness.explain
from harness.model.reason import Reason

ROOM = Path(harness.explain.__file__).parent
MODULES = [path for path in ROOM.rglob("*.py") if not {"tests", "probing"} & set(path.parts)]
"""All but the probe's, which connects over TCP alone."""


def sentences(source: str) -> list[str]:
    """The texts of a module that are not docstrings."""
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docstrings)
    return [node.value for node in constants if isinstance(node.value, str)]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOM)))
def test_no_sentence_of_a_finding_names_tcp(module: Path) -> None:
    assert [text for text in sentences(module.read_text()) if "TCP" in text] == []


def test_a_sentence_that_names_tcp_is_found() -> None:
    assert sentences('"""TCP."""\nUNCLEAN = {1: "TCP ended"}\n') == ["TCP ended"]


def test_no_words_for_a_reason_code_name_tcp() -> None:
    words = (files("harness.explain.openssl_errors") / "reason_codes.csv").read_text()

    assert [line for line in words.splitlines() if "TCP" in line] == []


def test_no_reason_names_tcp() -> None:
    assert [reason.value for reason in Reason if "TCP" in reason.meaning] == []
