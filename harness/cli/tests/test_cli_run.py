"""`resumption run` finds its scenarios, and uses every processor unless its arguments say otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from harness.cli.run import processes, scenarios
from harness.model.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("arguments", [[], ["-x"], ["-k", "ticket"], ["--lf", "-q"], ["--no-header"], ["-vv"]])
def test_a_run_uses_every_processor(arguments: list[str]) -> None:
    assert processes(arguments) == ["-n", "auto"]


@pytest.mark.parametrize(
    "argument",
    ["-n", "-n2", "--numprocesses=3", "--dist=loadfile", "--pdb", "-s", "-vs", "--capture=no", "no:xdist", "--co"],
)
def test_a_run_leaves_the_number_of_processes_to_arguments_that_ask_for_one(argument: str) -> None:
    assert processes(["-x", argument]) == []


def test_the_scenarios_of_the_present_checkout_come_first(tmp_path: Path) -> None:
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "conftest.py").touch()

    assert scenarios(tmp_path)[-1] == str(tmp_path / "scenarios")


def test_an_installed_package_brings_scenarios_of_its_own(tmp_path: Path) -> None:
    package = tmp_path / "lib" / "harness"
    (package / "scenarios").mkdir(parents=True)

    assert scenarios(tmp_path, package)[-1] == str(package / "scenarios")


def test_no_scenarios_anywhere_says_where_they_were_looked_for(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no scenarios in .*; run it in a checkout, or reinstall"):
        scenarios(tmp_path, tmp_path / "lib" / "harness")
