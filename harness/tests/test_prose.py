"""Module docstrings and test names are short and present in the whole tree."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(file for room in ("harness", "scenarios", "benchmarks", "certs") for file in (ROOT / room).rglob("*.py"))
LONGEST = 70


@pytest.fixture(scope="module")
def modules() -> dict[str, ast.Module]:
    return {str(file.relative_to(ROOT)): ast.parse(file.read_text(encoding="utf-8")) for file in FILES}


def test_every_module_says_what_it_is_for(modules: dict[str, ast.Module]) -> None:
    silent = [name for name, module in modules.items() if not ast.get_docstring(module)]

    assert silent == []


def test_no_test_has_a_name_of_more_than_70_characters(modules: dict[str, ast.Module]) -> None:
    long = [
        f"{name}::{node.name}"
        for name, module in modules.items()
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and len(node.name) > LONGEST
    ]

    assert long == []
