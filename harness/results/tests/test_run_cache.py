"""A run is kept by build, scenarios and code; one that is damaged or of other code is not used."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, cast

import pytest

from harness.model.build import Build
from harness.results import run_cache as module
from harness.results.run_cache import RunCache, build_key, code_key

if TYPE_CHECKING:
    from pathlib import Path

    from harness.report.json.shapes import ResultsObject

RESULTS = cast(
    "ResultsObject",
    {
        "schema": 2,
        "started": "2026-11-29T00:00:00+00:00",
        "clients": ["libssl@3.0.19"],
        "servers": ["libssl@3.0.19"],
        "finished": "2026-11-29T00:00:01+00:00",
        "exit_status": 0,
        "unmatched": [],
        "cells": [],
    },
)


def test_results_are_used_again_for_the_same_build_and_code(tmp_path: Path) -> None:
    RunCache(tmp_path / "runs", "code").put("build", RESULTS)

    assert RunCache(tmp_path / "runs", "code").get("build") == RESULTS
    assert RunCache(tmp_path / "runs", "code").get("other") is None
    assert RunCache(tmp_path / "runs", "changed").get("build") is None
    assert list(RunCache(tmp_path / "runs", "code").others([])) == [RESULTS]
    assert list(RunCache(tmp_path / "runs", "code").others(["build"])) == []


@pytest.mark.parametrize("damage", [b"", b"no gzip", b"\x1f\x8b\x08\x00"])
def test_results_that_are_damaged_are_not_used(tmp_path: Path, damage: bytes) -> None:
    cache = RunCache(tmp_path, "code")
    cache.put("build", RESULTS)
    (tmp_path / "code-build.json.gz").write_bytes(damage)

    assert cache.get("build") is None


def test_results_of_another_shape_are_not_used(tmp_path: Path) -> None:
    cache = RunCache(tmp_path, "code")
    cache.put("build", RESULTS)
    (tmp_path / "code-build.json.gz").write_bytes(gzip.compress(b'{"cells": 1}'))

    assert cache.get("build") is None


def test_only_the_newest_runs_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    cache = RunCache(tmp_path, "code")
    for build in ("a", "b", "c"):
        cache.put(build, RESULTS)

    assert len(list(tmp_path.iterdir())) == 2


def test_a_key_changes_with_a_scenario_its_arguments_and_the_library(tmp_path: Path) -> None:
    scenario, library = tmp_path / "a.py", tmp_path / "libssl.so"
    scenario.write_text("a")
    library.write_text("a")
    build = Build("3.0.19", "prefix", libssl=library)
    before = code_key([], [tmp_path]), code_key(["-k", "x"], [tmp_path]), build_key(["libssl@3.0.19"], [build])
    scenario.write_text("b")
    library.write_text("ab")
    after = code_key([], [tmp_path]), code_key(["-k", "x"], [tmp_path]), build_key(["libssl@3.0.19"], [build])

    assert len({*before, *after}) == 6
