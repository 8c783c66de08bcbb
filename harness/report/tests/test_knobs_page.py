"""docs/knobs.md is what the code says of every knob; skipped where no clock can be moved, as the page has one."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from harness.model.knobs import knobs_of
from harness.model.tls import Role
from harness.runtime.clock import MISSING, library

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.skipif(library() is None, reason=MISSING)
def test_the_page_is_current() -> None:
    made = runpy.run_path(str(DOCS / "generate.py"))["knobs"]()

    assert (DOCS / "knobs.md").read_text() == made, "run: python docs/generate.py"


def test_the_protocols_table_of_knobs_is_current() -> None:
    made = runpy.run_path(str(DOCS / "generate.py"))["protocol"]()

    assert (DOCS.parent / "harness" / "agent" / "PROTOCOL.md").read_text() == made, "run: python docs/generate.py"


@pytest.mark.parametrize(("role", "name"), [(role, name) for role in Role for name in knobs_of(role)])
def test_every_knob_has_its_values_and_its_meaning_on_the_page(role: Role, name: str) -> None:
    section = (DOCS / "knobs.md").read_text().partition(f"## Knobs of a {role}\n")[2].partition("\n## ")[0]

    assert section.count(f"| `{name}` | ") == 3
