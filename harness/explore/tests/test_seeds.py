"""The stories that an exploration begins with come from scenarios, from files and from the results of runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.explore.seeds import given
from harness.model.errors import UsageError
from harness.model.knobs import ClientConfig, ServerConfig
from harness.model.tls import TLSVersion
from harness.report.json.brief import brief_case
from harness.report.json.encode import case_json
from harness.report.json.packed import lines
from harness.story.steps import Connect
from harness.story.story import Story
from harness.tests.made.connections import connection

if TYPE_CHECKING:
    from pathlib import Path

SCENARIO = "scenarios/x.py::test_y"
STORY = Story(tls=TLSVersion.TLSv1_3, steps=(Connect(), Connect()))
HEAD = {"schema": 2, "started": "", "clients": [], "servers": [], "finished": "", "exit_status": 0, "unmatched": []}


def cell(name: str, story: dict[str, Any] | None) -> dict[str, Any]:
    """A cell of brief connections, whose story stands in the parts of the run."""
    ends = {"client": "libssl@1", "server": "libssl@1", "tls": "1.3"}
    made = case_json("libssl@1", "libssl@1", TLSVersion.TLSv1_3, [connection()], None, (ClientConfig(), ServerConfig()))
    result = {"verdict": "passed", "reason": "", "seconds": 0.1, "folder": None}
    return {"cell": name, "scenario": SCENARIO, **ends, **result, "case": brief_case({**made, "story": story})}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    file = tmp_path / "results.json"
    cells: Any = [cell("a", STORY.to_json()), cell("b", STORY.to_json()), cell("c", None)]
    file.write_text("".join(lines({**HEAD, "cells": cells})))  # type: ignore[typeddict-item]  # of a few keys
    return file


def test_a_run_gives_each_kind_of_story_once(results: Path) -> None:
    assert [(story.about, story.steps) for story in given(results)] == [(SCENARIO, STORY.steps)]


def test_results_that_are_damaged_are_named(results: Path) -> None:
    results.write_text(results.read_text()[:-20])

    with pytest.raises(UsageError, match=r"results\.json"):
        given(results)
