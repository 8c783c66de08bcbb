"""`resumption run` finds its scenarios, and uses every processor unless its arguments say otherwise."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.cli import main
from harness.cli.runs.run import paths, processes, scenarios
from harness.model.errors import VARIABLE, UsageError, stretched
from harness.results.run_options import RUN_OPTIONS

if TYPE_CHECKING:
    from harness.results.run_options import RunOption

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("arguments", [[], ["-x"], ["-k", "ticket"], ["--lf", "-q"], ["--no-header"], ["-vv"]])
def test_a_run_uses_every_processor(arguments: list[str]) -> None:
    assert processes(arguments) == ["-n", "auto"]


@pytest.mark.parametrize(
    "argument",
    ["-n", "-n2", "--numprocesses=3", "--dist=loadfile", "--pdb", "-s", "-vs", "--capture=no", "no:xdist", "--co"],
)
def test_a_run_leaves_an_explicit_number_of_processes_alone(argument: str) -> None:
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
    with pytest.raises(UsageError, match=r"no scenarios in .*; run the command in a checkout, or reinstall"):
        scenarios(tmp_path, tmp_path / "lib" / "harness")


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ([], []),
        (["-k", "here", "-x"], []),
        (["here"], ["here"]),
        (["-x", "here"], ["here"]),
        (["--junitxml", "here", "-p", "xdist.plugin"], []),
        (["--client", "here", "gone/x.py::test_it"], ["gone/x.py::test_it"]),
        (["-n", "2", "gone.py"], ["gone.py"]),
    ],
)
def test_paths_are_distinguished_from_options_and_their_values(
    arguments: list[str], found: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()

    assert paths(arguments) == found


SCENARIO = '''"""A ticket resumes (RFC 8446, 2.2)."""

from harness import FULL, RESUMED, TLSv1_3, scenario

pytestmark = scenario(versions=[TLSv1_3], same_stack=True)


def test_ticket_resumes(pair):
    first = pair.connect()
    second = pair.connect(offer=first.session)

    assert first.outcome is FULL
    assert second.outcome is RESUMED
'''


HANGS = """

def test_agent_hangs(pair):
    import psutil

    pair.connect()
    for child in psutil.Process().children(recursive=True):
        if "harness.agent" in child.cmdline():
            child.suspend()
    pair.connect()
