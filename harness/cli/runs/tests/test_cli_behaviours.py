"""`resumption behaviours` makes the map of runs that are over, and of a selection of scenarios that exists."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from harness.cli import main
from harness.cli.runs.declared import declaring
from harness.report.diff.tests.test_causes import DECLINED
from harness.report.diff.tests.test_run_difference import of, results
from harness.tests.raw_agent import libssl_build

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folders(tmp_path: Path) -> list[str]:
    """The results of two builds, of which the second declines."""
    made = {"0.9.1": of("a"), "0.9.2": of("a", **DECLINED)}
    run = {"schema": 2, "started": "", "finished": "2026-11-29", "exit_status": 0, "unmatched": []}
    for version, cell in made.items():
        (tmp_path / version).mkdir()
        (tmp_path / version / "results.json").write_text(json.dumps({**run, **results(version, cell)}))
    return [str(tmp_path / version) for version in made]


def test_runs_that_are_over_make_a_map(folders: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = main(
        ["behaviours", "--results", folders[0], "--results", folders[1], "--write", str(tmp_path / "map"), "--json"]
    )
    (one,) = json.loads(capfd.readouterr().out)["behaviours"]

    assert code == 0
    assert (one["observable"], one["known"]) == ("outcome", [None])
    assert one["table"] == [{"builds": "0.9.1", "value": "resumed"}, {"builds": "0.9.2", "value": "declined"}]
    assert "`undeclared, since 0.9.2`" in (tmp_path / "map" / "behaviours.md").read_text()
    assert "<table>" in (tmp_path / "map" / "behaviours.html").read_text()


def test_the_report_of_a_run_has_the_map_as_a_page(folders: list[str], tmp_path: Path) -> None:
    code = main(["report", *folders, "--behaviours", "-o", str(tmp_path / "report")])

    assert code == 0
    assert "undeclared, since 0.9.2" in (tmp_path / "report" / "behaviours.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--results", "{0}"], "two builds or more"), (["3.0", "--results", "{0}"], "--results takes runs that are over")],
)
def test_bad_usage_says_what_is_allowed(
    folders: list[str], capfd: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    code = main(["behaviours", *(text.format(*folders) for text in arguments)])

    assert code == 2
    assert message in capfd.readouterr().err


def test_results_are_kept_by_build_and_used_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    one = f"libssl@{libssl_build().version}"
    said = []
    for more in ([], [], ["--fresh"]):
        assert main(["behaviours", *more, one, "scenarios/tls12_ticket.py"]) == 2  # a map is of two builds
        said.append(capfd.readouterr().err.splitlines()[0])

    assert said == [f"running the cells of {one}", f"results of {one} are kept", f"running the cells of {one}"]


def test_without_a_build_it_says_what_to_fetch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RESUMPTION_CACHE", str(tmp_path))

    assert main(["behaviours"]) == 2
    assert "no build is in the cache; fetch some, as with `resumption builds fetch" in capfd.readouterr().err


@pytest.mark.parametrize("command", [["behaviours", "3.0"], ["libraries", "table"]])
def test_where_nothing_can_be_written_nothing_is_run(command: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    code = main([*command, "--write", "/proc/map"])

    assert code == 2
    assert "nothing can be written to /proc/map" in capfd.readouterr().err


def test_the_map_has_every_scenario_that_says_that_builds_differ() -> None:
    chosen = set(declaring())

    assert "scenarios/close_modes.py::test_state_of_a_server_that_was_reset" in chosen
    assert "scenarios/session_cache_size.py::test_cache_holds_so_many" in chosen, "in a case"
    assert "scenarios/broken_rules.py::test_server_accepts_early_data_with_another_suite" in chosen, "in a broken rule"
    assert "scenarios/session_timeout.py::test_negative_timeout_expires_at_once" in chosen, "of a function"
    assert "scenarios/session_cache_size.py::test_default_is_20480_at_both_ends" not in chosen
