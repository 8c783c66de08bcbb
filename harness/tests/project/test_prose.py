"""Docstrings, test names and wording follow the project's style in the whole tree."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILES = sorted(file for room in ("harness", "scenarios", "benchmarks") for file in (ROOT / room).rglob("*.py"))
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "harness").rglob("*.md")])
LONGEST = 70
PLAIN = {
    r"\banew\b": "again",
    r"(with|without)[ _]a[ _]catch\b": "a caveat",
    r"\bbehaves otherwise\b": "behaves differently",
    r"\btold otherwise\b": "the endpoints disagree",
    r"\bnothing seen says why\b": "no evidence says why",
    r"\bin its hands\b": "in use by another process",
    r"\bas looked at\b": "as asserted",
    r"\bis as it is\b": "explanation of",
    r"\b(told|tells)\b": "reports, shows, is set to or distinguishes",
    r"(?<![Tt]here )\b(is|are|was|were) no (?!longer|more)\w+": "is not a",
}
"""Wording that readers stumble over, and what to write instead."""


def long_names(module: ast.Module) -> list[str]:
    return [
        node.name
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and len(node.name) > LONGEST
    ]


def unplain(text: str) -> list[str]:
    return [
        f"{found[0]!r}: write {better!r}" for wording, better in PLAIN.items() for found in re.finditer(wording, text)
    ]


@pytest.fixture(scope="module")
def modules() -> dict[str, ast.Module]:
    return {str(file.relative_to(ROOT)): ast.parse(file.read_text(encoding="utf-8")) for file in FILES}


def test_every_module_says_what_it_is_for(modules: dict[str, ast.Module]) -> None:
    silent = [name for name, module in modules.items() if not ast.get_docstring(module)]

    assert silent == []


def test_no_test_has_a_name_of_more_than_70_characters(modules: dict[str, ast.Module]) -> None:
    long = [f"{name}::{test}" for name, module in modules.items() for test in long_names(module)]

    assert long == []


def test_a_name_of_71_characters_is_found() -> None:
    module = ast.parse(f"def test_{'x' * 65}(): ...\ndef test_{'y' * 66}(): ...")

    assert long_names(module) == [f"test_{'y' * 66}"]


def test_wording_is_plain() -> None:
    texts = {file: file.read_text(encoding="utf-8") for file in [*FILES, *PAGES] if file != Path(__file__)}
    found = [f"{file.relative_to(ROOT)}: {what}" for file, text in texts.items() for what in unplain(text)]

    assert found == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("fetch it anew", "'anew': write 'again'"),
        ("x is no folder", "'is no folder': write 'is not a'"),
        ("test_resumes_without_a_catch", "'without_a_catch': write 'a caveat'"),
        ("fetch it again", None),
    ],
)
def test_wording_that_is_not_plain_is_found(text: str, found: str | None) -> None:
    assert unplain(text) == ([found] if found else [])