"""
"""The agents stop in the midst of a cell, and the next connection waits for them until its deadline."""


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "harness.cli", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        argv, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=stretched(60)
    )


@pytest.mark.parametrize("processes", ["-n0", "-n1"])
def test_a_folder_runs_with_the_configuration_of_its_project(processes: str, tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\npython_files = tls_*.py\n")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "tls_ticket.py").write_text(SCENARIO)
    (tmp_path / "mine" / "other.py").write_text("raise AssertionError\n")

    done = command(tmp_path, "run", "--client=libssl", "--results=out", processes, "mine", "--server=libssl")

    assert done.returncode == 0, done.stdout + done.stderr
    cells = json.loads((tmp_path / "out" / "results.json").read_text())["cells"]
    assert [cell["scenario"] for cell in cells] == ["mine/tls_ticket.py::test_ticket_resumes"]


def test_a_file_that_is_not_here_is_one_of_the_harness(tmp_path: Path) -> None:
    done = command(
        tmp_path, "run", "psk_modes.py", "--client=libssl", "--server=libssl", "-n0", "-k", "alone", "--co", "-q"
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "scenarios/psk_modes.py::" in done.stdout


@pytest.mark.parametrize("arguments", [["-n0", "gone"], ["-n2", "gone"], ["gone/x.py"], ["gone.py::test_x"]])
def test_a_path_that_does_not_exist_is_bad_usage(arguments: list[str], tmp_path: Path) -> None:
    done = command(tmp_path, "run", *arguments)

    assert done.returncode == 2
    assert "does not exist; name a folder or a file of scenarios" in done.stderr


def test_a_wrong_value_of_an_option_is_bad_usage(tmp_path: Path) -> None:
    done = command(tmp_path, "run", "--matrix=some", "-n0")

    assert done.returncode == 2
    assert "--matrix cannot be 'some'; it is all, same, across, pairwise" in done.stderr


def test_the_help_lists_every_option_of_a_run(tmp_path: Path) -> None:
    shown = command(tmp_path, "run", "--help").stdout

    assert [option.short for option in RUN_OPTIONS if f"{option.short} " not in shown] == []


def test_a_shard_runs_its_part_of_the_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "test_ticket.py").write_text(SCENARIO)
    monkeypatch.setenv("RESUMPTION_SHARD", "2/2")

    done = command(tmp_path, "run", "-n0", "--client=libssl", "--client=openssl", "--results=out", "test_ticket.py")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "shard 2 of 2, as RESUMPTION_SHARD says" in done.stderr
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert results["shard"] == "2/2"
    assert len(results["cells"]) == 1


@pytest.mark.parametrize("processes", ["-n0", "-n2"])
def test_a_failure_is_one_line_as_it_comes_and_one_in_the_summary(processes: str, tmp_path: Path) -> None:
    (tmp_path / "test_ticket.py").write_text(SCENARIO.replace("is RESUMED", "is FULL"))

    done = command(tmp_path, "run", "--client=libssl", "--results=out", "--tb=no", processes, "test_ticket.py")

    assert done.returncode == 1
    lines = [line for line in done.stdout.splitlines() if line.startswith("FAILED test_ticket.py::")]
    assert len(lines) == 2
    assert "]: assert resumed is full" in lines[0]


@pytest.mark.parametrize("processes", ["-n0", "-n2"])
def test_the_progress_says_what_a_hanging_cell_waits_for(
    processes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "test_ticket.py").write_text(SCENARIO + HANGS)
    monkeypatch.setenv(VARIABLE, "25")

    ends = ("--client=libssl", "--server=libssl")
    done = command(tmp_path, "run", *ends, "--results=out", "--tb=no", processes, "test_ticket.py")

    assert done.returncode == 1, done.stdout + done.stderr
    cell = r"test_ticket\.py::test_agent_hangs\[\S+\]"
    assert re.search(rf"none ended in \d+ s; running: {cell} \(\d+ s, waiting for .*libssl@", done.stdout), done.stdout


@pytest.mark.parametrize("words", [["run", "-n0"], ["run", "-n2", "--results=\udcff"], ["diff", "libssl", "libssl"]])
def test_an_argument_that_is_no_utf8_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code = main([*words, "\udcff.py"])

    error = capsys.readouterr().err

    assert code == 2
    assert re.search(r"^error: '.*\\udcff(\.py)?' is not UTF-8, and pytest-xdist takes nothing", error, re.MULTILINE)


@pytest.mark.parametrize("option", [option for option in RUN_OPTIONS if option.metavar], ids=attrgetter("name"))
def test_an_option_of_a_run_is_never_empty(option: RunOption, tmp_path: Path) -> None:
    (tmp_path / "test_ticket.py").write_text(SCENARIO)
    done = command(tmp_path, "run", "-n0", f"{option.short}=", "test_ticket.py")

    assert done.returncode == 2
    assert done.stderr.strip() == f"ERROR: {option.short} is empty; give {option.metavar}, or leave it out"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] != "_") == ["test_ticket.py"]


def test_the_names_of_cells_that_never_end_are_refused(tmp_path: Path) -> None:
    (tmp_path / "test_ticket.py").write_text(SCENARIO)
    done = command(tmp_path, "run", "-n0", "--client=libssl", "--without=/dev/zero", "--results=out", "test_ticket.py")

    assert done.returncode != 0
    assert "--without /dev/zero has more than 256 MiB; name a file of cells, one a line" in done.stdout + done.stderr
